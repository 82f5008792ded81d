"""A sample is evenly chosen, within its rate, and says of how many it is."""

from hypothesis import given
from hypothesis import strategies as st

from loghub.hub.sampling import Sampler


def test_all_are_shown_as_long_as_they_are_few() -> None:
    sampler = Sampler(10, clock=lambda: 0.0)
    assert sampler.choose(range(10)) == (range(10), None)


def test_many_are_thinned_evenly_up_to_the_newest_and_counted() -> None:
    sampler = Sampler(4, clock=lambda: 0.0)
    assert sampler.choose(range(100)) == ([24, 49, 74, 99], 100)


def test_the_end_of_a_sample_is_told_once() -> None:
    now = 0.0
    sampler = Sampler(4, clock=lambda: now)
    sampler.choose(range(100))
    now = 10.0
    assert sampler.choose([]) == ([], None)
    assert sampler.choose([1]) == ([1], 1)
    assert sampler.choose([2]) == ([2], None)


@given(
    rate=st.integers(1, 50),
    rounds=st.lists(st.tuples(st.floats(0.02, 2), st.integers(0, 500)), min_size=1, max_size=20),
)
def test_a_rate_is_kept_and_each_event_counted(rate: int, rounds: list[tuple[float, int]]) -> None:
    now = 0.0
    sampler = Sampler(rate, clock=lambda: now)
    shown = 0

    for seconds, count in rounds:
        now += seconds
        chosen, total = sampler.choose(range(count))
        assert list(chosen) == sorted(set(chosen))
        assert total in (None, count)
        assert total is not None or len(chosen) == count
        shown += len(chosen)

    assert shown <= rate + now * rate


def test_a_trickle_is_not_shown_faster_than_asked_for() -> None:
    now = 0.0
    sampler = Sampler(1, clock=lambda: now)
    shown = told = 0

    for number in range(400):
        chosen, total = sampler.choose([number])
        shown += len(chosen)
        told += total or 1
        now += 0.025

    assert (shown, told) == (10, 400)
