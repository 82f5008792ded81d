"""The file that lines are appended to: a descriptor of the one that has the name now.

Rules:
1. A line is one `write` of whole bytes on an O_APPEND descriptor: processes need no lock to write.
2. Between looks, and where there is room, a line is that one system call, and one more for the size where a limit is
   set. Else who decides about the file is asked first (`rolling.py`): it looks, rolls over, and sets the next window.
3. A file that does not end with a newline when it is opened (a crash, a full disk) gets one first.

It decides nothing, and it raises OSError: what becomes of a line that cannot be written is the handler's matter.
"""

import os
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

_TORN_LOOKS = 5
_TORN_WAIT_SECONDS = 0.002


class LogFile:
    """A file to append lines to.

    Args:
        path: its name.
        prepare: called with this file, the bytes of the line to come and the unix time, outside of a quiet window;
            afterwards the right file is open, and `be_quiet` was called.

    Attributes:
        held: bytes in the file when it was last asked.
        opened_at: unix time that the open file belongs to: its last change, or when it was opened where it is empty.
    """

    def __init__(self, path: Path, prepare: Callable[["LogFile", int, float], None]) -> None:
        self.path = path
        self.held = 0
        self.opened_at = 0.0
        self._prepare = prepare
        self._descriptor: int | None = None
        self._identity = (0, 0)
        self._quiet_from = self._quiet_until = 0.0
        self._most = sys.maxsize

    def write(self, line: bytes) -> None:
        """Append a line, or several whole ones."""
        now = time.time()
        length = len(line)

        if not (self._quiet_from <= now < self._quiet_until) or self.held + length > self._most:
            self._prepare(self, length, now)

        descriptor: int = self._descriptor  # type: ignore[assignment]  # prepared
        written = os.write(descriptor, line)

        # A short write (the disk is filling up): the rest follows; if it cannot, the next open ends the fragment.
        while written < length:
            written += os.write(descriptor, line[written:])

        if self._most < sys.maxsize:
            # O_APPEND leaves the offset behind what was written: the size, with the lines of other processes.
            self.held = os.lseek(descriptor, 0, os.SEEK_CUR)

    def be_quiet(self, since: float, until: float, most: int = sys.maxsize) -> None:
        """Ask nobody between two unix times, as long as the file does not grow over so many bytes."""
        self._quiet_from, self._quiet_until, self._most = since, until, most

    @property
    def is_open(self) -> bool:
        """Whether there is a descriptor."""
        return self._descriptor is not None

    def open(self, now: float) -> None:
        """Open the file that has the name; missing directories are made."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = _open_to_append(self.path)

        try:
            status = os.fstat(descriptor)

            if _ends_torn(descriptor):
                os.write(descriptor, b"\n")

            self.held = _size(descriptor)
        except OSError:
            os.close(descriptor)
            raise

        self._identity = (status.st_dev, status.st_ino)
        self.opened_at = status.st_mtime if status.st_size else now
        self._descriptor = descriptor

    def is_current(self) -> bool:
        """Tell whether the open file still has the name."""
        try:
            status = os.stat(self.path)  # noqa: PTH116 (on the path of every line, once a second)
        except OSError:
            return False

        return (status.st_dev, status.st_ino) == self._identity

    def measure(self) -> int:
        """Ask for the size of the open file: other processes write to it too."""
        if self._descriptor is not None:
            self.held = os.fstat(self._descriptor).st_size

        return self.held

    def release(self) -> None:
        """Let go of the file; the next line opens it again."""
        descriptor, self._descriptor = self._descriptor, None
        self._quiet_until = 0.0

        if descriptor is not None:
            with suppress(OSError):
                os.close(descriptor)


def _open_to_append(path: Path) -> int:
    flags = os.O_APPEND | os.O_CREAT | getattr(os, "O_BINARY", 0)

    try:
        return os.open(path, os.O_RDWR | flags, 0o666)
    except PermissionError:  # a file that may be written and not read: its last byte cannot be looked at
        return os.open(path, os.O_WRONLY | flags, 0o666)


def _size(descriptor: int) -> int:
    try:
        return os.lseek(descriptor, 0, os.SEEK_END)
    except OSError:  # a pipe
        return 0


def _ends_torn(descriptor: int) -> bool:
    """Tell whether the file ends within a line, and nobody is about to finish it.

    Another process's write may be seen half done, for microseconds; what a crash left stays as it is.
    """
    for _ in range(_TORN_LOOKS):
        try:
            if os.lseek(descriptor, 0, os.SEEK_END) == 0:
                return False

            os.lseek(descriptor, -1, os.SEEK_END)

            if os.read(descriptor, 1) == b"\n":
                return False
        except OSError:  # a file that cannot be read, a pipe, a device
            return False

        time.sleep(_TORN_WAIT_SECONDS)

    return True
