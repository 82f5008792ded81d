"""Lines that wait to be sent, in memory: bounded in records and bytes, the oldest waiting dropped first and counted.

Rules:
1. A line gets its sequence number when it is appended. What is dropped leaves a gap in the numbers,
   so the hub sees that something is missing, and how much.
2. What was taken for sending is never dropped and stays the same until it is settled: a resend has the same key.
   It takes up room all the same. Where it leaves none, a new line is itself the oldest that waits, and goes.
3. appended = acked + dead + dropped + queued, at any moment.

A backlog guards itself: one thread at a time appends (the worker sees to that), another one takes and settles.
"""

import threading
import time
from collections import deque
from collections.abc import Callable
from datetime import datetime
from typing import Protocol

from loghub.event.encode import decode
from loghub.wire.batch import Batch

FOREVER = float("inf")
_EXPIRE_EVERY = 10.0


Mark = tuple[tuple[str, int], ...]
"""A place in a backlog: for each source in use, the number of its newest record."""


class Lane(Protocol):
    """Records of one source that wait."""

    source: str
    acked: int
    dead: int
    dropped: int

    @property
    def appended(self) -> int:
        """Lines that were taken in."""

    @property
    def newest(self) -> int:
        """Sequence number of the newest line."""

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
    def under_way(self) -> bool:
        """Whether something is taken and not settled."""

    def since(self) -> float | None:
        """Give the unix time of the oldest queued line; None where there is none, or nobody can tell just now."""

    def take(self, records: int, size: int) -> Batch | None:
        """Give the oldest lines, at most so many records and bytes but at least one line.

        What was taken and is not settled is given again, whole.
        """

    def settle_acked(self, count: int) -> None:
        """Let go of the oldest lines of what was taken: the hub has them."""

    def settle_dead(self, count: int) -> None:
        """Let go of the oldest lines of what was taken: the hub will never take them."""


class Backlog(Protocol):
    """Where lines wait: this memory, or a directory."""

    def lane(self, source: str) -> Lane | None:
        """Give the lane of a source, if it is one of these."""

    @property
    def appended(self) -> int:
        """Lines that were taken in, and those that were refused for want of room."""

    @property
    def acked(self) -> int:
        """Lines that the hub has."""

    @property
    def dead(self) -> int:
        """Lines that the hub will never take."""

    @property
    def dropped(self) -> int:
        """Lines that were lost for want of room."""

    @property
    def queued(self) -> int:
        """Lines that are neither acknowledged nor dead nor dropped."""

    @property
    def queued_bytes(self) -> int:
        """Their bytes."""

    @property
    def size(self) -> int:
        """Bytes that the lines take on a disk, those of other processes included."""

    def since(self) -> float | None:
        """Give the unix time of the oldest queued line; None where there is none, or nobody can tell just now."""

    @property
    def guarantee(self) -> str:
        """What a record survives: "best-effort", "process" or "power"."""

    @property
    def patience(self) -> float:
        """Seconds that a call may wait for room."""

    write: Callable[[bytes, int], bool]
    """Add a line of a level where that is done at once; False where `append` has to see to it."""

    def append(self, line: bytes, level: int = 0) -> bool:
        """Add a line; False where there is no room for it now."""

    def refuse(self) -> None:
        """Count a line that found no room."""

    def mark(self) -> Mark:
        """Give the place behind the newest line."""

    def is_past(self, mark: Mark) -> bool:
        """Tell whether nothing before a place is queued."""

    def tend(self) -> float:
        """Do what is due from time to time; give the seconds until then."""

    def take(self, records: int, size: int) -> Batch | None:
        """Give the oldest lines of one source, as a lane does."""

    def settle_acked(self, count: int) -> None:
        """Let go of the oldest lines of what was taken: the hub has them."""

    def settle_dead(self, count: int, reason: str = "") -> None:
        """Let go of the oldest lines of what was taken: the hub will never take them."""

    def was_fetched(self) -> bool:
        """Tell whether another process has taken what was left to it with the last `let_go`."""

    def let_go(self) -> Callable[[], None]:
        """Let go of what is held; a line that comes later opens it again.

        Returns:
            What there is to do for it on a disk, without any lock.
        """

    def abandon(self) -> None:
        """Let go of what a fork copied from the parent: no I/O."""


class MemoryRing:
    """Lines in memory. A line that has no room by itself is dropped, after all that wait before it.

    Args:
        source: the id under which the lines are sent.
        records: how many lines may wait.
        size: how many bytes may wait.
        keep: seconds after which a line that waits is dropped; 0 for never.
    """

    guarantee = "best-effort"
    patience = 0.0
    size = 0

    def __init__(self, source: str, records: int, size: int, keep: float = 0.0) -> None:
        self.source = source
        self._keep = keep
        self._marks: deque[tuple[int, float]] = deque()  # which was the newest line, and when
        self.appended = self.acked = self.dead = self.dropped = 0
        self._records = records
        self._size = size
        self._first = 1  # sequence number of the first waiting line
        self._waiting: deque[bytes] = deque()
        self._taken: Batch | None = None
        self._bytes = 0
        self._lock = threading.Lock()
        self.write: Callable[[bytes, int], bool] = self.append

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

    @property
    def under_way(self) -> bool:
        """Whether something is taken and not settled."""
        return self._taken is not None

    def since(self) -> float | None:
        """Give the time that the oldest line tells; a line that is no event tells none."""
        with self._lock:
            line = self._taken.lines[0] if self._taken else self._waiting[0] if self._waiting else b""

        return _time_of(line)

    def append(self, line: bytes, _level: int = 0) -> bool:
        """Add a line; where there is no room drop the oldest waiting ones, this one too if it is all that waits."""
        with self._lock:
            self._waiting.append(line)
            self._bytes += len(line)
            self.appended += 1

            while self._waiting and (self.queued > self._records or self._bytes > self._size):
                self._bytes -= len(self._waiting.popleft())
                self._first += 1
                self.dropped += 1

        return True

    def lane(self, source: str) -> Lane | None:
        """Give itself, if the source is its own."""
        return self if source == self.source else None

    def refuse(self) -> None:
        """Count a line that found no room; it does not come to that."""

    def mark(self) -> Mark:
        """Give the place behind the newest line."""
        return ((self.source, self.appended),)

    def is_past(self, mark: Mark) -> bool:
        """Tell whether nothing before a place is queued."""
        return all(self.oldest > newest for _, newest in mark)

    def tend(self) -> float:
        """Drop what has waited for too long; give the seconds until the next look."""
        if not self._keep:
            return FOREVER

        self.expire()
        return min(self._keep / 10, _EXPIRE_EVERY)

    def expire(self) -> int:
        """Drop the lines that have waited for too long, a tenth of that more at most; give how many."""
        now = time.monotonic()

        with self._lock:
            if not self._marks or now >= self._marks[-1][1] + self._keep / 10:
                self._marks.append((self.appended, now))

            before = self._first

            while self._marks and self._marks[0][1] <= now - self._keep:
                last, _ = self._marks.popleft()

                while self._waiting and self._first <= last:
                    self._bytes -= len(self._waiting.popleft())
                    self._first += 1
                    self.dropped += 1

            return self._first - before

    def take(self, records: int, size: int) -> Batch | None:
        """Give the oldest lines; the same ones again until they are settled."""
        with self._lock:
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

    def settle_dead(self, count: int, _reason: str = "") -> None:
        """Let go of lines that the hub will never take."""
        self.dead += self._settle(count)

    def was_fetched(self) -> bool:
        """Tell whether what was left is taken; nothing is ever left."""
        return True

    def let_go(self) -> Callable[[], None]:
        """Let go of nothing: what waits is nowhere else."""
        return _nothing

    def abandon(self) -> None:
        """Let go of nothing: the garbage collector does."""

    def _settle(self, count: int) -> int:
        with self._lock:
            if self._taken is None:
                return 0

            done, rest = self._taken.lines[:count], self._taken.lines[count:]
            self._bytes -= sum(map(len, done))
            self._taken = Batch(self._taken.source, self._taken.first + len(done), rest) if rest else None
            return len(done)


def _time_of(line: bytes) -> float | None:
    try:
        return datetime.fromisoformat(str(decode(line)["timestamp"])).timestamp()
    except (ValueError, KeyError, TypeError):
        return None


def _nothing() -> None:
    """Do nothing."""
