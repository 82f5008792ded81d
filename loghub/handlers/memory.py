"""Lines that wait to be sent, in memory: bounded in records and bytes, the oldest waiting dropped first and counted.

Rules:
1. A line gets its sequence number when it is appended. What is dropped leaves a gap in the numbers,
   so the hub sees that something is missing, and how much.
2. What was taken for sending is never dropped and stays the same until it is settled: a resend has the same key.
   It takes up room all the same. Where it leaves none, a new line is itself the oldest that waits, and goes.
3. appended = acked + dead + dropped + queued, at any moment.

Nothing here locks: the worker calls it under its own lock.
"""

from collections import deque
from typing import Protocol

from loghub.wire.batch import Batch


class Backlog(Protocol):
    """Where lines wait: this memory, or a directory."""

    source: str
    appended: int
    acked: int
    dead: int
    dropped: int

    @property
    def queued(self) -> int:
        """Lines that are neither acknowledged nor dead nor dropped."""

    @property
    def queued_bytes(self) -> int:
        """Their bytes."""

    @property
    def oldest(self) -> int:
        """Sequence number of the oldest queued line, or of the next line where none is queued."""

    @property
    def newest(self) -> int:
        """Sequence number of the newest line; one less than the first where there never was one."""

    def append(self, line: bytes) -> None:
        """Add a line."""

    def take(self, records: int, size: int) -> Batch | None:
        """Give the oldest lines, at most so many records and bytes but at least one line.

        What was taken and is not settled is given again, whole.
        """

    def settle_acked(self, count: int) -> None:
        """Let go of the oldest lines of what was taken: the hub has them."""

    def settle_dead(self, count: int) -> None:
        """Let go of the oldest lines of what was taken: the hub will never take them."""


class MemoryRing:
    """Lines in memory. A line that has no room by itself is dropped, after all that wait before it.

    Args:
        source: the id under which the lines are sent.
        records: how many lines may wait.
        size: how many bytes may wait.
    """

    def __init__(self, source: str, records: int, size: int) -> None:
        self.source = source
        self.appended = self.acked = self.dead = self.dropped = 0
        self._records = records
        self._size = size
        self._first = 1  # sequence number of the first waiting line
        self._waiting: deque[bytes] = deque()
        self._taken: Batch | None = None
        self._bytes = 0

    @property
    def queued(self) -> int:
        """Lines that wait or are under way."""
        return len(self._waiting) + (len(self._taken.lines) if self._taken else 0)

    @property
    def queued_bytes(self) -> int:
        """Bytes of the lines that wait or are under way."""
        return self._bytes

    @property
    def oldest(self) -> int:
        """Sequence number of the oldest queued line, or of the next line."""
        return self._taken.first if self._taken else self._first

    @property
    def newest(self) -> int:
        """Sequence number of the newest line, 0 before the first."""
        return self.appended

    def append(self, line: bytes) -> None:
        """Add a line; where there is no room drop the oldest waiting ones, this one too if it is all that waits."""
        self._waiting.append(line)
        self._bytes += len(line)
        self.appended += 1

        while self._waiting and (self.queued > self._records or self._bytes > self._size):
            self._bytes -= len(self._waiting.popleft())
            self._first += 1
            self.dropped += 1

    def take(self, records: int, size: int) -> Batch | None:
        """Give the oldest lines; the same ones again until they are settled."""
        if self._taken is None and self._waiting:
            lines = [self._waiting.popleft()]
            room = size - len(lines[0])

            while self._waiting and len(lines) < records and (room := room - len(self._waiting[0])) >= 0:
                lines.append(self._waiting.popleft())

            self._taken = Batch(self.source, self._first, tuple(lines))
            self._first += len(lines)

        return self._taken

    def settle_acked(self, count: int) -> None:
        """Let go of lines that the hub has."""
        self.acked += self._settle(count)

    def settle_dead(self, count: int) -> None:
        """Let go of lines that the hub will never take."""
        self.dead += self._settle(count)

    def _settle(self, count: int) -> int:
        if self._taken is None:
            return 0

        done, rest = self._taken.lines[:count], self._taken.lines[count:]
        self._bytes -= sum(map(len, done))
        self._taken = Batch(self.source, self._taken.first + len(done), rest) if rest else None
        return len(done)
