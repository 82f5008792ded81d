"""Which sealed parts have had their time; decides, deletes nothing.

What counts is when the hub had an event, never the time that the event says: an import of last year's
lines is kept as long as today's, and a clock that is ahead keeps nothing for ever.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from loghub.hub.store.partitions import Part


@dataclass(frozen=True, slots=True)
class Keep:
    """How much is kept.

    Attributes:
        age_us: how long an event is kept at least, from its receipt on, in microseconds.
        size: how many bytes of sealed files are kept at most.
    """

    age_us: int
    size: int


def expired(parts: Sequence[Part], *, now_us: int, keep: Keep) -> list[Part]:
    """Give the sealed parts that are too old, and the oldest of those that are too much.

    Args:
        parts: all parts; the hot ones stay.
        now_us: the time.
        keep: how much is kept.
    """
    sealed = sorted((part for part in parts if part.path), key=lambda part: part.extent.received_us, reverse=True)
    total = 0
    gone = []

    for part in sealed:
        total += part.size

        if part.extent.received_us < now_us - keep.age_us or total > keep.size:
            gone.append(part)

    return gone
