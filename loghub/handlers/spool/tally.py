"""How many records were refused for want of room and are told by no event yet.

A mapped number, which survives the process as frames do: whoever takes its place over tells of them. Where there can be
no such file, the death of the process takes the count along.
"""

import mmap
import os
import struct
import time
from contextlib import suppress
from pathlib import Path

_COUNT = struct.Struct("<Q")  # alone, so that it is written at once
_TIME = struct.Struct("<Q")
_SIZE = _COUNT.size + _TIME.size
_MOST = 1 << 48


class Tally:
    """The count of one incarnation.

    Args:
        path: its file; it is made with the first refusal.

    Attributes:
        count: how many they are.
        time: when the last one was refused, in unix seconds.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._map: mmap.mmap | None = None
        self._fails = False
        self.count, self.time = _read(path)

    def note(self, count: int) -> None:
        """Set the count."""
        self.count = count

        if self._map is None and not self._fails:
            self._map = self._open()
            self._fails = self._map is None

        if self._map is not None:
            self._map[:_SIZE] = _COUNT.pack(count) + _TIME.pack(time.time_ns())

    def close(self) -> None:
        """Let go of the file."""
        made, self._map = self._map, None

        if made is not None:
            made.close()

    def _open(self) -> mmap.mmap | None:
        with suppress(OSError, ValueError):
            descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)

            try:
                os.pwrite(
                    descriptor, _COUNT.pack(self.count) + _TIME.pack(0), 0
                )  # its room is taken before it is mapped
                return mmap.mmap(descriptor, _SIZE)
            finally:
                os.close(descriptor)

        return None


def _read(path: Path) -> tuple[int, float]:
    try:
        data = path.read_bytes()
        count = _COUNT.unpack_from(data)[0]
        return (count if count < _MOST else 0), _TIME.unpack_from(data, _COUNT.size)[0] / 1e9
    except (OSError, struct.error):
        return 0, 0.0
