"""The ring: bounds, gaps and the account, in every order of calls."""

from hypothesis import given
from hypothesis import strategies as st

from loghub.handlers.memory import MemoryRing

SOURCE = "0" * 24


def test_oldest_lines_are_dropped_and_leave_a_gap() -> None:
    ring = MemoryRing(SOURCE, 3, 1000)

    for number in range(5):
        ring.append(b"%d\n" % number)

    batch = ring.take(10, 1000)
    assert batch is not None
    assert (batch.first, batch.lines) == (3, (b"2\n", b"3\n", b"4\n"))
    assert (ring.appended, ring.dropped, ring.queued) == (5, 2, 3)


def test_bytes_are_bounded_too() -> None:
    ring = MemoryRing(SOURCE, 100, 10)
    ring.append(b"123456\n")
    ring.append(b"abcdef\n")
    assert (ring.queued, ring.queued_bytes, ring.dropped) == (1, 7, 1)


def test_line_larger_than_all_the_room_is_dropped_itself() -> None:
    ring = MemoryRing(SOURCE, 100, 10)
    ring.append(b"x" * 11)
    assert (ring.queued, ring.queued_bytes, ring.dropped) == (0, 0, 1)


def test_what_is_under_way_is_never_dropped_and_given_again_until_settled() -> None:
    ring = MemoryRing(SOURCE, 2, 1000)
    ring.append(b"a\n")
    ring.append(b"b\n")
    batch = ring.take(2, 1000)
    ring.append(b"c\n")
    assert ring.take(2, 1000) is batch
    assert ring.dropped == 1
    ring.settle_acked(1)
    rest = ring.take(2, 1000)
    assert rest is not None
    assert (rest.first, rest.lines) == (2, (b"b\n",))


def test_oldest_that_waits_goes_while_others_are_under_way() -> None:
    ring = MemoryRing(SOURCE, 3, 1000)
    ring.append(b"a\n")
    under_way = ring.take(1, 1000)

    for line in (b"b\n", b"c\n", b"d\n"):
        ring.append(line)

    assert ring.take(9, 1000) is under_way
    ring.settle_acked(1)
    rest = ring.take(9, 1000)
    assert rest is not None
    assert (rest.first, rest.lines, ring.dropped) == (3, (b"c\n", b"d\n"), 1)


def test_new_line_goes_where_all_the_room_is_under_way() -> None:
    ring = MemoryRing(SOURCE, 2, 1000)
    ring.append(b"a\n")
    ring.append(b"b\n")
    ring.take(2, 1000)
    ring.append(b"c\n")
    assert (ring.dropped, ring.queued, ring.newest) == (1, 2, 3)
    ring.settle_acked(2)
    ring.append(b"d\n")
    rest = ring.take(2, 1000)
    assert rest is not None
    assert (rest.first, rest.lines) == (4, (b"d\n",))


def test_line_without_room_by_itself_takes_those_before_it_along() -> None:
    ring = MemoryRing(SOURCE, 100, 10)
    ring.append(b"a\n")
    ring.append(b"x" * 11)
    assert (ring.queued, ring.dropped) == (0, 2)


def test_batch_is_bounded_by_bytes_but_holds_one_line() -> None:
    ring = MemoryRing(SOURCE, 100, 1000)

    for line in (b"x" * 50, b"1", b"2"):
        ring.append(line)

    first = ring.take(10, 20)
    assert first is not None
    assert first.lines == (b"x" * 50,)
    ring.settle_dead(1)
    second = ring.take(10, 20)
    assert second is not None
    assert second.lines == (b"1", b"2")


CALLS = st.one_of(
    st.tuples(st.just("append"), st.integers(1, 30)),
    st.tuples(st.just("take"), st.integers(1, 8)),
    st.tuples(st.sampled_from(["settle_acked", "settle_dead"]), st.integers(0, 9)),
)


@given(st.lists(CALLS, max_size=60), st.integers(1, 10), st.integers(1, 100))
def test_account_holds_after_any_calls(calls: list[tuple[str, int]], records: int, size: int) -> None:
    ring = MemoryRing(SOURCE, records, size)
    written: list[bytes] = []

    for name, number in calls:
        if name == "append":
            written.append(b"%d:" % len(written) + b"x" * number)
            ring.append(written[-1])
        elif name == "take" and (batch := ring.take(number, 50)):
            assert batch.lines == tuple(written[batch.first - 1 : batch.last])
        elif name != "take":
            getattr(ring, name)(number)

        assert ring.appended == ring.acked + ring.dead + ring.dropped + ring.queued
        assert ring.queued_bytes <= max(size, 0) or ring.take(1, 1)
        assert ring.newest == len(written)
