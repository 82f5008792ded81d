"""How far an incarnation is settled: two checksummed slots, written in turns.

A torn write leaves the other slot. Where both are lost the count starts at 0: that causes resends, which the
hub trims, and no loss. Its room is taken before the first segment's: a disk that is full by the time that something is
settled would take no new file, and segments that stay for want of a cursor would keep it full.
"""

import os
import struct
from contextlib import suppress
from pathlib import Path
from zlib import crc32

from loghub.handlers.spool.segment import sync

_SLOT = struct.Struct("<QQ")
_CRC = struct.Struct("<I")
_APART = 512  # bytes: slots share no sector


class Cursor:
    """The cursor of one incarnation.

    Args:
        path: its file.

    Attributes:
        settled: every record up to this number is acknowledged, dead or dropped.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._descriptor = -1
        self._generation, self.settled = max(_slots(path), default=(0, 0))

    def reserve(self) -> None:
        """Take the room that it needs.

        Raises:
            OSError: there is none.
        """
        if self._descriptor >= 0:
            return

        self._open()

        try:
            if os.fstat(self._descriptor).st_size < 2 * _APART:
                os.pwrite(self._descriptor, bytes(2 * _APART), 0)  # zeros are no slot
        except OSError:
            self.close()
            raise

    def write(self, settled: int, *, durable: bool) -> None:
        """Note how far it is settled.

        Raises:
            OSError: the disk does not take it; the other slot still holds.
        """
        if self._descriptor < 0:
            self._open()

        self._generation += 1
        slot = _SLOT.pack(self._generation, settled)
        os.pwrite(self._descriptor, slot + _CRC.pack(crc32(slot)), self._generation % 2 * _APART)

        if durable:
            sync(self._descriptor)

        self.settled = settled

    def _open(self) -> None:
        self._descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)

    def close(self) -> None:
        """Let go of the file."""
        descriptor, self._descriptor = self._descriptor, -1

        if descriptor >= 0:
            with suppress(OSError):
                os.close(descriptor)


def _slots(path: Path) -> list[tuple[int, int]]:
    """Read the slots that are whole."""
    try:
        data = path.read_bytes()
    except OSError:
        return []

    found = []

    for at in (0, _APART):
        slot, crc = data[at : at + _SLOT.size], data[at + _SLOT.size : at + _SLOT.size + _CRC.size]

        if len(crc) == _CRC.size and _CRC.unpack(crc)[0] == crc32(slot):
            found.append(_SLOT.unpack(slot))

    return found
