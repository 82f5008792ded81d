"""The file that lines are appended to: a descriptor of the one that has the name now.

Rules:
1. A line is one `write` of whole bytes on an O_APPEND descriptor: processes need no lock to write.
2. Between looks, and where there is room, a line is that one system call. Else who decides about the file is asked
   first (`rolling.py`): it looks, rolls over, and says how long and for how many bytes it need not be asked again.
3. A file that does not end with a newline when it is opened (a crash, a full disk) gets one first. What a short write
   left is ended too, and its line is written again: a fragment stands before the whole line, at most. The newline takes
   the place of the fragment's last byte: that needs no room, and parts it from what others append meanwhile.
4. A shared file is held with a lock that its writers share (`hold.py`): nobody compresses or deletes it meanwhile.
5. Many threads append at once, without a lock, each to the outlet that it has (`outlet.py`). All else is done under the
   lock of who uses this file.
6. The lines since the last look are remembered, up to 64 KB. Where the file was deleted or replaced meanwhile they
   are written again, to the one that has the name now; where it was moved they stand in it. A look vouches for the
   lines that were written before it, not for those that threads write while it is taken.

It decides nothing, and it raises OSError: what becomes of a line that cannot be written is the handler's matter.
"""

import errno
import os
import stat
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from weakref import WeakSet

from loghub.handlers.diagnostics import say
from loghub.handlers.hold import is_named, share
from loghub.handlers.outlet import CLOSED, Late, Nothing, Outlet

_TORN_LOOKS = 5
_TORN_WAIT_SECONDS = 0.002
_MOST_DOUBT = 64_000  # more would leave the processor's cache: a tenth of what a line costs
_OPENINGS = 10


@dataclass(frozen=True, slots=True)
class Opening:
    """How a file is opened.

    Attributes:
        truncate: whether what is in it is deleted when this process first opens it.
        exclusive: whether it must not be there when this process first opens it.
        permissions: of a new file; None for what the umask leaves.
        user: id of a new file's owner; -1 for the process's.
        group: id of a new file's group; -1 for the process's.
        shared: whether other processes write to it too.
        synced: whether it is flushed to the device before it is let go.
    """

    truncate: bool = False
    exclusive: bool = False
    permissions: int | None = None
    user: int = -1
    group: int = -1
    shared: bool = True
    synced: bool = False


class LogFile:
    """A file to append lines to.

    Args:
        name: gives its path.
        prepare: called with this file, the bytes of the line to come and the unix time, outside of a quiet window;
            afterwards the right file is open, and `be_quiet` was called.
        opening: how it is opened.

    Attributes:
        path: of the file that is or was open.
        held: bytes in the file when it was last asked, and what this process wrote since.
        opened_at: unix time that the open file belongs to: its last change, or when it was opened where it is empty.
        identity: device and inode of the file that is or was open.
        reached: bytes of the last write, whole lines, that are in the file though the write failed.
        outlet: where lines go now; a closed one that always asks where the file is not open.
    """

    def __init__(
        self,
        name: Callable[[], Path],
        prepare: Callable[["LogFile", int, float], None],
        opening: Opening = Opening(),
    ) -> None:
        self.path = name()
        self.held = self.reached = 0
        self.opened_at = 0.0
        self._name = name
        self._prepare = prepare
        self._opening = opening
        self._is_first = True
        self.outlet = CLOSED
        self.identity = (-1, -1)
        self._is_regular = True
        self._remembers = False
        self._again: list[bytes] = []  # lines of a deleted file
        self._doubtful: list[bytes] = []  # lines since the last look
        self._certain = 0  # how many of them were written before the last look
        self._trusted = 0  # bytes in the file at the last look
        _all.add(self)

    def write(self, line: bytes) -> None:
        """Append a line, or several whole ones; `JSONFileHandler.handle` does the first part of it by itself."""
        now, length = time.time(), len(line)
        outlet = self.outlet

        if self.held + length > outlet.most or not (outlet.since <= now < outlet.until):
            self._prepare(self, length, now)
            outlet = self.outlet

        written = os.write(outlet.number, line)

        if written < length:
            self.write_rest(outlet, line, written)

        self.held += length
        outlet.remembered.append(line)

    def write_rest(self, outlet: Outlet, lines: bytes, written: int) -> None:
        """Go on after a short write (the disk is filling up): other processes may have written in between."""
        self.reached = whole = _whole(lines, written)
        self._end_fragment(outlet.number, lines[whole:written])
        rest = lines[whole:]

        if (written := os.write(outlet.number, rest)) < len(rest):
            whole = _whole(rest, written)
            self.reached += whole
            self._end_fragment(outlet.number, rest[whole:written])
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

        self.reached = 0

    def be_quiet(self, since: float, until: float, most: int = sys.maxsize) -> None:
        """Ask nobody between two unix times, as long as the file does not grow over so many bytes."""
        outlet = self.outlet
        outlet.most = most if self._is_regular else sys.maxsize

        if self._remembers:
            outlet.most = min(outlet.most, self._trusted + _MOST_DOUBT)

        outlet.since, outlet.until = since, until

    @property
    def is_open(self) -> bool:
        """Whether there is a descriptor."""
        return self.outlet is not CLOSED

    @property
    def is_shared(self) -> bool:
        """Whether other processes write to it too."""
        return self._opening.shared

    @property
    def room(self) -> int:
        """Bytes that may follow before anybody has to be asked."""
        return self.outlet.most - self.held if self.outlet.until else 0

    def fileno(self) -> int:
        """Give the descriptor.

        Raises:
            ValueError: the file is not open.
        """
        if not self.is_open:
            raise ValueError("the file is not open")

        return self.outlet.number

    def open(self, now: float) -> None:
        """Open the file that has the name; missing directories are made."""
        self.path = self._name()
        self.path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = self._open()

        try:
            status = os.fstat(descriptor)

            if not status.st_size:
                _dress(self.path, descriptor, status, self._opening)

            if _ends_torn(descriptor):
                os.write(descriptor, b"\n")

            self._write_again(descriptor)
            self.held = self._trusted = _size(descriptor)
        except OSError:
            os.close(descriptor)
            raise

        self.identity = (status.st_dev, status.st_ino)
        self._is_regular = stat.S_ISREG(status.st_mode)
        self.opened_at = status.st_mtime if status.st_size else now
        self._is_first = False
        self._remembers = self.is_shared and self._is_regular
        outlet = Outlet(descriptor)

        if self._remembers:
            self._doubtful = []
            outlet.remembered = self._doubtful

        self.outlet = outlet

    def is_current(self) -> bool:
        """Tell whether the open file still has the name."""
        self._certain = len(self._doubtful)

        try:
            status = os.stat(self._name())  # noqa: PTH116 (on the path of every line, once a second)
        except OSError:
            return False

        return (status.st_dev, status.st_ino) == self.identity

    @property
    def is_doubtful(self) -> bool:
        """Whether so much was written since the last look that it is time for one."""
        return self.held - self._trusted > _MOST_DOUBT

    def trust(self) -> None:
        """Take what was written before `is_current` was asked as being in its place."""
        del self._doubtful[: self._certain]
        self._certain = 0
        self._trusted = self.held

    def measure(self) -> int:
        """Ask for the size of the open file: other processes write to it too."""
        if self.is_open:
            self.held = os.fstat(self.outlet.number).st_size

        return self.held

    def sync(self) -> None:
        """Flush what was written to the device."""
        if self.is_open:
            _sync(self.outlet.number)

    def release(self) -> None:
        """Let go of the file; the next line opens it again."""
        outlet, self.outlet = self.outlet, CLOSED
        self.reached = 0

        if outlet is CLOSED:
            return

        outlet.until = 0.0
        outlet.remembered = Late(outlet.number) if self._remembers else Nothing()
        self._take_deleted(outlet.number)

        if self._opening.synced:
            with suppress(OSError):
                _sync(outlet.number)

    def close(self) -> None:
        """Let go of the file for good: what was written to a deleted one is brought to its place now."""
        self.release()

        if self._again:
            with suppress(OSError):
                self.open(time.time())

            self.release()

    def abandon(self) -> None:
        """Forget the file in the child of a fork, which has no outlet: what was written is the parent's matter."""
        self.outlet = CLOSED
        self._again, self._doubtful = [], []
        self.reached = self._certain = self._trusted = 0

    def _open(self) -> int:
        """Open the file that has the name, and share it."""
        for _ in range(_OPENINGS):
            descriptor = _open_to_append(self.path, self._flags(), self._opening.permissions)

            if not self.is_shared or (share(descriptor) and is_named(descriptor, self.path)):
                return descriptor

            os.close(descriptor)  # rolled over in this moment
            self._is_first = False

        # Somebody else locks or replaces it all the time: lines go on.
        return _open_to_append(self.path, self._flags(), self._opening.permissions)

    def _take_deleted(self, descriptor: int) -> None:
        """Take back the lines since the last look if nobody will find them in the file any more."""
        if self._doubtful and not os.fstat(descriptor).st_nlink:
            self._again += self._doubtful

        self._doubtful = []
        self._certain, self._trusted = 0, self.held

    def _write_again(self, descriptor: int) -> None:
        if not self._again:
            return

        lines = b"".join(self._again)
        written = os.write(descriptor, lines)
        rest = lines[_whole(lines, written) :]
        self._again = [rest] if rest else []

        if rest:
            self._end_fragment(descriptor, lines[len(lines) - len(rest) : written])
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    def _end_fragment(self, descriptor: int, fragment: bytes) -> None:
        """End what a short write left."""
        if fragment and not _end_in_place(self.path, descriptor, fragment):
            os.write(descriptor, b"\n")

    def _flags(self) -> int:
        if not self._is_first:
            return 0

        return (os.O_TRUNC if self._opening.truncate else 0) | (os.O_EXCL if self._opening.exclusive else 0)


def _sync(descriptor: int) -> None:
    getattr(os, "fdatasync", os.fsync)(descriptor)


def _whole(lines: bytes, written: int) -> int:
    """Give the bytes of the lines that are written to their ends."""
    return lines.rfind(b"\n", 0, written) + 1


def _end_in_place(path: Path, descriptor: int, fragment: bytes) -> bool:
    """Write a newline over the last byte of a fragment that was appended this moment; False where that cannot be."""
    try:
        place = os.lseek(descriptor, 0, os.SEEK_CUR) - len(fragment)

        if os.pread(descriptor, len(fragment), place) != fragment:  # another thread has written meanwhile
            return False

        other = os.open(path, os.O_WRONLY)  # one that appends would append this as well
    except (OSError, AttributeError):  # a pipe, a file that cannot be read, no descriptor left, Windows
        return False

    try:
        is_same = os.path.samestat(os.fstat(other), os.fstat(descriptor))  # else it was rolled over in this moment
        return is_same and os.pwrite(other, b"\n", place + len(fragment) - 1) == 1
    except OSError:
        return False
    finally:
        os.close(other)


def _open_to_append(path: Path, flags: int, permissions: int | None) -> int:
    flags |= os.O_APPEND | os.O_CREAT | getattr(os, "O_BINARY", 0)
    mode = 0o666 if permissions is None else permissions

    try:
        return os.open(path, os.O_RDWR | flags, mode)
    except PermissionError:  # a file that may be written and not read: its last byte cannot be looked at
        return os.open(path, os.O_WRONLY | flags, mode)


def _dress(path: Path, descriptor: int, status: os.stat_result, opening: Opening) -> None:
    """Give a new file its permissions and owner; where that is refused it is said: the lines matter more."""
    if sys.platform == "win32":  # it has neither
        return

    try:
        if (opening.user, opening.group) != (-1, -1):
            os.fchown(descriptor, opening.user, opening.group)

        if opening.permissions is not None and status.st_mode & 0o7777 != opening.permissions:
            os.fchmod(descriptor, opening.permissions)
    except OSError as error:
        say(f"JSONFileHandler {path}", f"cannot set permissions, owner or group ({error})", subject="owner")


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

        _await_writer(descriptor)

    return True


def _await_writer(descriptor: int) -> None:
    """Wait until who writes at this moment has written his line."""
    with suppress(AttributeError, OSError):
        # It changes nothing, and waits for the kernel's lock of the file, which a write holds from its first byte on.
        os.posix_fallocate(descriptor, 0, 1)

    time.sleep(_TORN_WAIT_SECONDS)


_all: "WeakSet[LogFile]" = WeakSet()


def _after_fork_in_child() -> None:
    for file in tuple(_all):
        file.abandon()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork_in_child)
