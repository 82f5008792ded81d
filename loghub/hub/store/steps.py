"""How time is cut for the little curves beside groups: over the part of the span in which there are events."""

from collections.abc import Iterable
from dataclasses import dataclass

from loghub.hub.store.protocol import Span


@dataclass(frozen=True, slots=True)
class Steps:
    """`count` steps of `width` microseconds from `start` on; without a count, one that nobody looks at."""

    start: int
    width: int
    count: int

    def of(self, time_us: int) -> int:
        """Give the step in which a time lies, the first or last one for what lies outside."""
        return min(max(0, (time_us - self.start) // self.width), max(0, self.count - 1))


def cut(oldest: Iterable[int], newest: Iterable[int], span: Span, count: int) -> Steps:
    """Cut the time in which there are events into steps.

    Args:
        oldest: times of the oldest events of each part of the store.
        newest: times of the newest ones.
        span: what was asked for.
        count: how many steps.
    """
    start = max(span.start_us, min(oldest, default=0))
    end = max(start + 1, min(span.end_us, max(newest, default=0) + 1))
    return Steps(start, -(-(end - start) // max(1, count)), count)
