"""The embedded engine of the hub: a log that is synced, DuckDB behind it.

Rules:
1. `append` writes the log, syncs it, and puts the rows into the hot table; then it returns.
2. Hot parts are cut off (`hot_parts`) and sealed in the background (`upkeep`). Where sealing lags too far behind,
   `append` refuses with an OSError.
3. Retention removes whole sealed parts. Marks and arrival numbers outlive every row.
4. Closing seals nothing: the log has it all.
"""

import errno
import logging
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

import duckdb

from loghub.errors import StoreError
from loghub.hub.store.accounts import Account
from loghub.hub.store.arrivals import count_matching, read_matching
from loghub.hub.store.asked import Asked
from loghub.hub.store.books import Books
from loghub.hub.store.compaction import Compaction, Largest
from loghub.hub.store.counting import read_facets
from loghub.hub.store.deletion import delete
from loghub.hub.store.directory import Directory
from loghub.hub.store.engine import open_engine
from loghub.hub.store.field_names import read_names
from loghub.hub.store.grouping import read_groups
from loghub.hub.store.histogram import read_histogram
from loghub.hub.store.hot_parts import Due, HotParts
from loghub.hub.store.house import House
from loghub.hub.store.keep import NOTHING_FREE, Free, Keep, Rule
from loghub.hub.store.keeper import Keeper
from loghub.hub.store.ledger import Ledger, Sighting
from loghub.hub.store.marks import Marks, trim_all
from loghub.hub.store.partitions import Part, Parts
from loghub.hub.store.protocol import (
    Appended,
    Arrivals,
    Histogram,
    Incoming,
    Order,
    Page,
    Place,
    Rows,
    Span,
    StoredEvent,
)
from loghub.hub.store.quarantine import Quarantine
from loghub.hub.store.queries import Queries
from loghub.hub.store.reading import (
    find_event,
    read_arrivals,
    read_numbered,
    read_page,
    read_rows,
    read_total,
)
from loghub.hub.store.recent import Recent
from loghub.hub.store.recovery import Recovered, recover
from loghub.hub.store.rest import Rest
from loghub.hub.store.seal import OnStep
from loghub.hub.store.sealing import seal_one
from loghub.hub.store.shelf import Shelf
from loghub.hub.store.source import Source
from loghub.hub.store.standing import standing
from loghub.hub.store.stats import StoreStats
from loghub.hub.store.summaries import Facets, FieldCounts, Grouping, Groups
from loghub.hub.store.upkeep import Upkeep
from loghub.hub.store.watchers import Watchers
from loghub.query.tree import Query

HOUR_US = 3_600_000_000
DAY_US = 24 * HOUR_US

_RECENT = 10_000  # events in memory for tails, about 2.5 kB each
_PERIOD_S = 1.0
_CLOSE_S = 10.0


_logger = logging.getLogger(__name__)


def _now_us() -> int:
    return time.time_ns() // 1000


def _no_step(_: str) -> None:
    """Pass over a step of sealing; tests stop there."""


class DuckStore:
    """Events in a data directory.

    Args:
        data: the directory; made where it is missing.
        seal_rows: a hot part of so many rows is sealed.
        seal_bytes: so is one whose log has so many bytes.
        seal_us: so is one of this age, in microseconds.
        keep_us: how long an event is kept at least from its receipt on, in microseconds.
        keep_bytes: how many bytes of disk events take at most.
        keep_free: how much of the disk stays free, by letting the oldest events go.
        keep_rules: queries whose events are kept for less time.
        keep_sources_us: how long a silent source is remembered at least, in microseconds.
        memory_limit: of the engine, as DuckDB writes it.
        query_seconds: how long a search may take.
        clock_us: gives the time in microseconds.
        on_step: called with the name of each step of sealing.

    Raises:
        StoreError: another hub has the directory, or it is of another format.
    """

    def __init__(  # noqa: PLR0913 (options, each with a default)
        self,
        data: Path,
        *,
        seal_rows: int = 250_000,
        seal_bytes: int = 256_000_000,
        seal_us: int = HOUR_US,
        keep_us: int = 14 * DAY_US,
        keep_bytes: int = 5_000_000_000,
        keep_free: Free = NOTHING_FREE,
        keep_rules: Sequence[Rule] = (),
        keep_sources_us: int = 90 * DAY_US,
        memory_limit: str = "384MB",
        query_seconds: float = 30,
        clock_us: Callable[[], int] = _now_us,
        on_step: OnStep = _no_step,
    ) -> None:
        self._directory = Directory.hold(data)
        self._keep = Keep(keep_us, keep_bytes, keep_free, keep_rules)
        self._clock_us = clock_us
        self._writing = threading.Lock()
        self._watchers = Watchers()
        self._parts = Parts()
        self._closed = False

        with ExitStack() as undo:
            undo.callback(self._directory.release)
            self._engine = open_engine(self._directory.scratch, memory_limit)
            undo.callback(self._engine.close)
            marks = Marks(self._directory.marks, keep_us=keep_sources_us, clock_us=clock_us)
            self._books = Books(marks, Ledger(self._directory.ledger))
            self._quarantine = Quarantine(self._directory.quarantine)
            undo.callback(self._quarantine.close)
            due = Due(seal_rows, seal_bytes, seal_us)
            self._hot = HotParts(self._engine, self._directory.wal, due, self._parts, clock_us)
            self._take(recover(self._engine, self._directory, self._books))
            self._queries = Queries(self._engine, query_seconds)
            undo.pop_all()

        shelf = Shelf(self._engine, self._directory.parts, self._parts, self._queries, on_step, self._leftovers)
        held = (self._engine, self._directory, self._parts, shelf, self._hot, self._books)
        asked = (self._queries, self._quarantine)
        self._house = house = House(*held, *asked, self._writing, on_step, lambda: self._next)
        compaction = Compaction(house, Largest.by(seal_rows, seal_bytes, self._keep))
        self._upkeep = Upkeep(house, self._keep, compaction, clock_us, Rest(self._engine, self._queries, memory_limit))
        self._keeper = Keeper(self._upkeep.run, _PERIOD_S)
        self._keeper.start()

    def _take(self, found: Recovered) -> None:
        """Go on with what was found."""
        self._next = found.next
        self._recent = Recent(_RECENT, found.next - 1)
        self._damaged = tuple(found.damaged)
        self._leftovers = found.leftovers
        self._hot.take(found.hot, found.next, found.spent)
        self._parts.change(add=[*found.sealed, *(hot.part for hot in self._hot.all if not hot.sealed)])

    @property
    def epoch(self) -> str:
        """Name of this store's life; it stays over restarts."""
        return self._directory.epoch

    @property
    def damaged(self) -> tuple[Path, ...]:
        """Files in which the start set aside what it could not read, and sealed files that cannot be read."""
        return self._damaged

    @property
    def quarantine(self) -> Quarantine:
        """The lines that are no events."""
        return self._quarantine

    def append(self, batches: Sequence[Incoming]) -> list[Appended]:
        """Store batches: on the disk and visible when this returns.

        Raises:
            OSError: the disk refused, or sealing lags too far behind; nothing of these batches is stored.
        """
        with self._writing:
            self._check()
            trimmed, answers = trim_all(batches, self._books.marks)
            fresh = [batch for batch in trimmed if batch.first <= batch.last]

            if fresh:
                self._store(fresh)

            for batch in trimmed:
                self._books.enter(Sighting.of(batch))

            if self._hot.cut(self._next):
                self._keeper.wake()

        self._watchers.wake()
        return answers

    def _store(self, batches: Sequence[Incoming]) -> None:
        if self._hot.is_full:
            raise OSError(errno.EBUSY, "too many events wait to be sealed", str(self._directory.parts))

        self._quarantine.append(batches)

        try:
            self._hot.active.append(batches, self._next)
        except duckdb.Error as error:
            raise OSError(errno.ENOMEM, f"the engine refused: {error}") from error

        for batch in batches:
            self._recent.add(batch, self._next)
            self._next += len(batch.lines)

    def search(
        self, query: Query, span: Span, *, now_us: int, limit: int, order: Order = "newest", start: Place | None = None
    ) -> Page:
        """Give a page of the events that match, by time."""
        with self._read() as source:
            return read_page(source, Asked(query, now_us), span, limit, order, start)

    def rows(self, query: Query, span: Span, *, now_us: int, limit: int, start: Place | None = None) -> Rows:
        """Give a page of the events that match, by time, the oldest first, as rows: for exports, by the million."""
        with self._read() as source:
            return read_rows(source, Asked(query, now_us), span, limit, start)

    def histogram(self, query: Query, span: Span, *, now_us: int, buckets: int, by: str = "level") -> Histogram:
        """Count the events that match by time and by the value of a field."""
        with self._read() as source:
            return read_histogram(source, Asked(query, now_us), span, buckets, by)

    def facets(self, query: Query, span: Span, *, now_us: int, fields: Sequence[str], limit: int) -> Facets:
        """Count the values of fields over all events that match; each element of a list is a value."""
        with self._read() as source:
            return read_facets(source, Asked(query, now_us), span, fields, limit)

    def names(self, query: Query, span: Span, *, now_us: int, limit: int) -> FieldCounts:
        """Count the names of fields over all events that match."""
        with self._read() as source:
            return read_names(source, Asked(query, now_us), span, limit)

    def groups(self, query: Query, span: Span, *, now_us: int, grouping: Grouping) -> Groups:
        """Group all events that match."""
        with self._read() as source:
            return read_groups(source, Asked(query, now_us), span, grouping)

    def find(self, source: str, seq: int) -> StoredEvent | None:
        """Give an event by its id; None where it is not there (any more)."""
        with self._read() as asked:
            return find_event(asked, source, seq)

    def numbered(self, arrivals: Sequence[int]) -> list[StoredEvent]:
        """Give the events that have these arrival numbers and are there, in any order."""
        with self._read() as source:
            return read_numbered(source, arrivals)

    def after(self, arrival: int, limit: int) -> list[StoredEvent]:
        """Give the events that arrived behind `arrival`, in order of arrival, at most `limit`."""
        recent = self._recent.after(arrival, limit)

        if recent is not None:
            return recent

        with self._read() as source:
            return read_arrivals(source, arrival, limit)

    def matching(self, query: Query, arrivals: Arrivals, *, now_us: int, limit: int) -> list[StoredEvent]:
        """Give the events of these arrivals that match, in order of arrival, at most `limit`."""
        with self._read() as source:
            return read_matching(source, Asked(query, now_us), arrivals, limit)

    def count_matching(self, query: Query, arrivals: Arrivals, *, now_us: int) -> int:
        """Count the events of these arrivals that match."""
        with self._read() as source:
            return count_matching(source, Asked(query, now_us), arrivals)

    def newest(self) -> int:
        """Arrival number of the newest event; 0 in an empty store."""
        return self._next - 1

    def count(self) -> int:
        """Events in the store."""
        return sum(part.extent.count for part in self._parts.current)

    def seal_all(self) -> None:
        """Seal what is in memory.

        Raises:
            OSError: the disk refused.
        """
        with self._writing:
            self._hot.cut_now(self._next)

        while seal_one(self._house):
            pass

    @property
    def parts(self) -> tuple[Part, ...]:
        """The parts as they are now, to look at what they cover."""
        return self._parts.current

    def accounts(self) -> list[Account]:
        """Give what is known of the sources, those that were seen last first."""
        return self._books.ledger.accounts()

    def total(self, query: Query, span: Span, *, now_us: int) -> int:
        """Count the events that match."""
        with self._read() as source:
            return read_total(source, Asked(query, now_us), span)

    def delete(self, query: Query, span: Span, *, now_us: int) -> int:
        """Delete the events that match, of those that are there now; give how many went.

        Raises:
            DeletionError: it failed half-way; what was deleted by then is gone.
        """
        self._check()
        return delete(self._house, self._recent, Asked(query, now_us), span)

    def stats(self) -> StoreStats:
        """Tell how much it holds, where, and how long it is kept."""
        rate = self._recent.rate(self._clock_us())
        return standing(self._house, self._keep, rate, self._damaged)

    def watch(self, wake: Callable[[], None]) -> Callable[[], None]:
        """Call `wake` from any thread after each append; gives back what ends it."""
        return self._watchers.add(wake)

    def interrupt(self) -> None:
        """End the searches that are under way; they raise a StoreError."""
        self._queries.interrupt()

    def close(self) -> None:
        """Stop the background thread and let go of the directory; idempotent. It seals nothing.

        A seal or a query that is under way is interrupted.
        """
        with self._writing:
            if self._closed:
                return

            self._closed = True

        self._keeper.closing.set()  # what is interrupted now is no failure that it should report
        self._queries.close()

        if not self._keeper.close(_CLOSE_S):
            return  # it still writes there, so the lock ends with the process

        if not self._house.lock.take(_CLOSE_S):
            return  # so does a deletion, which was told to end

        self._house.lock.give()
        self._hot.close()

        if self._parts.wait_unread(_CLOSE_S):
            self._engine.close()  # else a reader is on it, which ends with the process and writes nothing

        self._quarantine.close()
        self._directory.release()

    def _check(self) -> None:
        if self._closed:
            raise StoreError(f"the store in {self._directory.root} is closed")

    @contextmanager
    def _read(self) -> Iterator[Source]:
        with self._parts.hold() as parts:
            self._check()

            with self._queries.question() as question:
                source = Source(question, self._queries, parts)
                yield source

        for part, reason in source.unread.items():
            self._report(part, reason)

    def _report(self, part: Part, reason: str) -> None:
        """Remember a file that cannot be read, and say so once; each search tries it again."""
        if part.path and part.path not in self._damaged:
            self._damaged = (*self._damaged, part.path)
            _logger.error("%s cannot be read, its events are missing in answers: %s", part.path, reason)
