"""What a sealed file contains: a database that is written once and then only read.

```
rows      the columns of `COLUMNS`, in time order
extent    one row: how many there are, and what they cover
```
"""

import os
from collections.abc import Sequence
from itertools import count
from pathlib import Path

from loghub.hub.store.engine import SELECTED, Cursor
from loghub.hub.store.partitions import Extent

_ROWS = "CREATE TABLE {name}.rows AS SELECT {columns} FROM ({select}) ORDER BY time_us, source, seq"
_EXTENT = (
    "CREATE TABLE {name}.extent AS SELECT count(*) AS count, min(time_us) AS min_us, max(time_us) AS max_us,"
    " max(received_us) AS received_us FROM {name}.rows"
)
_READ_EXTENT = "SELECT count, min_us, max_us, received_us FROM {name}.extent"
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
    """Fill an attached, empty database from a SELECT over the columns."""
    cursor.execute(_ROWS.format(name=name, columns=SELECTED, select=select), values)
    cursor.execute(_EXTENT.format(name=name))


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
