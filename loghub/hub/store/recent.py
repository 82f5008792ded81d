"""The newest events, in memory, by arrival: what live tails read.

It holds lines; their events are made when a tail asks for them.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import repeat

from loghub.event.model import Event
from loghub.hub.store.protocol import Incoming, StoredEvent
from loghub.hub.store.stats import rate


@dataclass(frozen=True, eq=False, slots=True)
class _Batch:
    """What is kept of a batch: its rows would double it."""

    arrival: int
    source: str
    received_us: int
    seqs: Sequence[int]
    events: Sequence[Event]

    @property
    def end(self) -> int:
        """The arrival number behind its last event."""
        return self.arrival + len(self.seqs)

    def between(self, first: int, end: int) -> Iterable[StoredEvent]:
        """Give the events that arrived from `first` on, before `end`."""
        part = slice(first - self.arrival, end - self.arrival)
        seqs, events = self.seqs[part], self.events[part]
        return map(StoredEvent, range(first, end), repeat(self.source), seqs, repeat(self.received_us), events)


class Recent:
    """A ring of the newest events.

    Only one thread at a time adds; any number may read meanwhile.

    Args:
        size: how many events it holds.
        newest: arrival number of the newest event so far, which it does not hold.
        most_bytes: how many bytes the lines of its events have at most; the oldest batch may hold as much again.
    """

    def __init__(self, size: int, newest: int = 0, most_bytes: int = 64_000_000) -> None:
        self._slots: list[_Batch | None] = [None] * size
        self._sizes = [0] * size
        self._most_bytes = most_bytes
        self._newest = newest
        self._oldest = newest + 1
        self.bytes = 0

    def add(self, batch: Incoming, arrival: int) -> None:
        """Add a batch whose lines are numbered from `arrival` on; the oldest events make room."""
        kept = _Batch(arrival, batch.source, batch.received_us, batch.seqs, batch.events)
        sizes = list(map(len, batch.lines))[-len(self._slots) :]
        first = arrival + len(batch.lines) - len(sizes)
        place = first % len(self._slots)
        until_end = min(len(sizes), len(self._slots) - place)
        self._put(place, kept, sizes[:until_end])
        self._put(0, kept, sizes[until_end:])
        self._newest = arrival + len(batch.lines) - 1
        self._oldest = max(self._oldest, self._newest - len(self._slots) + 1)
        self._make_room()

    def _put(self, place: int, batch: _Batch, sizes: list[int]) -> None:
        end = place + len(sizes)
        self.bytes += sum(sizes) - sum(self._sizes[place:end])
        self._slots[place:end] = [batch] * len(sizes)
        self._sizes[place:end] = sizes

    def _make_room(self) -> None:
        while self.bytes > self._most_bytes:
            slot = self._oldest % len(self._slots)
            self.bytes -= self._sizes[slot]
            self._slots[slot], self._sizes[slot] = None, 0
            self._oldest += 1

    def find(self, is_meant: Callable[[StoredEvent], bool]) -> list[int]:
        """Give the arrival numbers of the events that are meant; this makes them all, so no lock is held meanwhile."""
        numbers = range(self._oldest, self._newest + 1)
        found = ((number, self._event(number)) for number in numbers)
        return [number for number, stored in found if stored and is_meant(stored)]

    def forget(self, numbers: Iterable[int]) -> None:
        """Forget events that were deleted; what lies around them is not here as a whole any more.

        Only the thread that may add does this.
        """
        for number in numbers:
            if self._event(number):
                slot = number % len(self._slots)
                self.bytes -= self._sizes[slot]
                self._slots[slot], self._sizes[slot] = None, 0

    def _event(self, number: int) -> StoredEvent | None:
        return next(iter(self._run(number, number)), None)

    def _run(self, first: int, last: int) -> Iterable[StoredEvent]:
        """Give events as far as they came in one batch; none where one of them is not here."""
        slot = first % len(self._slots)
        batch = self._slots[slot]  # it may be an older one, or one that came meanwhile

        if batch is None or not batch.arrival <= first < batch.end:
            return ()

        end = min(last + 1, batch.end, first + len(self._slots) - slot)
        is_whole = self._slots[slot : slot + end - first].count(batch) == end - first
        return batch.between(first, end) if is_whole else ()

    def rate(self, now_us: int) -> float:
        """Give the events in a second over the last minute."""
        kept = [self._slots[number % len(self._slots)] for number in range(self._oldest, self._newest + 1)]
        times = [stored.received_us for stored in kept if stored]
        return rate(times, now_us, is_all=len(times) < len(self._slots))

    def after(self, arrival: int, limit: int) -> list[StoredEvent] | None:
        """Give at most `limit` events behind `arrival`; None where the first of them is not here (any more)."""
        wanted = range(arrival + 1, min(arrival + limit, self._newest) + 1)

        if len(wanted) > len(self._slots) or (wanted and wanted[0] < self._oldest):
            return None

        found: list[StoredEvent] = []

        while len(found) < len(wanted):
            before = len(found)
            found += self._run(wanted[before], wanted[-1])

            if len(found) == before:
                return None

        return found
