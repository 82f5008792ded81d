from store_batches import START_US, batch

from loghub.hub.store.protocol import StoredEvent
from loghub.hub.store.recent import Recent


def events(first: int, last: int) -> list[StoredEvent]:
    sent = batch(first, last - first + 1)
    return [
        StoredEvent(seq, sent.source, seq, START_US, event) for seq, event in zip(sent.seqs, sent.events, strict=True)
    ]


def arrivals(found: list[StoredEvent] | None) -> list[int] | None:
    return None if found is None else [stored.arrival for stored in found]


def test_the_newest_are_there() -> None:
    recent = Recent(5)
    recent.add(events(1, 8), [1] * 8)

    assert arrivals(recent.after(3, 10)) == [4, 5, 6, 7, 8]
    assert arrivals(recent.after(3, 2)) == [4, 5]
    assert arrivals(recent.after(8, 10)) == []
    assert arrivals(recent.after(20, 10)) == []


def test_what_was_pushed_out_is_not_here() -> None:
    recent = Recent(5)
    recent.add(events(1, 8), [1] * 8)

    assert recent.after(2, 1) is None
    assert recent.after(2, 10) is None


def test_what_was_there_before_the_start_is_not_here() -> None:
    recent = Recent(5, newest=8)
    assert recent.after(7, 10) is None
    recent.add(events(9, 9), [1] * 1)

    assert recent.after(7, 10) is None
    assert arrivals(recent.after(8, 10)) == [9]


def test_large_events_push_out_more() -> None:
    recent = Recent(5, most_bytes=100)
    recent.add(events(1, 4), [30, 30, 30, 30])
    assert recent.bytes == 90
    assert recent.after(0, 4) is None
    assert arrivals(recent.after(1, 10)) == [2, 3, 4]

    recent.add(events(5, 5), [1000])
    assert recent.bytes == 0
    assert recent.after(4, 1) is None

    recent.add(events(6, 12), [10] * 7)
    assert recent.bytes == 50
    assert arrivals(recent.after(7, 10)) == [8, 9, 10, 11, 12]
