"""Compress the segments of a log, so that a crash at any step leaves every line readable exactly once.

Steps, for one segment at a time:
1. Take the segment alone (`hold.py`): no process writes to it any more. One that is held has to wait.
2. Take the hidden file alone that all processes compress this log's segments under: one does so at a time.
   What a crash left in it is overwritten.
3. Write the compressed lines into it, with the segment's owner, permissions and time, and sync it.
4. Give it the segment's name with `.gz` or `.zst` behind, and sync the directory.
5. Delete the other forms of the segment, the plain one last.

A crash before 4 leaves the plain segment; between 4 and 5 both are there, whole, and readers take the plain one
(`segments.py`). The next pass does it all again and ends with one file. A refusal of the disk leaves the plain one.
"""

import gzip
import os
import shutil
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, BinaryIO

from loghub.errors import require
from loghub.handlers.hold import alone, let_go
from loghub.options import choice
from loghub.segments import FORMS, Segment, compressing, segments

_CHUNK = 256 * 1024
_FORMS = {"gz": ".gz", "zst": ".zst"}


def parse_compression(value: object, owner: str) -> str:
    """Read the option `compress`: gz or zst, or None; give what stands behind a segment's name then.

    Raises:
        ConfigError: it is none of these.
        MissingExtraError: zst without the package zstandard.
    """
    if value is None:
        return ""

    form = choice(value, owner, "compress", _FORMS)

    if form == ".zst":
        require("zstandard", f"{owner}: compress=zst", "zst")

    return form


def compress_all(log: Path, form: str) -> bool:
    """Compress every segment of a log that nobody holds; tell whether some had to wait.

    Raises:
        OSError: the disk refused; what is compressed by then is.
    """
    waits = False

    for segment in segments(log):
        if not segment.form and not _is_compressed(log, segment, form):
            waits = True  # the others are done nevertheless

    return waits


def remove_leftover(log: Path) -> None:
    """Remove what a crash has left half compressed, where nothing is compressed any more."""
    with suppress(OSError), alone(compressing(log)) as target:
        if target is not None:
            compressing(log).unlink()


def _is_compressed(log: Path, segment: Segment, form: str) -> bool:
    """Compress a segment, unless it is held, or another process is at work."""
    try:
        with alone(segment.path) as source:
            if source is None:
                return False

            with alone(compressing(log), create=0o600) as target:
                if target is None:
                    return False

                _write(source, target, form)

                if sys.platform == "win32":  # what is open there cannot be renamed or deleted
                    let_go(source)
                    let_go(target)

                _put_in_place(log, segment, form)
    except FileNotFoundError:  # retention was faster, or another process
        return not segment.path.exists()
    except OSError:
        remove_leftover(log)  # a full disk needs the room
        raise

    return True


def _write(source: int, target: int, form: str) -> None:
    os.ftruncate(target, 0)

    with open(source, "rb", closefd=False) as lines, open(target, "wb", closefd=False) as file:
        with _WRITERS[form](file) as writer:
            shutil.copyfileobj(lines, writer, _CHUNK)

        file.flush()

    _copy_status(os.fstat(source), target)
    os.fsync(target)


def _gzip_writer(file: BinaryIO) -> gzip.GzipFile:
    return gzip.GzipFile(filename="", mode="wb", compresslevel=6, fileobj=file)


def _zst_writer(file: BinaryIO) -> Any:  # noqa: ANN401 (a class of the extra)
    return require("zstandard", "compress=zst", "zst").ZstdCompressor().stream_writer(file, closefd=False)


_WRITERS: dict[str, Callable[[BinaryIO], Any]] = {".gz": _gzip_writer, ".zst": _zst_writer}


def _copy_status(status: os.stat_result, target: int) -> None:
    """Give owner, permissions and time on, as far as this user may."""
    if sys.platform == "win32":
        return

    with suppress(OSError):
        os.fchown(target, status.st_uid, status.st_gid)

    with suppress(OSError):
        os.fchmod(target, status.st_mode & 0o777)

    with suppress(OSError):
        os.utime(target, ns=(status.st_atime_ns, status.st_mtime_ns))


def _put_in_place(log: Path, segment: Segment, form: str) -> None:
    plain = segment.plain
    final = plain.with_name(plain.name + form)
    compressing(log).replace(final)
    _sync(log.parent)

    for other in FORMS[::-1]:  # the plain one, which is what is read, goes last
        if other != form:
            plain.with_name(plain.name + other).unlink(missing_ok=True)


def _sync(folder: Path) -> None:
    """Make the new name durable before the old one goes."""
    if sys.platform == "win32":
        return

    descriptor = os.open(folder, os.O_RDONLY)

    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
