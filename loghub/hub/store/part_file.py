"""What a sealed file contains: a database that is written once and then only read.

```
rows      the columns of `COLUMNS` and those of promoted keys, in time order
extent    one row: how many there are, and what they cover
values    (and filter) the outline
keys      the keys of the attributes; those that are promoted with their columns; NULL says that there are others
```

Files of an older loghub have the first two only.

Rules:
1. A column without any value is not sorted and not outlined, only there. To leave it out, and let each query have it
   as NULL, would save more, and cost each query a third of a millisecond for each file.
2. The JSON of the attributes is compressed by zstd: that takes two thirds of the time and five sixths of the room of
   what the engine would choose. The engine chooses for the others, for messages since these are searched as a whole.
"""

import os
from collections.abc import Sequence
from itertools import count
from pathlib import Path

from loghub.hub.store.columns import COLUMNS, PLACE_COLUMNS
from loghub.hub.store.engine import Cursor, quoted
from loghub.hub.store.outline import NOTHING_KNOWN, Outline
from loghub.hub.store.outline_file import read_outline, write_outline
from loghub.hub.store.partitions import Extent
from loghub.hub.store.promotion import Key, column_types, correct, find_keys, with_columns
from loghub.hub.store.shape import UNKNOWN, Promoted, Shape

_SORTED = "SELECT {columns} FROM ({select}) ORDER BY time_us, source, seq"
_COUNTS = ", ".join(f'count("{column}")' for column in COLUMNS)
_PRESENT = f"SELECT count(*), {_COUNTS} FROM ({{select}})"  # noqa: S608 (our columns)
_ALWAYS = frozenset((*PLACE_COLUMNS, "attributes"))
_COMPRESSED = {"attributes": "zstd"}
_ROWS = "CREATE TABLE {name}.rows ({columns})"
_ADD_ROWS = "INSERT INTO {name}.rows ({columns}) {select}"
_EXTENT = (
    "CREATE TABLE {name}.extent AS SELECT count(*) AS count, min(time_us) AS min_us, max(time_us) AS max_us,"
    " max(received_us) AS received_us FROM {name}.rows"
)
_READ_EXTENT = "SELECT count, min_us, max_us, received_us FROM {name}.extent"
_KEYS = "CREATE TABLE {name}.keys (key VARCHAR, number BIGINT, column_name VARCHAR, kind VARCHAR)"
_ADD_KEYS = "INSERT INTO {name}.keys SELECT unnest(?), unnest(?), unnest(?), unnest(?)"
_READ_KEYS = "SELECT key, column_name, kind FROM {name}.keys"
_numbers = count(1)


def write_file(cursor: Cursor, select: str, values: Sequence[object], path: Path) -> None:
    """Write a file; syncing it is left to the caller.

    Args:
        cursor: of the engine.
        select: gives the rows, with at least the columns of `COLUMNS`.
        values: the values of its `?`.
        path: the file, which is not there yet.

    Raises:
        duckdb.Error: the engine cannot; for a full disk too.
    """
    name = attach(cursor, path)

    try:
        fill(cursor, name, select, values)
        cursor.execute(f"CHECKPOINT {name}")
    finally:
        cursor.execute(f"DETACH {name}")


def fill(cursor: Cursor, name: str, select: str, values: Sequence[object]) -> None:
    """Fill an attached, empty database from a SELECT over the columns; it is run several times."""
    rows, *counts = cursor.execute(_PRESENT.format(select=select), values).fetchall()[0]
    present = [column for column, count in zip(COLUMNS, counts, strict=True) if count or column in _ALWAYS]
    keys, complete = find_keys(cursor, select, values, rows)
    _write_rows(cursor, name, _SORTED.format(columns=quoted(present), select=select), values, present, keys)
    keys = correct(cursor, f"{name}.rows", keys)
    cursor.execute(_EXTENT.format(name=name))
    _write_keys(cursor, name, keys, complete=complete)
    write_outline(cursor, name, present, keys)


def _write_rows(
    cursor: Cursor, name: str, ordered: str, values: Sequence[object], present: Sequence[str], keys: Sequence[Key]
) -> None:
    promoted = column_types(keys)
    columns = ", ".join(
        f'"{column}" {kind}' + (f" USING COMPRESSION {_COMPRESSED[column]}" if column in _COMPRESSED else "")
        for column, kind in (COLUMNS | promoted).items()
    )
    cursor.execute(_ROWS.format(name=name, columns=columns))
    wide, pointers = with_columns(ordered, present, keys)
    filled = quoted((*present, *promoted))
    cursor.execute(_ADD_ROWS.format(name=name, columns=filled, select=wide), [*pointers, *values])


def _write_keys(cursor: Cursor, name: str, keys: Sequence[Key], *, complete: bool) -> None:
    cursor.execute(_KEYS.format(name=name))
    table: list[tuple[object, ...]] = [
        (key.name, key.count, key.promoted and key.promoted.column, key.promoted and key.promoted.kind) for key in keys
    ]
    table += () if complete else [(None, 0, None, None)]

    if table:
        cursor.execute(_ADD_KEYS.format(name=name), [list(column) for column in zip(*table, strict=True)])


def attach(cursor: Cursor, path: Path, *, options: str = "") -> str:
    """Attach a file; gives its name in the engine."""
    name = f"part_{next(_numbers)}"
    quoted = os.fspath(path.absolute()).replace("'", "''")
    cursor.execute(f"ATTACH '{quoted}' AS {name} {options}")
    return name


def read_extent(cursor: Cursor, name: str, first: int, last: int) -> Extent:
    """Read what an attached file covers, the arrival numbers `first` to `last` being known."""
    row = cursor.execute(_READ_EXTENT.format(name=name)).fetchone()
    return Extent(first, last, *(row or (0, 0, 0, 0)))


def read_shape(cursor: Cursor, name: str) -> Shape:
    """Read which keys an attached file has."""
    if not _has(cursor, name, "keys"):
        return UNKNOWN

    rows = cursor.execute(_READ_KEYS.format(name=name)).fetchall()
    known = {key: Promoted(column, kind) if column else None for key, column, kind in rows}
    return Shape({key: promoted for key, promoted in known.items() if key is not None}, complete=None not in known)


def outline_of(cursor: Cursor, name: str) -> Outline:
    """Read the outline of an attached file."""
    return read_outline(cursor, name) if _has(cursor, name, "filter") else NOTHING_KNOWN


def _has(cursor: Cursor, name: str, table: str) -> bool:
    sql = "SELECT 1 FROM duckdb_tables() WHERE database_name = ? AND table_name = ?"
    return cursor.execute(sql, [name, table]).fetchone() is not None
