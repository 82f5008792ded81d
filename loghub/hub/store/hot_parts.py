"""The hot parts: one that takes what comes, and those that were cut off and wait to be sealed.

Rules:
1. A part that is large or old enough is cut off, and a new one takes what comes. The first event of a part
   begins its age.
2. While sealing lags, none is cut off and the last one grows: a few parts to seal at a time. At `_MOST` times
   the size of a part they are together too many to take more.
3. Whoever changes them holds the store's write lock.
"""

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import duckdb

from loghub.hub.store.engine import Cursor
from loghub.hub.store.hot import Hot
from loghub.hub.store.partitions import Parts

_MOST = 4  # hot rows at most, in seal sizes
_SMALL_SEAL = 200_000  # a smaller seal size counts as this one there: bursts are larger
_SMALL_SEAL_BYTES = 64_000_000
_MOST_WAITING = 2  # hot parts cut off and not sealed yet


@dataclass(frozen=True, slots=True)
class Due:
    """When a hot part is sealed.

    Attributes:
        rows: it has so many.
        size: its log has so many bytes.
        age_us: its first event came so long ago, in microseconds.
    """

    rows: int
    size: int
    age_us: int


class HotParts:
    """The hot parts of a store.

    Args:
        engine: makes their tables.
        folder: of their log files.
        due: when one is sealed.
        parts: the set of all parts, which they join.
        clock_us: gives the time in microseconds.

    Attributes:
        active: takes what comes.
        waiting: wait to be sealed, the oldest first.
    """

    def __init__(self, engine: Cursor, folder: Path, due: Due, parts: Parts, clock_us: Callable[[], int]) -> None:
        self._engine, self._folder = engine, folder
        self._due, self._parts, self._clock_us = due, parts, clock_us
        self.active: Hot
        self.waiting: list[Hot] = []

    def take(self, found: list[Hot], following: int, spent: Sequence[Hot] = ()) -> None:
        """Go on with what a start found: the last one takes what comes, the others wait to be sealed.

        Args:
            found: hot parts, in order of arrival.
            following: the next arrival number.
            spent: sealed ones whose logs have not ended.
        """
        *waiting, self.active = found or [Hot(self._engine, self._folder, following)]
        self.waiting = [*spent, *waiting]

    @property
    def all(self) -> tuple[Hot, ...]:
        """Those that wait, and the active one."""
        return (*self.waiting, self.active)

    @property
    def rows(self) -> int:
        """Rows in memory."""
        return sum(hot.count for hot in self.all)

    @property
    def log_bytes(self) -> int:
        """Bytes of their log files."""
        return sum(hot.log.size for hot in self.all)

    @property
    def is_full(self) -> bool:
        """Tell whether so much waits to be sealed that no more is taken."""
        return self.rows >= _MOST * max(self._due.rows, _SMALL_SEAL) or self.log_bytes >= _MOST * max(
            self._due.size, _SMALL_SEAL_BYTES
        )

    def cut(self, following: int) -> bool:
        """Cut the active part off where it is due; tell whether it is.

        Args:
            following: the next arrival number.
        """
        if not self.active.count or not self._is_due(self.active):
            return False

        if len(self.waiting) < _MOST_WAITING:  # else it grows until sealing has caught up
            # No room for a new log file or table: the old one goes on, since what was appended is stored.
            with suppress(OSError, duckdb.Error):
                self._renew(following)

        return True

    def cut_now(self, following: int) -> None:
        """Cut the active part off, unless it is empty.

        Raises:
            OSError: there is no room for a new log.
            duckdb.Error: there is none for its table.
        """
        if self.active.count:
            self._renew(following)

    def _is_due(self, hot: Hot) -> bool:
        return (
            hot.count >= self._due.rows
            or hot.log.size >= self._due.size
            or hot.age_us(self._clock_us()) >= self._due.age_us
        )

    def _renew(self, following: int) -> None:
        fresh = Hot(self._engine, self._folder, following)
        self.waiting.append(self.active)
        self.active = fresh
        self._parts.change(add=[fresh.part])

    def close(self) -> None:
        """Let go of tables and logs; idempotent."""
        for hot in self.all:
            hot.close()
