"""Sealing: rows go to a file of their own, in time order, and are never changed again.

Rules:
1. A file is written under a temporary name, checkpointed, synced, renamed, and its directory synced.
   So a file under its real name is whole, and leftovers of temporary names are removed at start.
2. The real name (`part_name`) says which arrival numbers are inside: frames of the log with these are not read again.
3. Each step may fail or be the last one before a crash; doing all of them again is always right.
"""

import logging
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import TypeAlias

import duckdb

from loghub.hub.store.durable import sync_directory, sync_file
from loghub.hub.store.engine import Cursor
from loghub.hub.store.part_file import attach, outline_of, read_extent, read_shape, write_file
from loghub.hub.store.part_name import PartName, remove_drafts
from loghub.hub.store.partitions import Part

OnStep: TypeAlias = Callable[[str], None]
"""Called with the name of each step that is done; tests stop there."""

STEPS = ("written", "synced", "renamed", "named", "attached", "marked", "dropped")

_MUCH = "2GB"  # 250 MB of lines of 200 kB took more than 730 MB
_logger = logging.getLogger(__name__)


def write_part(cursor: Cursor, hot: Part, folder: Path, on_step: OnStep) -> Path:
    """Write the rows of a hot part to a file.

    Raises:
        OSError: the disk refused.
        duckdb.Error: the engine did; for a full disk too.
    """
    hot.settle()
    path = folder / str(PartName(hot.extent.first, hot.extent.last))
    select = f"SELECT * FROM {hot.table} WHERE arrival <= ?"  # noqa: S608 (our own name)
    write_rows(cursor, select, [hot.extent.last], path, on_step)
    return path


def write_rows(cursor: Cursor, select: str, values: Sequence[object], path: Path, on_step: OnStep) -> None:
    """Write rows to a file, whole and durable under its name; raises as `write_part`.

    Args:
        cursor: of the engine.
        select: gives the rows.
        values: the values of its `?`.
        path: the file; one of that name is replaced.
        on_step: called with the name of each step.
    """
    draft = path.with_suffix(".tmp")
    remove_drafts(path.parent)

    try:
        _write(cursor, select, values, draft)
        on_step("written")
        sync_file(draft)
        on_step("synced")
        draft.replace(path)
    except BaseException:
        with suppress(OSError):
            remove_drafts(path.parent)  # on a full disk, it takes the room that the log needs

        raise

    on_step("renamed")
    sync_directory(path.parent)
    on_step("named")


def _write(cursor: Cursor, select: str, values: Sequence[object], draft: Path) -> None:
    """Write the file; rows too long to be sorted in the engine's memory get more of it: they must not stay for ever."""
    try:
        write_file(cursor, select, values, draft)
    except duckdb.OutOfMemoryException:
        remove_drafts(draft.parent)
        ((usual,),) = cursor.execute("SELECT current_setting('memory_limit')").fetchall()
        cursor.execute(f"SET memory_limit = '{_MUCH}'")

        try:
            write_file(cursor, select, values, draft)
        finally:
            cursor.execute(f"SET memory_limit = '{usual}'")


def open_part(engine: Cursor, path: Path) -> Part:
    """Attach a sealed file for reading.

    Raises:
        duckdb.Error: the file cannot be read.
    """
    named = PartName.of(path) or PartName(0, 0)

    with engine.cursor() as cursor:
        name = attach(cursor, path, options="(READ_ONLY)")

        try:
            extent = read_extent(cursor, name, named.first, named.last)
            shape, outline = read_shape(cursor, name), outline_of(cursor, name)
        except duckdb.Error:
            cursor.execute(f"DETACH {name}")
            raise

    return Part(f"{name}.rows", extent, partial(_detach, engine, name), path, path.stat().st_size, shape, outline)


def _detach(engine: Cursor, name: str) -> None:
    """Let go of a file; where it has lost its name, its space is free now."""
    try:
        with engine.cursor() as cursor:
            cursor.execute(f"DETACH {name}")
    except duckdb.Error as error:
        _logger.warning("cannot let go of %s: %s", name, error)
