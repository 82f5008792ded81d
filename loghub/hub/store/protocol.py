"""What every engine offers, and the data that crosses that line.

Rules:
1. Calls block: the hub makes them in threads. All of them may come from any thread.
2. When `append` has returned, its events are as durable as the engine ever makes them and visible to reads.
3. Two orders. `arrival` numbers events from 1 in the order in which they were stored, without a gap:
   tails use it. Pages of a search go by (time, source, seq).
4. A (source, seq) is stored once: `append` trims what it has seen, however a resend is cut.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Protocol, TypeAlias

from loghub.event.model import Event
from loghub.hub.store.accounts import Account
from loghub.hub.store.blocks import Block
from loghub.hub.store.stats import StoreStats
from loghub.hub.store.summaries import Facets, FieldCounts, Grouping, Groups, Partial
from loghub.query.tree import Query
from loghub.wire.report import Report

Order: TypeAlias = Literal["newest", "oldest"]
Row: TypeAlias = tuple[Any, ...]
"""An event with its place in the store, as the values of `COLUMNS`."""


@dataclass(frozen=True, slots=True)
class Quarantined:
    """A line that is no event.

    Attributes:
        line: its number in the body, from 1.
        seq: its sequence number.
        text: the bytes.
        error: why it is no event.
    """

    line: int
    seq: int
    text: bytes
    error: str


@dataclass(frozen=True, slots=True)
class Incoming:
    """A batch that was read: lines and their events, in step.

    Attributes:
        source: who sent it.
        first: sequence number of the first line of the body, the quarantined ones counted too.
        last: sequence number of the last one.
        received_us: when the hub had it, in microseconds.
        seqs: a sequence number for each of `lines`.
        lines: the bytes for the log, each ending in a newline.
        events: the same, read; maybe not before someone asks.
        quarantined: the lines that were not.
        report: what the sender tells of itself, this batch counted as acknowledged.
        skew_us: its clock minus the hub's.
        blocks: rows of most of the lines, where they were made already.
        odd: places of the lines that are in no block; None where there is no block.
    """

    source: str
    first: int
    last: int
    received_us: int
    seqs: Sequence[int]
    lines: Sequence[bytes]
    events: Sequence[Event]
    quarantined: Sequence[Quarantined] = ()
    report: Report | None = None
    skew_us: int | None = None
    blocks: Sequence[Block] = ()
    odd: Sequence[int] | None = None

    @property
    def unblocked(self) -> Iterable[int]:
        """Places of the lines that are in no block."""
        return range(len(self.lines)) if self.odd is None else self.odd

    def stored(self, place: int, arrival: int) -> "StoredEvent":
        """Give the event of a line, under an arrival number."""
        return StoredEvent(arrival, self.source, self.seqs[place], self.received_us, self.events[place])


@dataclass(frozen=True, slots=True)
class Appended:
    """What became of a batch: events stored now, and events that were there already."""

    accepted: int
    duplicate: int


@dataclass(frozen=True, slots=True)
class StoredEvent:
    """An event with its place in the store."""

    arrival: int
    source: str
    seq: int
    received_us: int
    event: Event

    @property
    def id(self) -> str:
        """`<source>-<seq>`, of fixed width, so that text order is order."""
        return f"{self.source}-{self.seq:016x}"


@dataclass(frozen=True, slots=True)
class Span:
    """A range of time `[start_us, end_us)`."""

    start_us: int
    end_us: int


@dataclass(frozen=True, slots=True)
class Place:
    """Where a page of a search ended: the next one starts behind it."""

    time_us: int
    source: str
    seq: int


@dataclass(frozen=True, slots=True)
class Arrivals:
    """Arrival numbers behind `after`, up to `until`."""

    after: int
    until: int


@dataclass(frozen=True, slots=True)
class Rows:
    """Rows of one page, the oldest first; the rest as in `Page`."""

    rows: Sequence[Row]
    next: Place | None
    partial: Partial | None = None


@dataclass(frozen=True, slots=True)
class Page:
    """Events of one page, in the order asked for.

    Attributes:
        events: at most as many as asked for.
        next: where the next page starts; None where there is none.
        total: events in the store.
        scanned: events that were looked at, or an upper bound.
        partitions: parts of the store looked at; `skipped`: parts ruled out without a look.
        partial: why events may be missing; None where none are.
    """

    events: Sequence[StoredEvent]
    next: Place | None
    total: int
    scanned: int
    partitions: int
    skipped: int
    partial: Partial | None = None


@dataclass(frozen=True, slots=True)
class Histogram:
    """Counts by time: `series` maps a key to a count for each bucket of `step_us` from `start_us` on.

    `partial` says why events may be missing; it is None where none are.
    """

    start_us: int
    end_us: int
    step_us: int
    series: dict[str, list[int]]
    partial: Partial | None = None


class Store(Protocol):
    """Where events are kept."""

    @property
    def epoch(self) -> str:
        """Name of this store's life: arrival numbers of another epoch mean nothing here."""

    def append(self, batches: Sequence[Incoming]) -> list[Appended]:
        """Store batches, durable together.

        Raises:
            OSError: the disk refused; nothing of these batches is acknowledged, and it may be tried again.
        """

    def search(
        self, query: Query, span: Span, *, now_us: int, limit: int, order: Order = "newest", start: Place | None = None
    ) -> Page:
        """Give a page of the events that match, by time."""

    def rows(self, query: Query, span: Span, *, now_us: int, limit: int, start: Place | None = None) -> Rows:
        """Give a page of the events that match, by time, the oldest first, as rows: for exports, by the million."""

    def histogram(self, query: Query, span: Span, *, now_us: int, buckets: int, by: str = "level") -> Histogram:
        """Count the events that match by time and by the value of a field."""

    def facets(self, query: Query, span: Span, *, now_us: int, fields: Sequence[str], limit: int) -> Facets:
        """Count the values of fields over all events that match; each element of a list is a value."""

    def names(self, query: Query, span: Span, *, now_us: int, limit: int) -> FieldCounts:
        """Count the names of fields over all events that match."""

    def groups(self, query: Query, span: Span, *, now_us: int, grouping: Grouping) -> Groups:
        """Group all events that match."""

    def find(self, source: str, seq: int) -> StoredEvent | None:
        """Give an event by its id; None where it is not there (any more)."""

    def numbered(self, arrivals: Sequence[int]) -> list[StoredEvent]:
        """Give the events that have these arrival numbers and are there, in any order."""

    def after(self, arrival: int, limit: int) -> list[StoredEvent]:
        """Give the events that arrived behind `arrival`, in order of arrival, at most `limit`.

        Where the first of them are gone (retention, or a bounded memory), it starts with the oldest that is there.
        """

    def matching(self, query: Query, arrivals: Arrivals, *, now_us: int, limit: int) -> list[StoredEvent]:
        """Give the events of these arrivals that match, in order of arrival, at most `limit`.

        Where the first of them are gone, it starts with the oldest that is there.
        """

    def count_matching(self, query: Query, arrivals: Arrivals, *, now_us: int) -> int:
        """Count the events of these arrivals that match."""

    def newest(self) -> int:
        """Arrival number of the newest event; 0 in an empty store."""

    def count(self) -> int:
        """Events in the store."""

    def accounts(self) -> Sequence[Account]:
        """Give what is known of the sources, those that were seen last first."""

    def total(self, query: Query, span: Span, *, now_us: int) -> int:
        """Count the events that match."""

    def delete(self, query: Query, span: Span, *, now_us: int) -> int:
        """Delete the events that match, of those that are there now; give how many went.

        They do not come back: not by a restart, nor by a sender that sends them again.

        Raises:
            DeletionError: it failed half-way; what was deleted by then is gone.
        """

    def stats(self) -> StoreStats:
        """Tell how much it holds, where, and how long it is kept."""

    def watch(self, wake: Callable[[], None]) -> Callable[[], None]:
        """Call `wake` from any thread after each append; gives back what ends it."""

    def close(self) -> None:
        """Finish what is under way and let go of the data; idempotent."""
