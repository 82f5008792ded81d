"""The newest events, in memory, by arrival: what live tails read."""

from collections.abc import Callable, Iterable, Sequence

from loghub.hub.store.protocol import StoredEvent
from loghub.hub.store.stats import rate


class Recent:
    """A ring of the newest events.

    Only one thread at a time adds; any number may read meanwhile.

    Args:
        size: how many events it holds.
        newest: arrival number of the newest event so far, which it does not hold.
        most_bytes: how many bytes the lines of its events have at most.
    """

    def __init__(self, size: int, newest: int = 0, most_bytes: int = 64_000_000) -> None:
        self._slots: list[StoredEvent | None] = [None] * size
        self._sizes = [0] * size
        self._most_bytes = most_bytes
        self._newest = newest
        self._oldest = newest + 1
        self.bytes = 0

    def add(self, events: Sequence[StoredEvent], sizes: Iterable[int]) -> None:
        """Add events in order of arrival, with the bytes of their lines; the oldest make room."""
        for stored, size in zip(events, sizes, strict=True):
            slot = stored.arrival % len(self._slots)
            self.bytes += size - self._sizes[slot]
            self._slots[slot], self._sizes[slot] = stored, size
            self._newest = stored.arrival
            self._oldest = max(self._oldest, stored.arrival - len(self._slots) + 1)
            self._make_room()

    def _make_room(self) -> None:
        while self.bytes > self._most_bytes:
            slot = self._oldest % len(self._slots)
            self.bytes -= self._sizes[slot]
            self._slots[slot], self._sizes[slot] = None, 0
            self._oldest += 1

    def forget(self, is_gone: Callable[[StoredEvent], bool]) -> None:
        """Forget events that were deleted; what lies around them is not here as a whole any more."""
        for slot, stored in enumerate(self._slots):
            if stored and is_gone(stored):
                self.bytes -= self._sizes[slot]
                self._slots[slot], self._sizes[slot] = None, 0

    def rate(self, now_us: int) -> float:
        """Give the events in a second over the last minute."""
        kept = [self._slots[number % len(self._slots)] for number in range(self._oldest, self._newest + 1)]
        times = [stored.received_us for stored in kept if stored]
        return rate(times, now_us, is_all=len(times) < len(self._slots))

    def after(self, arrival: int, limit: int) -> list[StoredEvent] | None:
        """Give at most `limit` events behind `arrival`; None where the first of them is not here (any more)."""
        wanted = range(arrival + 1, min(arrival + limit, self._newest) + 1)

        if len(wanted) > len(self._slots):
            return None

        found = [self._slots[number % len(self._slots)] for number in wanted]

        # A slot may hold an older event, or a newer one that came while we read.
        whole = [stored for stored, number in zip(found, wanted, strict=True) if stored and stored.arrival == number]
        return whole if len(whole) == len(wanted) else None
