"""What a read asks: the parts of the store, one after the other, for as long as it may take.

Rules:
1. A sealed part that cannot be read is left out, and the answer says so.
2. What waits for the table of a part is put there before its first read, and not at all for a part that is ruled out.
3. A read that takes too long is told so once: it sums up what it has, and its answer says how far it got.
   One that has nothing yet is ended.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import duckdb

from loghub.errors import QueryTimeoutError
from loghub.hub.store.asked import Asked
from loghub.hub.store.engine import Cursor, is_unreadable
from loghub.hub.store.partitions import Part
from loghub.hub.store.protocol import Span
from loghub.hub.store.queries import Queries, Question
from loghub.hub.store.summaries import Partial

Row: TypeAlias = tuple[Any, ...]


@dataclass(slots=True)
class Source:
    """What a read asks.

    Attributes:
        question: with the cursor of the thread that asks.
        queries: knows how long it may take.
        parts: the parts of the store.
        unread: those that could not be read, with the reason; filled by reading.
        late: the error of a read that took too long.
    """

    question: Question
    queries: Queries
    parts: Sequence[Part]
    unread: dict[Part, str] = field(default_factory=dict)
    late: QueryTimeoutError | None = None
    left: Sequence[Part] = ()
    _settled: set[Part] = field(default_factory=set)

    @property
    def cursor(self) -> Cursor:
        """The cursor of the thread that asks."""
        return self.question.cursor

    def walk(self, span: Span, asked: Asked) -> Iterator[Part]:
        """Give the parts that may have what is asked for in a span, the newest first, until it is late."""
        parts = sorted(self.hit(span, asked), key=_newest_first)

        for index, part in enumerate(parts):
            yield part

            if self.late:
                self.leave(parts, index)
                return

    def hit(self, span: Span, asked: Asked) -> list[Part]:
        """Give the parts that may have what is asked for in a span."""
        cursor = self.cursor
        return [part for part in self.parts if part.extent.overlaps(span) and asked.may_match(part, cursor)]

    def leave(self, parts: Sequence[Part], index: int) -> None:
        """Note that it was late at this one of the parts: this and what follows was not read.

        Raises:
            QueryTimeoutError: it was the first.
        """
        if self.late and not index:
            raise self.late

        self.left = parts[index:]

    def partial(self, reached_us: Callable[[Sequence[Part]], int] | None = None) -> Partial | None:
        """Say why events may be missing; None where none are.

        Args:
            reached_us: gives the time up to which none are, by the parts that were not read; down to their newest
                event by default.
        """
        if self.late:
            edge = (reached_us or _newest_edge)(self.left)
            return Partial(f"{self.late}", edge)

        if not self.unread:
            return None

        names = ", ".join(part.path.name for part in self.unread if part.path)
        return Partial(f"{len(self.unread)} of {len(self.parts)} parts could not be read: {names}")

    def rows(self, part: Part, sql: str, values: Sequence[object]) -> list[Row]:
        """Ask one part; none where its file cannot be read, or where it takes too long."""
        if part not in self._settled:
            self._settled.add(part)
            part.settle()

        try:
            return self.cursor.execute(sql, values).fetchall()
        except duckdb.InterruptException:
            error = self.question.error

            if not isinstance(error, QueryTimeoutError):
                raise

            self.late = error
            self.queries.sum_up(self.question)
            return []
        except duckdb.Error as error:
            if part.path is None or not is_unreadable(error):
                raise

            self.unread[part] = str(error)
            return []


def _newest_first(part: Part) -> int:
    return -part.extent.max_us


def _newest_edge(parts: Sequence[Part]) -> int:
    return max(part.extent.max_us for part in parts) + 1
