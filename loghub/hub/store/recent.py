"""The newest events, in memory, by arrival: what live tails read."""

from collections.abc import Sequence

from loghub.hub.store.protocol import StoredEvent


class Recent:
    """A ring of the newest events.

    Only one thread at a time adds; any number may read meanwhile.

    Args:
        size: how many events it holds.
        newest: arrival number of the newest event so far, which it does not hold.
    """

    def __init__(self, size: int, newest: int = 0) -> None:
        self._slots: list[StoredEvent | None] = [None] * size
        self._newest = newest

    def add(self, events: Sequence[StoredEvent]) -> None:
        """Add events in order of arrival."""
        for stored in events:
            self._slots[stored.arrival % len(self._slots)] = stored
            self._newest = stored.arrival

    def after(self, arrival: int, limit: int) -> list[StoredEvent] | None:
        """Give at most `limit` events behind `arrival`; None where the first of them is not here (any more)."""
        wanted = range(arrival + 1, min(arrival + limit, self._newest) + 1)

        if len(wanted) > len(self._slots):
            return None

        found = [self._slots[number % len(self._slots)] for number in wanted]

        # A slot may hold an older event, or a newer one that came while we read.
        whole = [stored for stored, number in zip(found, wanted, strict=True) if stored and stored.arrival == number]
        return whole if len(whole) == len(wanted) else None
