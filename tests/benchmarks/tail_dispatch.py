"""What it costs to find who asked for an event: by look-up, and by testing each query in turn.

`tail.py` prints its table. Both ways must find the same.
"""

import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from loghub.event.encode import decode
from loghub.event.model import Event
from loghub.hub.dispatch import Dispatch
from loghub.query.parse import parse
from loghub.query.predicate import predicate

_SLICE = 100  # as the hub looks at them
_NOW_US = 1_790_000_000_000_000


@dataclass(frozen=True, slots=True)
class Cost:
    """Milliseconds of CPU for 1,000 events.

    Attributes:
        queries: how many were asked.
        looked_up: by look-up.
        tested: by testing each.
        found: subscribers that were found, for an event.
    """

    queries: int
    looked_up: float
    tested: float
    found: float


def measure(made: Sequence[bytes], asked: Sequence[str], rounds: int) -> Cost:
    """Take both in turns.

    Args:
        made: lines.
        asked: a query for each subscriber.
        rounds: how often; medians are given.
    """
    events = [Event.from_mapping(decode(line), now_us=_NOW_US) for line in made]
    slices = [events[start : start + _SLICE] for start in range(0, len(events), _SLICE)]
    tests = [predicate(parse(query), now_us=_NOW_US) for query in asked]
    dispatch: Dispatch[int] = Dispatch(_NOW_US)

    for number, query in enumerate(asked):
        dispatch.add(parse(query), number)

    def look_up() -> int:
        found = (dispatch.find(part).items() for part in slices)
        return sum(len(group.members) * len(places) for groups in found for group, places in groups)

    def test_each() -> int:
        return sum(test(event) for event in events for test in tests)

    look_up()  # from here on it knows the kinds of events that there are
    taken = [(_taken(look_up), _taken(test_each)) for _ in range(rounds)]
    assert len({found for turn in taken for _, found in turn}) == 1
    looked_up, tested = (statistics.median(turn[way][0] for turn in taken) for way in (0, 1))
    thousands = len(events) / 1000
    return Cost(len(asked), looked_up / thousands, tested / thousands, taken[0][0][1] / len(events))


def _taken(work: Callable[[], int]) -> tuple[float, int]:
    began = time.process_time()
    found = work()
    return (time.process_time() - began) * 1e3, found
