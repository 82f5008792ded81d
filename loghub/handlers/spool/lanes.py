"""The lanes of a spool, and an account of them that outlives each."""

import threading
from collections.abc import Iterator

from loghub.handlers.memory import Lane
from loghub.handlers.spool.incarnation import Incarnation


class Lanes:
    """Lanes come and go in two threads; what became of their records stays.

    Attributes:
        adopted: those that were taken over.
        damaged: bytes that were damaged in them.
    """

    def __init__(self) -> None:
        self.adopted: list[Incarnation] = []
        self.damaged = 0
        self._all: list[Lane] = []
        self._lock = threading.RLock()
        self._past = [0, 0, 0, 0]

    def __iter__(self) -> Iterator[Lane]:
        """Give the lanes there are at this moment."""
        return iter(tuple(self._all))

    def __len__(self) -> int:
        return len(self._all)

    def add(self, lane: Lane) -> None:
        """Take a lane in."""
        with self._lock:
            self._all.append(lane)

    def adopt(self, lane: Incarnation) -> None:
        """Take in what was taken over."""
        with self._lock:
            self.damaged += sum(damage.end - damage.at for _, damage in lane.damages)
            self._all.append(lane)
            self.adopted.append(lane)

    def forget(self, lane: Lane) -> None:
        """Let a lane go; its account stays, but for what is left on the disk for another process's account."""
        with self._lock:
            self._all.remove(lane)

            if lane in self.adopted:
                self.adopted.remove(lane)

            counts = (lane.appended - lane.queued, lane.acked, lane.dead, lane.dropped)
            self._past = [before + count for before, count in zip(self._past, counts, strict=True)]

    def counts(self) -> tuple[int, int, int, int]:
        """Add up what was appended, acknowledged, refused and dropped."""
        with self._lock:
            now = [(lane.appended, lane.acked, lane.dead, lane.dropped) for lane in self._all]
            appended, acked, refused, dropped = (sum(column) for column in zip(self._past, *now, strict=True))
            return appended, acked, refused, dropped
