"""A store that nobody asks gives memory back: blocks of sealed files that the engine keeps for the next question."""

from contextlib import suppress

import duckdb

from loghub.hub.store.engine import Cursor
from loghub.hub.store.queries import Queries

QUIET_S = 30.0
_LITTLE = "64MB"


class Rest:
    """Gives the engine's memory back, once in each time without questions.

    Args:
        engine: whose memory.
        queries: the questions.
        memory_limit: of the engine, as DuckDB writes it.
    """

    def __init__(self, engine: Cursor, queries: Queries, memory_limit: str) -> None:
        self._engine, self._queries, self._memory_limit = engine, queries, memory_limit
        self._rested = 0

    def take(self) -> bool:
        """Give memory back where nothing was asked for `QUIET_S`; tell whether it did."""
        asked = self._queries.asked

        if asked == self._rested or self._queries.quiet_s() < QUIET_S:
            return False

        self._rested = asked
        self.let_go()
        return True

    def let_go(self) -> None:
        """Give memory back; rows in memory may go to the scratch folder, too, and come back when they are read."""
        with self._engine.cursor() as cursor:
            try:
                with suppress(duckdb.Error):  # who needs more at this moment keeps it
                    cursor.execute(f"SET memory_limit = '{_LITTLE}'")
            finally:
                cursor.execute(f"SET memory_limit = '{self._memory_limit}'")
