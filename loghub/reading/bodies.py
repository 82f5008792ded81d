"""A file of a log while it is open: its identity, and its bytes as they were before they were compressed.

It is known by its first bytes whether a file is compressed, so it does not matter what its name says. An open
file can be read to its end whatever becomes of its name: moved, compressed or deleted.
"""

import os
from pathlib import Path
from typing import Self, TypeAlias

from loghub.reading.unpack import DamagedError, Unpacker, stream_of

Identity: TypeAlias = tuple[int, int]
"""Device and inode."""

HEAD = 512
"""Bytes at the beginning of a file by which it is known again."""

_STEP = 2**20


def _seek_and_read(descriptor: int, size: int, offset: int) -> bytes:
    os.lseek(descriptor, offset, os.SEEK_SET)
    return os.read(descriptor, size)


_pread = getattr(os, "pread", _seek_and_read)  # Windows has none


class Body:
    """An open file.

    Args:
        path: where it is now.

    Attributes:
        path: the same.
        identity: device and inode.
        is_packed: whether it is compressed.
    """

    def __init__(self, path: Path) -> None:
        flags = os.O_RDONLY | getattr(os, "O_BINARY", 0) | getattr(os, "O_CLOEXEC", 0)
        self._descriptor = os.open(path, flags | getattr(os, "O_NONBLOCK", 0))  # a pipe must not hold us up
        self.path = path

        try:
            status = os.fstat(self._descriptor)
            self.identity: Identity = (status.st_dev, status.st_ino)
            self._stream = stream_of(self._pread(0, 4), path.name)
        except BaseException:
            self.close()
            raise

        self.is_packed = self._stream is not None
        self._unpacker: Unpacker | None = None
        self._damage: DamagedError | None = None
        self._at, self._data = 0, b""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def size(self) -> int:
        """Bytes on the disk."""
        return os.fstat(self._descriptor).st_size

    @property
    def is_nameless(self) -> bool:
        """Whether it was deleted."""
        return os.fstat(self._descriptor).st_nlink == 0

    def head(self) -> bytes:
        """Give the first bytes, by which the file is known again."""
        try:
            return self.read(0, HEAD)
        except DamagedError:
            return b""

    def read(self, offset: int, size: int) -> bytes:
        """Give up to `size` bytes from `offset` on; fewer only where the file ends.

        Raises:
            DamagedError: it is compressed, and ends too early or makes no sense.
            OSError: the disk refuses.
        """
        return self._unpacked(offset, size) if self.is_packed else self._pread(offset, size)

    def close(self) -> None:
        """Let go of the file; idempotent."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1

    def _pread(self, offset: int, size: int) -> bytes:
        parts: list[bytes] = []

        while size > 0 and (part := _pread(self._descriptor, min(size, _STEP), offset)):
            parts.append(part)
            offset, size = offset + len(part), size - len(part)

        return parts[0] if len(parts) == 1 else b"".join(parts)

    def _unpacked(self, offset: int, size: int) -> bytes:
        """Read on in the stream: from `_at` on, the bytes of `_data` are at hand, since a line may begin in them."""
        if self._stream is not None and (self._unpacker is None or offset < self._at):
            self._unpacker, self._damage = Unpacker(self._pread, self._stream), None
            self._at, self._data = 0, b""

        while offset > self._at + len(self._data):
            self._at += len(self._data)
            self._data = self._take(_STEP)

            if not self._data:
                return b""

        self._data = self._data[offset - self._at :]
        self._at = offset

        if len(self._data) < size:
            self._data += self._take(size - len(self._data))

        if not self._data and self._damage is not None:
            raise self._damage

        return self._data[:size]

    def _take(self, size: int) -> bytes:
        """Decompress at least so many bytes, or all that there are; damage is kept for when nothing is left."""
        parts: list[bytes] = []

        while size > 0 and self._damage is None and self._unpacker is not None:
            try:
                part = self._unpacker.more()
            except DamagedError as error:
                self._damage = error
                break

            if not part:
                break

            parts.append(part)
            size -= len(part)

        return b"".join(parts)
