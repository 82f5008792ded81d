"""The parts of the store: the hot ones in memory, the sealed ones in files, and who reads them.

Rules:
1. A row is in exactly one part of the current set. Sealing replaces a hot part by a sealed one in one step.
2. A reader holds the set that it began with. A part that has left the set is disposed of when its last
   reader lets go: no seal and no retention pulls a table from under a query.
"""

import threading
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from loghub.hub.store.outline import NOTHING_KNOWN, Outline
from loghub.hub.store.piles import Pile
from loghub.hub.store.protocol import Incoming, Span
from loghub.hub.store.shape import UNKNOWN, Shape
from loghub.hub.store.summaries import Kind


@dataclass(frozen=True, slots=True)
class Extent:
    """What a part covers.

    Attributes:
        first: its first arrival number.
        last: its last one; first - 1 while it is empty.
        count: rows.
        min_us: time of the oldest event.
        max_us: time of the newest one.
        received_us: when the hub had the last of them.
    """

    first: int
    last: int
    count: int = 0
    min_us: int = 2**63 - 1
    max_us: int = -(2**63)
    received_us: int = 0

    def overlaps(self, span: Span) -> bool:
        """Tell whether an event of this part can lie in the span."""
        return self.count > 0 and self.min_us < span.end_us and span.start_us <= self.max_us

    def grown(self, batch: Incoming, arrival: int) -> "Extent":
        """Give the extent with a batch more, whose first line has this arrival number."""
        count = len(batch.lines)

        if not count:
            return self

        pile = pile_of(batch)

        return Extent(
            first=self.first,
            last=arrival + count - 1,
            count=self.count + count,
            min_us=min(self.min_us, pile.min_us),
            max_us=max(self.max_us, pile.max_us),
            received_us=max(self.received_us, batch.received_us),
        )


def pile_of(batch: Incoming) -> Pile:
    """Give the times of a batch that has lines."""
    times = [edge for block in batch.blocks for edge in block.edges_us()]
    times += [batch.events[place].time_us for place in batch.unblocked]
    return Pile(min(times), max(times), len(batch.lines))


def _nothing_waits() -> None:
    """Of a sealed part, nothing waits."""


@dataclass(frozen=True, slots=True)
class Counted:
    """What was counted over the first rows of a part.

    Attributes:
        until: arrival number of the last row that is in it.
        counts: by name; None where it is too much to keep.
    """

    until: int
    counts: Mapping[str, Any] | None


@dataclass(slots=True, eq=False)
class Part:
    """Rows in one table.

    Attributes:
        table: its name for a FROM.
        extent: what it covers; a hot part gets a new one with each append.
        dispose: gives its memory back, or lets go of its file.
        settle: puts what waits for it into its table.
        piles: when the rows in the table of a hot part are; those that wait are not among them.
        path: the file of a sealed part.
        size: the file's bytes.
        shape: which keys its attributes have.
        outline: which values its fields have.
        names: those of the fields of all its events, once they were counted.
        kept: what was counted over the rows of a hot part, by what it is.
    """

    table: str
    extent: Extent
    dispose: Callable[[], None]
    path: Path | None = None
    size: int = 0
    shape: Shape = UNKNOWN
    outline: Outline = NOTHING_KNOWN
    settle: Callable[[], None] = _nothing_waits
    names: Mapping[str, tuple[Kind, int]] | None = None
    piles: list[Pile] = field(default_factory=list)
    kept: dict[str, Counted] = field(default_factory=dict)


@dataclass(slots=True)
class Parts:
    """The current set of parts."""

    _current: tuple[Part, ...] = ()
    _held: Counter[Part] = field(default_factory=Counter)
    _gone: set[Part] = field(default_factory=set)
    _changed: threading.Condition = field(default_factory=threading.Condition)

    @property
    def current(self) -> tuple[Part, ...]:
        """The set as it is now, to look at extents; to read rows, `hold` it."""
        return self._current

    @contextmanager
    def hold(self) -> Iterator[tuple[Part, ...]]:
        """Keep the current set readable for the length of a `with` block."""
        with self._changed:
            parts = self._current
            self._held.update(parts)

        try:
            yield parts
        finally:
            self._let_go(parts)

    def change(self, *, add: Sequence[Part] = (), remove: Sequence[Part] = ()) -> None:
        """Add and remove parts in one step; what is removed is disposed of when nobody reads it."""
        with self._changed:
            self._current = (*(part for part in self._current if part not in remove), *add)
            self._gone.update(remove)

        self._let_go(())

    @property
    def leaving(self) -> int:
        """Bytes that are free once nobody reads what has gone."""
        with self._changed:
            return sum(part.size for part in self._gone)

    def wait_unread(self, timeout: float) -> bool:
        """Wait until nobody reads, at most `timeout` seconds; tell whether that is so."""
        with self._changed:
            return self._changed.wait_for(lambda: not self._held, timeout)

    def _let_go(self, parts: tuple[Part, ...]) -> None:
        with self._changed:
            self._held.subtract(parts)
            self._held = +self._held  # drops the zeros
            free = [part for part in self._gone if part not in self._held]
            self._gone.difference_update(free)
            self._changed.notify_all()

        for part in free:
            part.dispose()
