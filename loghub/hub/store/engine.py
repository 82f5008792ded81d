"""The engine: one DuckDB database in memory, to which sealed files are attached.

Every thread works on a cursor of its own. Nothing is ever loaded from the network.
"""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, TypeAlias

import duckdb
import orjson

from loghub.event.model import LEVELS
from loghub.hub.store.arrow import Chunk, Door
from loghub.hub.store.blocks import COLUMNS as INCOMING
from loghub.hub.store.columns import COLUMNS, DERIVED_COLUMNS, KEY_COLUMNS

Cursor: TypeAlias = duckdb.DuckDBPyConnection
Row: TypeAlias = tuple[object, ...]


def quoted(columns: Iterable[str]) -> str:
    """Give columns as the list of a SELECT."""
    return ", ".join(f'"{name}"' for name in columns)


SELECTED = quoted(COLUMNS)
"""All columns, as the list of a SELECT."""

_TABLE = ", ".join(f'"{name}" {kind}' for name, kind in COLUMNS.items())


def open_engine(scratch: Path, memory_limit: str) -> Cursor:
    """Open the database.

    Args:
        scratch: where it may put what does not fit into memory.
        memory_limit: as DuckDB writes it; without one, the buffers grow with the data.
    """
    return duckdb.connect(
        ":memory:",
        config={
            "checkpoint_threshold": _NEVER,
            # Else what a merge has used stays with the process: 275 MB after one of 250,000 rows, not 120.
            "allocator_background_threads": "true",
            "autoinstall_known_extensions": "false",
            "autoload_known_extensions": "false",
            "memory_limit": memory_limit,
            "temp_directory": str(scratch),
            "threads": "2",
        },
    )


_NEVER = "1TB"
"""A checkpoint of what is in memory would stop the writer for a quarter of a second; a sealed file's is asked for."""


def is_damage(error: duckdb.Error) -> bool:
    """Tell whether the engine says that a file's bytes are not those that it wrote."""
    return isinstance(error, _DAMAGES) or any(words in str(error) for words in _DAMAGE_WORDS)


def is_unreadable(error: duckdb.Error) -> bool:
    """Tell whether the engine cannot read a file: damaged, or the disk fails."""
    return is_damage(error) or isinstance(error, duckdb.IOException)


_DAMAGES = (duckdb.SerializationException,)
_DAMAGE_WORDS = ("Corrupt database file", "not a valid DuckDB database file", "Could not read enough bytes")
"""A wrong checksum has the parent of all errors as its type."""


_READ = ("timestamp", *KEY_COLUMNS, *DERIVED_COLUMNS)
_KINDS = orjson.dumps({key: COLUMNS.get(key, "VARCHAR") for key in _READ}).decode()
_SEVERITIES = " ".join(f"WHEN '{level}' THEN {number}" for level, number in LEVELS.items())
_VALUES = {
    "time_us": "epoch_us(head.timestamp::TIMESTAMP)",
    "severity": f"CASE head.level {_SEVERITIES} END",
    **{key: f'head."{key}"' for key in _READ},
    "exception": "nullif(exception, '')",
    "attributes": "free",
}
_NAMES = ", ".join(INCOMING)
_NOTHING = f"SELECT {', '.join('NULL' for _ in INCOMING)} FROM pragma_version() WHERE library_version = ''"  # noqa: S608 (our own)
"""A source that cannot be read in parts keeps the engine from making a table of its own in each thread, which it would
then copy: that doubles the CPU of an insert. Prepared, an insert of 500 rows takes less than half the time."""

_ROWS = f"""
SELECT {", ".join(_VALUES.get(name, name) for name in COLUMNS)}
FROM (SELECT * REPLACE (from_json(head, '{_KINDS}') AS head) FROM (SELECT {_NAMES} FROM incoming UNION ALL {_NOTHING}))
"""  # noqa: S608 (our own)


class HotTable:
    """A table in memory that takes rows in batches, as tuples or as lines in parts.

    A row took 1 to 2 µs as a line in parts, 7.4 by the appender, 19 as unnested lists, 280 as parameters.
    """

    def __init__(self, engine: Cursor, name: str) -> None:
        self._cursor = engine.cursor()
        self._cursor.execute(f"CREATE OR REPLACE TABLE {name} ({_TABLE})")  # an attempt that failed may have left one
        self._appender: Any = self._cursor.appender(name)
        self._incoming = Door(INCOMING)
        self.name = name

        with self._incoming.bring(()):
            self._cursor.register("incoming", self._incoming)
            self._cursor.execute(f"PREPARE put AS INSERT INTO {name} {_ROWS}")

    def add(self, rows: Sequence[Row], chunk: Chunk | None = None) -> None:
        """Add rows and lines, all or none; readers see them when this returns."""
        self._cursor.begin()  # the appender flushes by itself in between

        try:
            if rows:
                self._appender.append_rows(rows)
                self._appender.flush()

            if chunk:
                self._insert(chunk)

            self._cursor.commit()
        except BaseException:
            self._appender.clear()  # else the next flush would bring half of them
            self._cursor.rollback()
            raise

    def _insert(self, chunk: Chunk) -> None:
        with self._incoming.bring([chunk]):
            added = self._cursor.execute("EXECUTE put").fetchall()

        if added != [(chunk.size,)]:
            raise duckdb.InternalException(f"not all rows were inserted into {self.name}")

    def drop(self) -> None:
        """Give the memory back."""
        self._appender = None
        self._cursor.execute(f"DROP TABLE IF EXISTS {self.name}")
        self.close()

    def close(self) -> None:
        """Let go of the table; idempotent."""
        self._appender = None
        self._cursor.close()
