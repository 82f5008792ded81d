"""The data directory: its layout, its lock and its identity.

```
meta.json          format and epoch
lock               held by the hub that runs; says its process id
marks.json         high-water mark of each source
sources.json       what is known of each source besides
wal/N.ndjson       what is not sealed yet; N is the arrival number it starts with
parts/A-B.duckdb   sealed rows, arrival numbers A to B
damaged/           pieces of the log that could not be read
quarantine.ndjson  lines that are no event
scratch/           the engine's overflow, emptied at start
```
"""

import fcntl
import os
import secrets
import shutil
from dataclasses import dataclass
from pathlib import Path

import orjson

from loghub.errors import DirectoryInUseError, StoreError
from loghub.hub.store.durable import replace_file, sync_directory

FORMAT = 1


@dataclass(frozen=True, slots=True)
class Directory:
    """A data directory that this process holds.

    Attributes:
        root: the directory.
        epoch: random name of the store's life.
        lock: descriptor that holds the lock.
    """

    root: Path
    epoch: str
    lock: int

    @classmethod
    def hold(cls, root: Path) -> "Directory":
        """Lock the directory, made where it is missing, and learn its epoch.

        Raises:
            DirectoryInUseError: another process has it.
            StoreError: it is of another format.
        """
        _make(root)
        lock = _lock(root)

        try:
            epoch = _epoch(root / "meta.json")
        except BaseException:
            os.close(lock)
            raise

        shutil.rmtree(root / "scratch", ignore_errors=True)
        return cls(root, epoch, lock)

    @property
    def wal(self) -> Path:
        """Folder of the log."""
        return self.root / "wal"

    @property
    def parts(self) -> Path:
        """Folder of the sealed rows."""
        return self.root / "parts"

    @property
    def damaged(self) -> Path:
        """Folder of what could not be read."""
        return self.root / "damaged"

    @property
    def marks(self) -> Path:
        """File of the high-water marks."""
        return self.root / "marks.json"

    @property
    def ledger(self) -> Path:
        """File of what is known of the sources."""
        return self.root / "sources.json"

    @property
    def quarantine(self) -> Path:
        """File of the lines that are no event."""
        return self.root / "quarantine.ndjson"

    @property
    def scratch(self) -> Path:
        """Folder for the engine's overflow."""
        return self.root / "scratch"

    def release(self) -> None:
        """Let another hub have it."""
        os.close(self.lock)


def _make(root: Path) -> None:
    try:
        for folder in (root, root / "wal", root / "parts"):
            if not folder.is_dir():
                folder.mkdir(parents=True, mode=0o700)
                sync_directory(folder.parent)

    except OSError as error:
        raise StoreError(
            f"cannot use {root} for data: {error.strerror}: give a directory that can be written"
        ) from error


def _lock(root: Path) -> int:
    fd = os.open(root / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)

    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        owner = os.pread(fd, 20, 0).decode(errors="replace").strip() or "unknown"
        os.close(fd)
        raise DirectoryInUseError(root, owner) from None

    os.ftruncate(fd, 0)
    os.pwrite(fd, f"{os.getpid()}\n".encode(), 0)
    return fd


def _epoch(path: Path) -> str:
    if not path.exists():
        epoch = secrets.token_hex(8)
        replace_file(path, orjson.dumps({"format": FORMAT, "epoch": epoch}, option=orjson.OPT_APPEND_NEWLINE))
        return epoch

    try:
        meta = orjson.loads(path.read_bytes())
        found, epoch = meta["format"], str(meta["epoch"])
    except (ValueError, TypeError, KeyError) as error:
        raise StoreError(f"{path} cannot be read: restore it, or give the hub an empty directory") from error

    if found != FORMAT:
        raise StoreError(
            f"{path} has format {found!r}, this loghub reads {FORMAT}: upgrade loghub, or use another directory"
        )

    return epoch
