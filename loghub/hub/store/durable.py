"""Bytes that are on the disk when a call returns: files that grow, files that are replaced.

A call that fails leaves the file as it was, so that it can be tried again when there is room.
"""

import os
from pathlib import Path

# macOS has no fdatasync.
_sync_data = getattr(os, "fdatasync", os.fsync)


class GrowingFile:
    """A file that only grows, by whole appends.

    Attributes:
        path: where it is.
        size: the bytes that were appended for good.
    """

    def __init__(self, path: Path) -> None:
        new = not path.exists()
        self._fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o600)
        self.path = path
        self.size = os.fstat(self._fd).st_size
        self._dirty = False

        if new:
            sync_directory(path.parent)

    def append(self, data: bytes) -> None:
        """Write at the end and wait for the disk.

        Raises:
            OSError: the disk refused; the file is as it was.
        """
        if self._dirty:
            self.cut_back(self.size)

        self._dirty = True

        try:
            self._write(data)
            _sync_data(self._fd)
        except OSError:
            self.take_back(self.size)
            raise

        self._dirty = False
        self.size += len(data)

    def _write(self, data: bytes) -> None:
        """Write all of it: a disk that fills up takes a part and says so at the next call only."""
        rest = memoryview(data)
        offset = self.size

        while rest:
            written = os.pwrite(self._fd, rest, offset)
            rest = rest[written:]
            offset += written

    def take_back(self, size: int) -> None:
        """Forget what was appended behind `size`; where the disk refuses now, the next append does it first."""
        self.size = size
        self._dirty = True
        self._try_cut_back()

    def _try_cut_back(self) -> None:
        try:
            self.cut_back(self.size)
        except OSError:
            return  # the next append starts with it

    def cut_back(self, size: int) -> None:
        """Remove what lies behind `size`, durably."""
        os.ftruncate(self._fd, size)
        os.fsync(self._fd)
        self.size = size
        self._dirty = False

    def close(self) -> None:
        """Let go of the file; idempotent."""
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1


def replace_file(path: Path, data: bytes) -> None:
    """Put `data` in the place of a file: after a crash there is the old one or the new one, whole."""
    draft = path.with_name(path.name + ".tmp")
    draft.unlink(missing_ok=True)
    file = GrowingFile(draft)

    try:
        file.append(data)
    finally:
        file.close()

    draft.replace(path)
    sync_directory(path.parent)


def sync_file(path: Path) -> None:
    """Wait until a file that others wrote is on the disk."""
    _sync(path, os.O_RDWR)


def sync_directory(path: Path) -> None:
    """Wait until the names in a directory are on the disk."""
    _sync(path, os.O_RDONLY | os.O_DIRECTORY)


def _sync(path: Path, flags: int) -> None:
    fd = os.open(path, flags | os.O_CLOEXEC)

    try:
        os.fsync(fd)
    finally:
        os.close(fd)
