"""What a store tells of itself: how much it holds, where, and how long it is kept."""

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass, field

RATE_US = 60_000_000
"""The time over which a rate is taken, in microseconds."""


@dataclass(frozen=True, slots=True)
class Room:
    """What a store takes of a disk.

    Attributes:
        sealed: bytes of sealed files.
        log: bytes of the write-ahead log.
        free: bytes that are free on that disk.
        size: bytes that it has.
    """

    sealed: int
    log: int
    free: int
    size: int


@dataclass(frozen=True, slots=True)
class Kept:
    """How long events are kept; None where that has no bound.

    Attributes:
        age_us: so long from their receipt on, in microseconds.
        size: in so many bytes of disk.
        free: as long as so many bytes are free on the disk.
        events: so many of them.
        rules: queries, and how long what matches them is kept, in microseconds.
    """

    age_us: int | None = None
    size: int | None = None
    free: int | None = None
    events: int | None = None
    rules: Sequence[tuple[str, int]] = ()


@dataclass(frozen=True, slots=True)
class StoreStats:
    """What a store tells of itself.

    Attributes:
        engine: which one it is.
        events: events in it.
        oldest_us: time of the oldest, in microseconds; None in an empty store.
        newest_us: time of the newest.
        parts: parts that hold them.
        hot: events that are in memory.
        rate: events that came in a second, on average over the last minute.
        room: what it takes of a disk; None where it uses none.
        kept: how long events are kept.
        damaged: names of files that cannot be read.
    """

    engine: str
    events: int
    oldest_us: int | None
    newest_us: int | None
    parts: int
    hot: int
    rate: float
    kept: Kept
    room: Room | None = None
    damaged: Sequence[str] = field(default=())


def rate(received_us: Sequence[int], now_us: int, *, is_all: bool) -> float:
    """Give the events in a second over the last minute.

    Args:
        received_us: when the newest events came, in order; where their clock was set back, about in order.
        now_us: the time.
        is_all: whether no others came before them.

    >>> rate([0, 30_000_000, 50_000_000], 60_000_000, is_all=True)
    0.05
    """
    count = len(received_us) - bisect_left(received_us, now_us - RATE_US)
    known_us = RATE_US if is_all or count < len(received_us) else max(1, now_us - received_us[0])
    return count / (known_us / 1_000_000)
