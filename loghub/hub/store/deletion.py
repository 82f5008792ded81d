"""Deletion by query: what matches goes, on the disk too, and does not come back.

Rules:
1. What counts is what was stored when it was asked for. Rows in memory that match are sealed first, since the log
   has them too.
2. Parts of which everything matches go first: to remove them needs no room. The others are written again without
   the rows that match, one at a time; a search sees a part as it was, or as it will be.
3. Each part is done for good before the next one begins. So where it fails, or is called off, what was counted is
   gone, and asking again goes on.
4. Marks stay: what a sender sends again of it is not stored again.
"""

from collections.abc import Sequence

import duckdb

from loghub.errors import DeletionError
from loghub.hub.store.asked import Asked
from loghub.hub.store.condition import Where, join
from loghub.hub.store.house import House
from loghub.hub.store.partitions import Extent, Part
from loghub.hub.store.protocol import Span, StoredEvent
from loghub.hub.store.recent import Recent
from loghub.hub.store.sealing import seal_one
from loghub.query.predicate import predicate

_COUNT = "SELECT count(*) FROM {table} WHERE {condition}"
_WITHIN = "(time_us >= ? AND time_us < ?)"
_STORED_THEN = "arrival <= ?"
_REST = "SELECT * FROM {table} WHERE NOT coalesce({condition}, FALSE)"


def delete(house: House, recent: Recent, asked: Asked, span: Span) -> int:
    """Delete what matches, in memory too; give how many events went.

    Raises:
        DeletionError: it failed half-way; what was deleted by then is gone.
        StoreError: it was called off, or a file cannot be read.
    """
    deletion = Deletion(house, asked, span)
    matches = predicate(asked.query, now_us=asked.now_us)

    try:
        deletion.run()
    finally:
        gone = recent.find(lambda stored: _lies_in(span, stored) and matches(stored.event))

        with house.writing:
            recent.forget(gone)

    return deletion.deleted


def _lies_in(span: Span, stored: StoredEvent) -> bool:
    return span.start_us <= stored.event.time_us < span.end_us


class Deletion:
    """One deletion.

    Args:
        house: the store's.
        asked: what events must match to go.
        span: the range of time in which they go; None for all of it.

    Attributes:
        deleted: events that are gone.
    """

    def __init__(self, house: House, asked: Asked, span: Span | None = None) -> None:
        self._house = house
        self._asked, self._span = asked, span
        self._newest: int | None = None
        self.deleted = 0

    def run(self) -> None:
        """Delete.

        Raises:
            DeletionError: there is no room; what it says is gone.
            StoreError: it was called off, or a file cannot be read.
        """
        try:
            log = Extent(self._house.edge, self._house.following() - 1)
            self._newest = log.last
            mixed = self._remove_whole_parts()
            self._seal(log.last)
            self._rewrite_all([*mixed, log])
        except (OSError, duckdb.Error) as error:
            raise DeletionError(self.deleted, error) from error

    def _remove_whole_parts(self) -> list[Extent]:
        """Remove the parts of which everything matches; gives what is covered by those of which some does."""
        mixed = []

        for part in self._house.finished:
            with self._house.lock:
                count = self._count(part) if part in self._house.parts.current else -1

                if count == part.extent.count:
                    self._remove(part)
                elif count:
                    mixed.append(part.extent)  # also where it was merged with others meanwhile

        return mixed

    def _seal(self, newest: int) -> None:
        """Seal what the log has, where some of it matches."""
        house = self._house

        with house.lock:
            if not any(self._count(part) for part in house.unfinished if part.extent.count):
                return

        with house.writing:
            house.hot.cut_now(house.following())

        while house.edge <= newest and seal_one(house):
            pass

    def _rewrite_all(self, extents: Sequence[Extent]) -> None:
        """Rewrite the parts that have rows of these extents, in order; others may merge them meanwhile."""
        done = 0

        while True:
            with self._house.lock:
                left = (part for part in self._house.finished if part.extent.last > done)
                part = next((part for part in left if any(_touch(part.extent, extent) for extent in extents)), None)

                if part is None:
                    return

                self._rewrite(part)

            done = part.extent.last

    def rewrite(self, part: Part) -> None:
        """Write a sealed part again without the rows that match; without any, it is removed.

        Raises:
            OSError: the disk refused; the part is as it was.
            duckdb.Error: the engine did.
        """
        with self._house.lock:
            if part in self._house.parts.current:
                self._rewrite(part)

    def _rewrite(self, part: Part) -> None:
        count = self._count(part)

        if count and count == part.extent.count:
            self._remove(part)
        elif count:
            self._replace(part, count)

    def _count(self, part: Part) -> int:
        part.settle()
        condition = self._condition(part)
        sql = _COUNT.format(table=part.table, condition=condition.sql)

        with self._house.queries.cursor(limited=False) as cursor:
            row = cursor.execute(sql, condition.params).fetchone()

        return int(row[0]) if row else 0

    def _remove(self, part: Part) -> None:
        self._house.shelf.remove(part)
        self.deleted += part.extent.count

    def _replace(self, part: Part, count: int) -> None:
        condition = self._condition(part)
        sql = _REST.format(table=part.table, condition=condition.sql)
        self._house.shelf.replace([part], sql, condition.params)
        self.deleted += count

    def _condition(self, part: Part) -> Where:
        conditions, span = [self._asked.of(part)], self._span

        if span is not None:
            conditions.append(Where(_WITHIN, (span.start_us, span.end_us)))

        if self._newest is not None and part.extent.last > self._newest:  # what came meanwhile stays
            conditions.append(Where(_STORED_THEN, (self._newest,)))

        return join("AND", conditions)


def _touch(one: Extent, other: Extent) -> bool:
    return one.first <= other.last and other.first <= one.last
