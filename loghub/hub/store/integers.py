"""Counts of the integers of one field, over the parts.

They stay integers until those of all parts are added up, which takes a quarter of the time that texts take.

Rules:
1. The rows of a part are copied into a temporary table, and added up together at the end. Once there are many,
   they are added up in between, so that the table holds few more rows than there are values.
2. What other parts have of the field as texts is added to the texts of the integers, so `7` and `"7"` are one value.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from loghub.hub.store.engine import Cursor

MOST_COPIED = 2_000_000

_TABLE = "CREATE OR REPLACE TEMP TABLE {name} (value BIGINT, number BIGINT)"
_COPY = "INSERT INTO {name} SELECT {column}, 1 FROM {table} WHERE {column} IS NOT NULL AND {where}"
_SUM = "CREATE OR REPLACE TEMP TABLE {name} AS SELECT value, sum(number)::BIGINT AS number FROM {name} GROUP BY value"
_LARGEST = (
    "SELECT value::VARCHAR AS text, number FROM {name} WHERE number >= ("
    "SELECT min(number) FROM (SELECT number FROM {name} ORDER BY number DESC LIMIT ?))"
    " ORDER BY number DESC, text LIMIT ?"
)
_DISTINCT = "SELECT count(*) FROM {name}"


@dataclass(slots=True)
class Integers:
    """The integers of a field.

    Attributes:
        index: of the field.
        copied: rows that were copied since the last sum.
    """

    index: int
    copied: int = 0

    @property
    def name(self) -> str:
        """The table."""
        return f"integers_{self.index}"

    def begin(self, cursor: Cursor) -> None:
        """Make the table."""
        cursor.execute(_TABLE.format(name=self.name))

    def copy_sql(self, column: str, table: str, where: str) -> str:
        """Give the SQL that copies a part's values; its answer is their number."""
        return _COPY.format(name=self.name, column=column, table=table, where=where)

    def note(self, cursor: Cursor, number: int) -> None:
        """Note that so many were copied."""
        self.copied += number

        if self.copied > MOST_COPIED:
            self.add_up(cursor)

    def add_up(self, cursor: Cursor) -> None:
        """Make one row of each value."""
        cursor.execute(_SUM.format(name=self.name))
        self.copied = 0

    def texts_sql(self) -> str:
        """Give the SQL of the texts with their numbers."""
        return f"SELECT value::VARCHAR AS value, number FROM {self.name}"  # noqa: S608 (our own name)

    def largest(self, cursor: Cursor, limit: int) -> tuple[int, Sequence[tuple[str, int]]]:
        """Give how many values there are, and the most frequent; after `add_up`."""
        found = cursor.execute(_LARGEST.format(name=self.name), [limit, limit]).fetchall()
        ((distinct,),) = cursor.execute(_DISTINCT.format(name=self.name)).fetchall()
        return distinct, found
