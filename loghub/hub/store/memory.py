"""The newest events in memory: what `BroadcastHandler` keeps inside the process that logs.

Rules:
1. It holds at most `maxlen` events; the oldest goes when one more comes. It never touches a disk.
2. A line that is added is not read before someone asks for it, so that adding costs next to nothing.
3. Arrival numbers are positions: the newest event has the number `newest()`, the one before it one
   less. So they have no gap, even where a signal handler logs in the middle of an append. What is deleted
   leaves its place empty.
4. The lock is re-entrant, since a log call may come from `__del__` or a signal handler while this
   thread is inside; it is never held while a watcher is called.
"""

import os
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from itertools import count, islice

from loghub.event.encode import decode
from loghub.event.model import Event
from loghub.hub.store.accounts import Account
from loghub.hub.store.columns import to_row
from loghub.hub.store.ledger import Ledger, Sighting
from loghub.hub.store.marks import trim
from loghub.hub.store.memory_counts import count_names, count_values, group
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
from loghub.hub.store.stats import Kept, StoreStats, rate
from loghub.hub.store.steps import cut
from loghub.hub.store.stop import current_stop
from loghub.hub.store.summaries import Facets, FieldCounts, Grouping, Groups
from loghub.hub.store.watchers import Watchers
from loghub.query.fields import reader
from loghub.query.predicate import predicate
from loghub.query.texts import value_text
from loghub.query.tree import Query
from loghub.wire.batch import source_id

_MAX_MARKS = 10_000  # sources remembered for trimming what was sent twice


class MemoryStore:
    """A bounded store in memory.

    Args:
        maxlen: how many events it holds.
    """

    def __init__(self, maxlen: int = 500) -> None:
        self._kept: deque[_Kept] = deque(maxlen=maxlen)
        self._newest = 0
        self._source = source_id(time.time_ns() // 1_000_000, os.urandom(6))
        self._seqs = count(1)
        self._marks: dict[str, int] = {}
        self._ledger = Ledger()
        self._watchers = Watchers()
        self._lock = threading.RLock()
        self._has_holes = False

    @property
    def epoch(self) -> str:
        """Name of this store's life, which ends with the process."""
        return self._source

    @property
    def maxlen(self) -> int:
        """How many events it holds at most."""
        return self._kept.maxlen or 0

    def append_line(self, line: bytes) -> None:
        """Add one line of this process, under the store's own source id."""
        received_us = time.time_ns() // 1000

        with self._lock:
            self._add(_Kept(self._source, next(self._seqs), received_us, line))

        self._watchers.wake()

    def append(self, batches: Sequence[Incoming]) -> list[Appended]:
        """Add batches of other sources; what a source has sent before is trimmed."""
        with self._lock:
            appended = [self._append_batch(batch) for batch in batches]

        self._watchers.wake()
        return appended

    def search(
        self, query: Query, span: Span, *, now_us: int, limit: int, order: Order = "newest", start: Place | None = None
    ) -> Page:
        """Give a page of the events that match, by time."""
        found = sorted(self._matching(query, span, now_us), key=_place_key, reverse=order == "newest")

        if start is not None:
            found = _behind(found, start, order)

        page = found[:limit]
        last = page[-1] if len(found) > limit else None
        total = self.count()
        return Page(page, _place(last) if last else None, total, total, 1, 0)

    def rows(self, query: Query, span: Span, *, now_us: int, limit: int, start: Place | None = None) -> Rows:
        """Give a page of the events that match, by time, the oldest first, as rows."""
        page = self.search(query, span, now_us=now_us, limit=limit, order="oldest", start=start)
        return Rows(list(map(to_row, page.events)), page.next)

    def histogram(self, query: Query, span: Span, *, now_us: int, buckets: int, by: str = "level") -> Histogram:
        """Count the events that match by time and by the value of a field."""
        step_us = max(1, -(-(span.end_us - span.start_us) // (buckets * 1000))) * 1000  # whole milliseconds
        series: dict[str, list[int]] = {}
        read = reader(by)

        for stored in self._matching(query, span, now_us):
            key = value_text(read(stored.event)) or ""
            counts = series.setdefault(key, [0] * buckets)
            counts[(stored.event.time_us - span.start_us) // step_us] += 1

        return Histogram(span.start_us, span.end_us, step_us, series)

    def facets(self, query: Query, span: Span, *, now_us: int, fields: Sequence[str], limit: int) -> Facets:
        """Count the values of fields over all events that match; each element of a list is a value."""
        events = self._matching(query, span, now_us)
        return Facets([count_values(events, name, limit) for name in fields])

    def names(self, query: Query, span: Span, *, now_us: int, limit: int) -> FieldCounts:
        """Count the names of fields over all events that match."""
        return FieldCounts(count_names(self._matching(query, span, now_us), limit))

    def groups(self, query: Query, span: Span, *, now_us: int, grouping: Grouping) -> Groups:
        """Group all events that match."""
        times = [stored.event.time_us for stored in self.after(0, self.maxlen)]
        steps = cut(times, times, span, grouping.spark)
        return group(self._matching(query, span, now_us), grouping, steps)

    def find(self, source: str, seq: int) -> StoredEvent | None:
        """Give an event by its id; None where it is not there (any more)."""
        everything = self.after(0, self.maxlen)
        return next((stored for stored in everything if (stored.source, stored.seq) == (source, seq)), None)

    def numbered(self, arrivals: Sequence[int]) -> list[StoredEvent]:
        """Give the events that have these arrival numbers and are there, in any order."""
        return [stored for number in arrivals for stored in self.after(number - 1, 1) if stored.arrival == number]

    def after(self, arrival: int, limit: int) -> list[StoredEvent]:
        """Give the events that arrived behind `arrival`, in order of arrival, at most `limit`."""
        with self._lock:
            oldest = self._newest - len(self._kept) + 1
            first = max(arrival + 1, oldest)
            end = None if self._has_holes else first - oldest + limit
            kept = list(islice(self._kept, first - oldest, end))  # one step: no signal handler comes in between

        present = [(number, entry) for number, entry in enumerate(kept, first) if not entry.is_gone][:limit]
        found = [stored for number, entry in present if (stored := entry.read(number))]
        return found if found or not present else self.after(present[-1][0], limit)

    def matching(self, query: Query, arrivals: Arrivals, *, now_us: int, limit: int) -> list[StoredEvent]:
        """Give the events of these arrivals that match, in order of arrival, at most `limit`."""
        matches = predicate(query, now_us=now_us)

        # Taken at one moment, read one by one: what goes while lines are read would be passed over unseen.
        with self._lock:
            oldest = self._newest - len(self._kept) + 1
            first = max(arrivals.after + 1, oldest)
            kept = list(islice(self._kept, first - oldest, max(first, arrivals.until + 1) - oldest))

        read = (entry.read(number) for number, entry in enumerate(kept, first))
        return list(islice((stored for stored in read if stored and matches(stored.event)), limit))

    def count_matching(self, query: Query, arrivals: Arrivals, *, now_us: int) -> int:
        """Count the events of these arrivals that match."""
        return len(self.matching(query, arrivals, now_us=now_us, limit=arrivals.until))

    def newest(self) -> int:
        """Arrival number of the newest event; 0 in an empty store."""
        return self._newest

    def count(self) -> int:
        """Events in the store."""
        return sum(not kept.is_gone for kept in self._entries()) if self._has_holes else len(self._kept)

    def accounts(self) -> list[Account]:
        """Give what is known of the sources, those that were seen last first."""
        return self._ledger.accounts()

    def stats(self) -> StoreStats:
        """Tell how much it holds, and how long it is kept."""
        received = [kept.received_us for kept in self._entries()]
        times = [stored.event.time_us for stored in self.after(0, self.maxlen)]

        return StoreStats(
            engine="memory",
            events=self.count(),
            oldest_us=min(times, default=None),
            newest_us=max(times, default=None),
            parts=1,
            hot=self.count(),
            rate=rate(received, time.time_ns() // 1000, is_all=len(received) < self.maxlen),
            kept=Kept(events=self.maxlen),
        )

    def total(self, query: Query, span: Span, *, now_us: int) -> int:
        """Count the events that match."""
        return len(self._matching(query, span, now_us))

    def delete(self, query: Query, span: Span, *, now_us: int) -> int:
        """Delete the events that match; give how many went."""
        gone = {(stored.source, stored.seq) for stored in self._matching(query, span, now_us)}

        with self._lock:
            self._has_holes = self._has_holes or bool(gone)
            entries = [kept for kept in self._entries() if (kept.source, kept.seq) in gone and not kept.is_gone]

            for kept in entries:
                kept.end()

        return len(entries)

    def watch(self, wake: Callable[[], None]) -> Callable[[], None]:
        """Call `wake` from any thread after each append; gives back what ends it."""
        return self._watchers.add(wake)

    def resize(self, maxlen: int) -> None:
        """Hold at most `maxlen` events from now on, the newest first."""
        with self._lock:
            self._kept = deque(self._kept, maxlen=maxlen)

    def after_fork(self) -> None:
        """Make the store usable in a forked child: a lock of its own, and none of the parent's watchers."""
        self._lock = threading.RLock()
        self._watchers = Watchers()
        self._source = source_id(time.time_ns() // 1_000_000, os.urandom(6))

    def close(self) -> None:
        """Let go of nothing: the events stay readable until the process ends."""

    def _append_batch(self, batch: Incoming) -> Appended:
        mark = self._marks.pop(batch.source, -1)
        new = trim(batch, mark)

        for seq, line, event in zip(new.seqs, new.lines, new.events, strict=True):
            self._add(_Kept(batch.source, seq, batch.received_us, line, event))

        # Popped and put back, a source that sends stands behind those that are silent.
        self._marks[batch.source] = max(mark, batch.last)

        if len(self._marks) > _MAX_MARKS:
            del self._marks[next(iter(self._marks))]

        self._ledger.note(Sighting.of(new))
        return Appended(len(new.lines), len(batch.lines) - len(new.lines))

    def _add(self, kept: "_Kept") -> None:
        # No call stands between the two steps, so no signal handler can come between them.
        self._kept.append(kept)
        self._newest += 1

    def _entries(self) -> "list[_Kept]":
        with self._lock:
            return list(self._kept)

    def _matching(self, query: Query, span: Span, now_us: int) -> list[StoredEvent]:
        matches = predicate(query, now_us=now_us)
        stop = current_stop()
        found: list[StoredEvent] = []

        for stored in self.after(0, self.maxlen):
            stop.check()

            if span.start_us <= stored.event.time_us < span.end_us and matches(stored.event):
                found.append(stored)

        return found


class _Kept:
    """A line in the store, and its event once someone has asked for it."""

    __slots__ = ("event", "is_gone", "line", "received_us", "seq", "source")

    def __init__(self, source: str, seq: int, received_us: int, line: bytes, event: Event | None = None) -> None:
        self.source = source
        self.seq = seq
        self.received_us = received_us
        self.line = line
        self.event = event
        self.is_gone = False

    def end(self) -> None:
        """Delete it; its number stays."""
        self.is_gone = True
        self.line = b""
        self.event = None

    def read(self, arrival: int) -> StoredEvent | None:
        """Give the event; None where it was deleted meanwhile."""
        line, event = self.line, self.event

        if self.is_gone:
            return None

        if event is None:
            event = self.event = _read(line, self.received_us)

        return StoredEvent(arrival, self.source, self.seq, self.received_us, event)


def _read(line: bytes, received_us: int) -> Event:
    try:
        fields = decode(line)
    except ValueError:  # a line that no formatter of ours wrote is shown as it is
        fields = {"message": line.decode("utf-8", "backslashreplace").rstrip("\n")}

    return Event.from_mapping(fields, now_us=received_us)


def _place(stored: StoredEvent) -> Place:
    return Place(stored.event.time_us, stored.source, stored.seq)


def _place_key(stored: StoredEvent) -> tuple[int, str, int]:
    return stored.event.time_us, stored.source, stored.seq


def _behind(found: list[StoredEvent], start: Place, order: Order) -> list[StoredEvent]:
    edge = (start.time_us, start.source, start.seq)

    if order == "newest":
        return [stored for stored in found if _place_key(stored) < edge]

    return [stored for stored in found if _place_key(stored) > edge]
