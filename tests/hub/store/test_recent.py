import pytest
from hypothesis import given
from hypothesis import strategies as st
from store_batches import START_US, batch

from loghub.hub.ingest import read_body
from loghub.hub.settings import Limits
from loghub.hub.store.lines import read_event
from loghub.hub.store.protocol import Incoming, StoredEvent
from loghub.hub.store.recent import Recent


def add(recent: Recent, first: int, sizes: list[int]) -> None:
    """Add a batch of lines of these sizes."""
    sent = batch(first, len(sizes))
    lines = [b"x" * size for size in sizes]
    recent.add(Incoming(sent.source, sent.first, sent.last, START_US, sent.seqs, lines, sent.events), first)


def arrivals(found: list[StoredEvent] | None) -> list[int] | None:
    return None if found is None else [stored.arrival for stored in found]


def test_the_newest_are_there() -> None:
    recent = Recent(5)
    add(recent, 1, [1] * 8)

    assert arrivals(recent.after(3, 10)) == [4, 5, 6, 7, 8]
    assert arrivals(recent.after(3, 2)) == [4, 5]
    assert arrivals(recent.after(8, 10)) == []
    assert arrivals(recent.after(20, 10)) == []


def test_what_was_pushed_out_is_not_here() -> None:
    recent = Recent(5)
    add(recent, 1, [1] * 8)

    assert recent.after(2, 1) is None
    assert recent.after(2, 10) is None


def test_what_was_there_before_the_start_is_not_here() -> None:
    recent = Recent(5, newest=8)
    assert recent.after(7, 10) is None
    add(recent, 9, [1] * 1)

    assert recent.after(7, 10) is None
    assert arrivals(recent.after(8, 10)) == [9]


def test_large_events_push_out_more() -> None:
    recent = Recent(5, most_bytes=100)
    add(recent, 1, [30, 30, 30, 30])
    assert recent.bytes == 90
    assert recent.after(0, 4) is None
    assert arrivals(recent.after(1, 10)) == [2, 3, 4]

    add(recent, 5, [1000])
    assert recent.bytes == 0
    assert recent.after(4, 1) is None

    add(recent, 6, [10] * 7)
    assert recent.bytes == 50
    assert arrivals(recent.after(7, 10)) == [8, 9, 10, 11, 12]


def test_an_event_is_the_one_of_its_place_in_its_batch() -> None:
    recent = Recent(20)
    sent = batch(5, 4, bad=[6])
    recent.add(batch(1, 4), 1)
    recent.add(sent, 5)

    stored = [
        StoredEvent(number, sent.source, seq, START_US, sent.events[number - 5])
        for number, seq in zip((5, 6, 7), (5, 7, 8), strict=True)
    ]
    assert recent.after(4, 10) == stored


@pytest.mark.parametrize("before", range(8))
def test_a_batch_of_more_than_there_is_room_for_leaves_its_newest(before: int) -> None:
    recent = Recent(5)

    if before:
        add(recent, 1, [1] * before)

    add(recent, before + 1, [2] * 13)
    assert recent.bytes == 10
    assert recent.after(before + 7, 10) is None
    assert arrivals(recent.after(before + 8, 10)) == list(range(before + 9, before + 14))


@given(
    size=st.integers(1, 9),
    counts=st.lists(st.integers(1, 12), min_size=1, max_size=6),
    after=st.integers(0, 50),
    limit=st.integers(1, 20),
)
def test_what_is_read_is_what_came_without_a_hole_or_nothing(
    size: int, counts: list[int], after: int, limit: int
) -> None:
    recent = Recent(size)
    seqs: list[int] = []

    for count in counts:
        recent.add(batch(1000 * count, count), len(seqs) + 1)
        seqs += range(1000 * count, 1001 * count)

    wanted = list(range(len(seqs) + 1)[after + 1 : after + 1 + limit])
    is_here = not wanted or (wanted[0] > len(seqs) - size and len(wanted) <= size)
    found = recent.after(after, limit)

    assert arrivals(found) == (wanted if is_here else None)
    assert [stored.seq for stored in found or ()] == ([seqs[number - 1] for number in wanted] if is_here else [])


def test_lines_that_were_checked_when_they_came_give_the_same_events() -> None:
    lines = list(batch(1, 5).lines)
    lines[1] = (
        b'{"message":"other order","level":"INFO","n":1234567890123456789,"timestamp":"' + lines[1][14:41] + b'"}\n'
    )
    lines[3] = b'{"message":"no time"}\n'
    recent = Recent(9)
    reading = read_body(b"".join(lines), limits=Limits(), now_us=START_US)
    recent.add(reading.batch("0" * 24, 1), 1)
    found = recent.after(0, 9)

    assert found is not None
    assert reading.odd == [1, 3]  # of other keys' order, and without a time
    assert [stored.event for stored in found] == [read_event(line, START_US) for line in lines]
    assert [list(stored.event.fields)[:2] for stored in found] == [["timestamp", "level"]] * 5
