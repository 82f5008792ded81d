"""Sealing: rows of a hot part go to a file of their own, in time order, and are never changed again.

Rules:
1. A file is written under a temporary name, checkpointed, synced, renamed, and its directory synced.
   So a file under its real name is whole, and leftovers of temporary names are removed at start.
2. The real name says which arrival numbers are inside: frames of the log with these are not read again.
3. Each step may fail or be the last one before a crash; doing all of them again is always right.
"""

import logging
import re
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import TypeAlias

import duckdb

from loghub.hub.store.durable import sync_directory, sync_file
from loghub.hub.store.engine import Cursor
from loghub.hub.store.part_file import attach, read_extent, read_shape, write_file
from loghub.hub.store.partitions import Part

OnStep: TypeAlias = Callable[[str], None]
"""Called with the name of each step that is done; tests stop there."""

STEPS = ("written", "synced", "renamed", "named", "attached", "marked", "dropped")

_NAME = re.compile(r"([0-9]{16})-([0-9]{16})\.duckdb")
_logger = logging.getLogger(__name__)


def write_part(cursor: Cursor, hot: Part, folder: Path, on_step: OnStep) -> Path:
    """Write the rows of a hot part to a file.

    Raises:
        OSError: the disk refused.
        duckdb.Error: the engine did; for a full disk too.
    """
    path = folder / f"{hot.extent.first:016d}-{hot.extent.last:016d}.duckdb"
    draft = path.with_suffix(".tmp")
    remove_drafts(folder)
    write_file(cursor, f"SELECT * FROM {hot.table} WHERE arrival <= ?", [hot.extent.last], draft)  # noqa: S608 (our own name)
    on_step("written")
    sync_file(draft)
    on_step("synced")
    draft.replace(path)
    on_step("renamed")
    sync_directory(folder)
    on_step("named")
    return path


def open_part(engine: Cursor, path: Path) -> Part:
    """Attach a sealed file for reading.

    Raises:
        duckdb.Error: the file cannot be read.
    """
    first, last = arrivals(path) or (0, 0)

    with engine.cursor() as cursor:
        name = attach(cursor, path, options="(READ_ONLY)")

        try:
            extent, shape = read_extent(cursor, name, first, last), read_shape(cursor, name)
        except duckdb.Error:
            cursor.execute(f"DETACH {name}")
            raise

    return Part(f"{name}.rows", extent, partial(_remove, engine, name, path), path, path.stat().st_size, shape)


def _remove(engine: Cursor, name: str, path: Path) -> None:
    """Give a file's space back: detach and unlink."""
    try:
        with engine.cursor() as cursor:
            cursor.execute(f"DETACH {name}")

        path.unlink(missing_ok=True)
        sync_directory(path.parent)
    except (duckdb.Error, OSError) as error:
        _logger.warning("cannot remove %s: %s; the next start tries again", path, error)


def arrivals(path: Path) -> tuple[int, int] | None:
    """Read which arrival numbers a sealed file has from its name; None for another file."""
    match = _NAME.fullmatch(path.name)
    return (int(match[1]), int(match[2])) if match else None


def sealed_files(folder: Path) -> Iterator[Path]:
    """Give the sealed files, in order of arrival."""
    return (path for path in sorted(folder.iterdir()) if arrivals(path))


def remove_drafts(folder: Path) -> None:
    """Remove what an earlier attempt left."""
    for path in folder.iterdir():
        if path.name.endswith((".tmp", ".tmp.wal")):
            path.unlink()
