"""Parquet: made as a whole in a temporary file, since its index stands at the end; then sent in pieces.

The events go into a table on the disk first, so that memory stays small.
"""

from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import duckdb

from loghub.hub.export.walk import Export, Found
from loghub.hub.store.columns import JSON_COLUMNS, KEY_COLUMNS
from loghub.hub.store.engine import HotTable

_PIECE = 2**18
_KEYS = ", ".join(f'"{name}"' for name in (*KEY_COLUMNS, *JSON_COLUMNS))
_COPY = f"""
    COPY (
        SELECT source || '-' || printf('%016x', seq) AS _id, make_timestamp(time_us) AS timestamp,
            severity AS levelno, {_KEYS}
        FROM rows
    ) TO '{{target}}' (FORMAT parquet, COMPRESSION zstd, ROW_GROUP_SIZE 20480)
"""  # noqa: S608 (our columns)
_CONFIG: dict[str, str | bool | int | float | list[str]] = {
    "memory_limit": "128MB",
    "threads": "1",
    "autoinstall_known_extensions": "false",
}


def parquet_pieces(export: Export) -> Iterator[bytes]:
    """Give the file, piece by piece; while it is made, empty ones."""
    with TemporaryDirectory(prefix="loghub-export-", dir=export.scratch) as folder:
        target = Path(folder) / "events.parquet"

        with duckdb.connect(Path(folder) / "events.duckdb", config=_CONFIG) as engine:
            table = HotTable(engine, "rows")

            try:
                for rows in export.pages(Found()):
                    table.add(rows)
                    yield b""
            finally:
                table.close()

            engine.execute(_COPY.format(target=str(target).replace("'", "''")))

        with target.open("rb") as file:
            while piece := file.read(_PIECE):
                yield piece
