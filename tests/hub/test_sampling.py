"""A sample is evenly chosen, within its rate."""

from hypothesis import given
from hypothesis import strategies as st

from loghub.hub.sampling import Sampler


def test_all_are_shown_as_long_as_they_are_few() -> None:
    sampler = Sampler(10, clock=lambda: 0.0)
    assert sampler.choose(range(10)) == range(10)


def test_many_are_thinned_evenly_up_to_the_newest() -> None:
    sampler = Sampler(4, clock=lambda: 0.0)
    assert sampler.choose(range(100)) == [24, 49, 74, 99]
    assert sampler.choose(range(100)) == []


def test_who_rests_as_told_may_be_shown_a_whole_second_again() -> None:
    now = 0.0
    sampler = Sampler(4, clock=lambda: now)
    assert sampler.rest == 0
    sampler.choose([1])
    assert sampler.rest == 0.25
    sampler.choose(range(100))
    assert sampler.rest == 1
    now += sampler.rest
    assert len(sampler.choose(range(100))) == 4


@given(
    rate=st.integers(1, 50),
    rounds=st.lists(st.tuples(st.floats(0.02, 2), st.integers(0, 500)), min_size=1, max_size=20),
)
def test_a_rate_is_kept(rate: int, rounds: list[tuple[float, int]]) -> None:
    now = 0.0
    sampler = Sampler(rate, clock=lambda: now)
    shown = 0

    for seconds, count in rounds:
        now += seconds
        chosen = sampler.choose(range(count))
        assert list(chosen) == sorted(set(chosen))
        shown += len(chosen)

    assert shown <= rate + now * rate


def test_a_trickle_is_not_shown_faster_than_asked_for() -> None:
    now = 0.0
    sampler = Sampler(1, clock=lambda: now)
    shown = 0

    for number in range(400):
        shown += len(sampler.choose([number]))
        now += 0.025

    assert shown == 10
