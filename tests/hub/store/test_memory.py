import signal
import threading

import pytest
from served_hub import batch, line

from loghub.event.encode import decode
from loghub.hub.store.memory import MemoryStore
from loghub.hub.store.protocol import Arrivals, Span
from loghub.query.parse import parse

ALWAYS = Span(0, 2**60)


def test_the_oldest_go_and_arrival_goes_on() -> None:
    store = MemoryStore(3)

    for number in range(5):
        store.append_line(line(str(number)))

    assert [(stored.arrival, stored.seq) for stored in store.after(0, 10)] == [(3, 3), (4, 4), (5, 5)]
    assert (store.count(), store.newest()) == (3, 5)
    assert [stored.arrival for stored in store.after(3, 1)] == [4]
    assert store.after(5, 1) == []


def test_a_line_that_is_no_event_is_shown_as_it_is() -> None:
    store = MemoryStore()
    store.append_line(b"plain \xff text\n")
    (stored,) = store.search(parse("plain"), ALWAYS, now_us=0, limit=1).events
    assert stored.event.fields["message"] == "plain \\xff text"


def test_a_source_that_is_silent_is_forgotten_before_one_that_sends(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("loghub.hub.store.memory._MAX_MARKS", 2)
    store = MemoryStore()
    store.append([batch(line("a"), source="a" * 24), batch(line("b"), source="b" * 24)])
    store.append([batch(line("a"), source="a" * 24), batch(line("c"), source="c" * 24)])
    assert list(store._marks) == ["a" * 24, "c" * 24]


def test_a_smaller_store_keeps_the_newest() -> None:
    store = MemoryStore(10)
    store.append([batch(*(line(str(number)) for number in range(10)))])
    store.resize(2)
    assert [stored.arrival for stored in store.after(0, 10)] == [9, 10]


def test_what_goes_while_lines_are_read_is_not_passed_over(monkeypatch: pytest.MonkeyPatch) -> None:
    store = MemoryStore(1000)
    lines = iter(range(1900))

    def log(count: int) -> None:
        for _ in range(count):
            store.append_line(line(str(next(lines))))

    def read(text: bytes) -> object:
        if store.newest() == 1000:
            log(900)

        return decode(text)

    log(1000)
    monkeypatch.setattr("loghub.hub.store.memory.decode", read)
    found = store.matching(parse(""), Arrivals(0, 1000), now_us=0, limit=1000)
    assert [stored.arrival for stored in found] == list(range(1, 1001))


def test_an_append_in_the_middle_of_an_append_leaves_no_gap() -> None:
    store = MemoryStore(100_000)
    before = signal.signal(signal.SIGALRM, lambda *_: store.append_line(line("inner")))
    signal.setitimer(signal.ITIMER_REAL, 0.0005, 0.0005)

    try:
        for _ in range(5000):
            store.append_line(line("outer"))
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)

    assert store.newest() == store.count() > 5000
    assert len({stored.id for stored in store.after(0, 100_000)}) == store.count()


def test_appends_of_many_threads_are_all_numbered_once() -> None:
    store = MemoryStore(100_000)

    def write() -> None:
        for _ in range(2000):
            store.append_line(b"{}\n")

    threads = [threading.Thread(target=write) for _ in range(4)]

    for thread in threads:
        thread.start()

    for thread in threads:
        thread.join()

    assert sorted(stored.seq for stored in store.after(0, 100_000)) == list(range(1, 8001))


def test_a_watcher_that_left_is_not_called() -> None:
    store = MemoryStore()
    calls: list[str] = []
    end_first = store.watch(lambda: calls.append("first"))
    store.watch(lambda: calls.append("second"))
    end_first()
    end_first()
    store.append([batch(line("a"))])
    assert calls == ["second"]
