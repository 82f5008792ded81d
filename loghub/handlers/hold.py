"""Who holds a file: its writers share a lock on it; who compresses or deletes it takes the lock alone.

Rules:
1. The lock is the kernel's, on the open file. A forked child that has inherited the descriptor holds it too, and
   it is freed when the last descriptor is closed, however its owner dies. A line costs nothing for it.
2. A writer takes its share after it has opened the file, and then looks whether the name is still that file's.
   If it is, whoever compresses the file later finds the share; if not, the file was rolled over and is opened anew.
3. Who wants a file alone never waits, and looks at the name too: another one may have been faster.
4. What was taken alone is let go of explicitly, and closed in the child of a fork: a descriptor that was
   inherited in that moment must not hold the lock for the child's life.
5. Where a file system or a platform has no such locks a share is nothing, and whoever asks to be alone is told why.
"""

import errno
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

if sys.platform != "win32":
    import fcntl

_NO_LOCKS = frozenset((errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP))
_OURS = getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0)

_alone: set[int] = set()


class NoLocksError(OSError):
    """The file system knows no locks."""


def share(descriptor: int) -> bool:
    """Share the file with its other writers; False where somebody has it alone, so that it is no log any more."""
    if sys.platform == "win32":  # an open file is neither renamed nor deleted there
        return True

    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:
        return True

    return True


@contextmanager
def alone(path: Path, *, create: int | None = None) -> Iterator[int | None]:
    """Give a descriptor of a file that nobody else holds, or None.

    Args:
        path: the file; a symbolic link is not followed.
        create: permissions with which it is made where it is missing; it is not made by default.

    Raises:
        NoLocksError: that cannot be known here.
        OSError: the file cannot be opened.
    """
    descriptor = _open(path, create)
    _alone.add(descriptor)

    try:
        yield descriptor if _lock(descriptor) and is_named(descriptor, path) else None
    finally:
        let_go(descriptor)


def let_go(descriptor: int) -> None:
    """Free a file that was taken alone; doing so twice does no harm."""
    if descriptor not in _alone:
        return

    _alone.discard(descriptor)

    with suppress(OSError):
        if sys.platform != "win32":
            fcntl.flock(descriptor, fcntl.LOCK_UN)

        os.close(descriptor)


def is_named(descriptor: int, path: Path) -> bool:
    """Tell whether a name is an open file's."""
    try:
        there = os.stat(path)  # noqa: PTH116 (as fast as it goes)
    except OSError:
        return False

    return os.path.samestat(os.fstat(descriptor), there)


def _open(path: Path, create: int | None) -> int:
    flags = _OURS if create is None else _OURS | os.O_CREAT

    for access in (os.O_RDWR, os.O_RDONLY):  # a network file system locks only what may be written
        with suppress(PermissionError):
            return os.open(path, access | flags, create or 0)

    return os.open(path, os.O_WRONLY | flags, create or 0)


def _lock(descriptor: int) -> bool:
    if sys.platform == "win32":
        return True

    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError as error:
        if error.errno in _NO_LOCKS:
            raise NoLocksError(error.errno, "the file system has no locks") from error

        raise

    return True


def _after_fork_in_child() -> None:
    """Close what the parent holds alone; its locks are its own."""
    for descriptor in tuple(_alone):
        with suppress(OSError):
            os.close(descriptor)

    _alone.clear()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork_in_child)
