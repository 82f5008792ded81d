"""Windows as a pure machine: every record passes or is counted, and each count is given once."""

from hypothesis import given
from hypothesis import strategies as st

from loghub.filters.windows import Example, Windows


def example(text: str) -> Example:
    return Example("shop", 20, text, "shop.py", 1, None)


def test_limit_passes_and_the_rest_is_counted() -> None:
    windows = Windows(limit=2, length=10, most=5)
    verdicts = [windows.judge("a", now, example("a")) for now in (0, 1, 2, 3, 10)]
    assert [verdict.passes for verdict in verdicts] == [True, True, False, False, True]
    assert [verdict.before for verdict in verdicts] == [0, 0, 0, 0, 2]


def test_other_kinds_are_told_when_their_window_has_ended() -> None:
    windows = Windows(limit=1, length=10, most=5)
    windows.judge("a", 0, example("a"))
    windows.judge("a", 1, example("last of a"))
    assert windows.judge("b", 9, example("b")).ended == ()
    ended = windows.judge("b", 11, example("b")).ended
    assert [(held.count, held.example.text) for held in ended] == [(1, "last of a")]
    assert windows.judge("b", 30, example("b")).before == 1


def test_oldest_kind_is_told_where_there_is_no_more_room() -> None:
    windows = Windows(limit=1, length=10, most=2)
    windows.judge("a", 0, example("a"))
    windows.judge("a", 1, example("a"))
    windows.judge("b", 2, example("b"))
    assert [held.count for held in windows.judge("c", 3, example("c")).ended] == [1]


@given(
    steps=st.lists(st.tuples(st.integers(0, 4), st.integers(0, 6)), max_size=60),
    limit=st.integers(1, 3),
    most=st.integers(1, 4),
)
def test_every_record_passes_or_is_told_once(steps: list[tuple[int, int]], limit: int, most: int) -> None:
    windows = Windows(limit, 10, most)
    now = passed = told = 0

    for kind, waited in steps:
        now += waited
        verdict = windows.judge(kind, now, example(str(kind)))
        passed += verdict.passes
        told += verdict.before + sum(held.count for held in verdict.ended)

    told += sum(held.count for held in windows.close_all())
    assert passed + told == len(steps)
    assert windows.close_all() == []
