"""Who owns an incarnation's directory: who holds the lock on its LOCK file. The kernel frees it when its owner dies.

A process id says nothing: it is given again, and means another thing in another container.
"""

import json
import os
import shutil
import sys
import time
from contextlib import suppress
from dataclasses import asdict, dataclass, fields
from pathlib import Path

if sys.platform == "win32":
    import msvcrt
else:
    import fcntl

VERSION = 1
_LOCK = "LOCK"
_META = "meta.json"
_STALE = 3600.0  # seconds; making one takes a millisecond


@dataclass(frozen=True, slots=True)
class Meta:
    """What an incarnation says of itself.

    Attributes:
        source: the id under which its records are sent.
        destination: the address that they were meant for.
        send: whether its own process sends; otherwise `loghub ship` does.
        version: of the format.
    """

    source: str
    destination: str
    send: bool = True
    version: int = VERSION


class Claim:
    """The lock of a directory, held.

    Attributes:
        folder: the directory.
    """

    def __init__(self, folder: Path, descriptor: int) -> None:
        self.folder = folder
        self._descriptor = descriptor

    def release(self) -> None:
        """Let go: the directory may be taken over. In a child of a fork this closes a copy and releases nothing."""
        descriptor, self._descriptor = self._descriptor, -1

        if descriptor >= 0:
            with suppress(OSError):
                os.close(descriptor)

    def remove(self) -> None:
        """Delete the directory with what is left in it, the lock last."""
        for path in self.folder.iterdir():
            if path.name != _LOCK:
                path.unlink()

        (self.folder / _LOCK).unlink()
        self.folder.rmdir()
        self.release()


def found(root: Path, meta: Meta) -> Claim:
    """Make a directory that is owned from the moment it has its name.

    Raises:
        OSError: there is no room, or no right.
    """
    folder = root / f".{meta.source}"
    folder.mkdir(mode=0o700, parents=True)
    descriptor = -1

    try:
        descriptor = os.open(folder / _LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        _lock(descriptor)
        (folder / _META).write_text(json.dumps(asdict(meta)) + "\n")
        folder.rename(root / meta.source)
    except OSError:
        Claim(folder, descriptor).release()
        shutil.rmtree(folder, ignore_errors=True)
        raise

    return Claim(root / meta.source, descriptor)


def claim(folder: Path) -> Claim | None:
    """Take the directory of a process that is dead; None where its owner lives or somebody was faster."""
    try:
        descriptor = os.open(folder / _LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError:
        return None

    try:
        _lock(descriptor)
        same = os.path.samestat(os.fstat(descriptor), (folder / _LOCK).stat())
    except OSError:
        same = False

    if same:
        return Claim(folder, descriptor)

    os.close(descriptor)
    return None


def sweep(root: Path) -> None:
    """Delete directories that a crash has left half made: they have no name yet, and never held a record."""
    for folder in root.glob(".*"):
        with suppress(OSError):
            if time.time() - folder.stat().st_mtime > _STALE:
                shutil.rmtree(folder)


def read_meta(folder: Path) -> Meta:
    """Read what an incarnation says of itself; where that is damaged, its name says enough."""
    try:
        said = json.loads((folder / _META).read_text())
        known = {field.name for field in fields(Meta)}
        meta = Meta(**{name: value for name, value in said.items() if name in known})
    except (OSError, ValueError, TypeError, AttributeError):
        return Meta(folder.name, "")

    return meta if meta.source == folder.name and isinstance(meta.version, int) else Meta(folder.name, "")


def _lock(descriptor: int) -> None:
    if sys.platform == "win32":
        msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
    else:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
