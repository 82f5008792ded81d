"""What every engine must do. A new engine joins by one line in `ENGINES`."""

import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import get_args

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from store_batches import EVER, SOURCE, START_US, batch, source

from loghub.event.encode import decode, encode
from loghub.event.model import Event, JSONValue, format_time
from loghub.hub.answers import event_json
from loghub.hub.ingest import read_body
from loghub.hub.settings import Limits
from loghub.hub.store.columns import from_row
from loghub.hub.store.duck import DuckStore
from loghub.hub.store.line import to_line
from loghub.hub.store.memory import MemoryStore
from loghub.hub.store.protocol import Arrivals, Incoming, Order, Page, Place, Span, Store, StoredEvent
from loghub.query.parse import parse
from loghub.query.predicate import predicate
from loghub.query.tree import Everything

from query_strategies import events

ENGINES: dict[str, Callable[[Path], Store]] = {
    "memory": lambda _: MemoryStore(maxlen=100_000),
    "duck": lambda data: DuckStore(data, keep_us=2**60),
    "duck that seals all the time": lambda data: DuckStore(data, seal_rows=7, keep_us=2**60),
}
EACH_ENGINE = pytest.mark.parametrize("engine", ENGINES)


@pytest.fixture(params=ENGINES)
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    store = ENGINES[request.param](tmp_path)
    yield store
    store.close()


def ids(events: Page | list[StoredEvent]) -> list[tuple[str, int]]:
    return [(stored.source, stored.seq) for stored in (events.events if isinstance(events, Page) else events)]


def search(store: Store, limit: int = 1000, order: Order = "newest", start: Place | None = None) -> Page:
    return store.search(Everything(), EVER, now_us=START_US, limit=limit, order=order, start=start)


def pages(store: Store, limit: int, order: Order) -> Iterator[Page]:
    start = None

    while True:
        page = search(store, limit, order, start)
        yield page
        start = page.next

        if start is None:
            return


def test_an_empty_store_has_nothing(store: Store) -> None:
    assert store.newest() == store.count() == 0
    assert store.after(0, 10) == []
    assert search(store).events == []
    assert search(store).next is None


def test_appended_events_are_visible_when_append_returns(store: Store) -> None:
    (answer,) = store.append([batch(1, 3)])

    assert (answer.accepted, answer.duplicate) == (3, 0)
    assert store.newest() == store.count() == 3
    assert ids(search(store)) == [(SOURCE, 3), (SOURCE, 2), (SOURCE, 1)]


def test_an_event_comes_back_as_it_was(store: Store) -> None:
    sent = batch(
        1, 1, fields={"user": {"id": 2**70, "tags": ["a", None]}, "process": 7, "exc_info": "Traceback", "ümlaut": "\0"}
    )
    store.append([sent])

    for found in (search(store).events, store.after(0, 1)):
        assert found[0].event == sent.events[0]
        assert found[0].received_us == sent.received_us
        assert found[0].id == f"{SOURCE}-0000000000000001"


@pytest.mark.parametrize("quick", [True, False])
@pytest.mark.parametrize("exception", [{}, {"type": 1}, {"type": "E", "fingerprint": "f", "frames": [{"line": 1.50}]}])
def test_an_exception_comes_back_whatever_is_in_it(
    store: Store, exception: dict[str, JSONValue], *, quick: bool
) -> None:
    fields = {"timestamp": format_time(START_US), "level": "ERROR", "a": 1, "exception": exception, "b": 2}
    line = encode(fields) if quick else encode({**fields, "levelno": 40})
    incoming = read_body(line, limits=Limits(), now_us=START_US).batch(SOURCE, 1)
    assert bool(incoming.blocks) == quick

    store.append([incoming])
    (stored,) = search(store).events
    assert stored.event.fields == fields


def test_several_batches_are_appended_together(store: Store) -> None:
    answers = store.append([batch(1, 2), batch(1, 3, sender=source(2)), batch(3, 1)])

    assert [answer.accepted for answer in answers] == [2, 3, 1]
    assert [stored.arrival for stored in store.after(0, 10)] == [1, 2, 3, 4, 5, 6]


def test_a_resend_is_trimmed(store: Store) -> None:
    store.append([batch(1, 5)])
    answers = store.append([batch(3, 5), batch(1, 8)])

    assert [(answer.accepted, answer.duplicate) for answer in answers] == [(2, 3), (1, 7)]
    assert [stored.seq for stored in store.after(0, 100)] == [1, 2, 3, 4, 5, 6, 7, 8]


def test_the_same_numbers_of_two_sources_are_different_events(store: Store) -> None:
    store.append([batch(1, 2), batch(1, 2, sender=source(2))])

    assert store.count() == 4


def test_quarantined_lines_count_for_the_mark_and_are_no_events(store: Store) -> None:
    (answer,) = store.append([batch(1, 4, bad=[2, 4])])
    again = store.append([batch(1, 4, bad=[2, 4]), batch(4, 2)])

    assert (answer.accepted, answer.duplicate) == (2, 0)
    assert [(one.accepted, one.duplicate) for one in again] == [(0, 2), (1, 1)]
    assert [stored.seq for stored in store.after(0, 100)] == [1, 3, 5]


@EACH_ENGINE
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_a_resend_however_it_is_cut_has_no_second_effect(engine: str, data: st.DataObject) -> None:
    with TemporaryDirectory() as folder, closing(ENGINES[engine](Path(folder))) as store:
        mark = 0

        for _ in range(data.draw(st.integers(1, 8), "batches")):
            first = data.draw(st.integers(1, mark + 1), "first")
            count = data.draw(st.integers(1, 12), "count")
            (answer,) = store.append([batch(first, count)])
            last = first + count - 1
            assert answer.accepted == max(0, last - mark)
            assert answer.accepted + answer.duplicate == count
            mark = max(mark, last)

        assert [stored.seq for stored in store.after(0, 1000)] == list(range(1, mark + 1))
        assert sorted(seq for _, seq in ids(search(store))) == list(range(1, mark + 1))


@EACH_ENGINE
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    batches=st.lists(st.tuples(st.integers(1, 3), st.lists(st.integers(0, 9), min_size=1, max_size=9)), max_size=8),
    limit=st.integers(1, 7),
)
def test_pages_hold_each_event_once_and_in_order(engine: str, batches: list[tuple[int, list[int]]], limit: int) -> None:
    with TemporaryDirectory() as folder, closing(ENGINES[engine](Path(folder))) as store:
        expected: list[tuple[int, str, int]] = []
        marks: dict[int, int] = {}

        for sender, times in batches:
            first = marks.get(sender, 0) + 1
            marks[sender] = first + len(times) - 1
            sent = batch(first, len(times), sender=source(sender), times=times)
            store.append([sent])
            expected += [(event.time_us, sent.source, seq) for event, seq in zip(sent.events, sent.seqs, strict=True)]

        for order in get_args(Order):
            found = [
                (stored.event.time_us, stored.source, stored.seq)
                for page in pages(store, limit, order)
                for stored in page.events
            ]
            assert found == sorted(expected, reverse=order == "newest")


def test_events_of_the_same_time_keep_the_order_of_emission(store: Store) -> None:
    store.append([batch(1, 20, times=[5] * 20)])

    assert [stored.seq for stored in search(store, order="oldest").events] == list(range(1, 21))
    assert [stored.seq for stored in search(store).events] == list(range(20, 0, -1))


def test_a_span_holds_its_start_and_not_its_end(store: Store) -> None:
    store.append([batch(1, 20)])
    page = store.search(Everything(), Span(START_US + 5, START_US + 8), now_us=START_US, limit=10, order="oldest")

    assert [stored.seq for stored in page.events] == [5, 6, 7]


def test_a_search_gives_what_matches(store: Store) -> None:
    store.append([batch(1, 20, fields={"user": {"id": 7}}), batch(21, 1)])
    page = store.search(parse("service:service-1 user.id:7 level:error"), EVER, now_us=START_US, limit=10)

    assert [stored.seq for stored in page.events] == [19, 13, 7, 1]
    assert page.total == 21


def test_a_page_as_long_as_what_is_left_is_the_last(store: Store) -> None:
    store.append([batch(1, 20)])

    assert search(store, limit=20).next is None
    assert search(store, limit=19).next is not None


@pytest.mark.parametrize("by", ["level", "service", "colour", "levelno"])
def test_a_histogram_counts_what_a_search_finds(store: Store, by: str) -> None:
    store.append([batch(1, 30, times=[seq * 1000 for seq in range(30)]), batch(31, 3, fields={"colour": "red"})])
    span = Span(START_US + 3000, START_US + 25_500)
    histogram = store.histogram(Everything(), span, now_us=START_US, buckets=4, by=by)
    total = 0

    for bucket in range(4):
        start = histogram.start_us + bucket * histogram.step_us
        within = Span(start, min(start + histogram.step_us, span.end_us))
        page = store.search(Everything(), within, now_us=START_US, limit=100)
        total += len(page.events)
        assert sum(counts[bucket] for counts in histogram.series.values()) == len(page.events)

    assert total == 23
    assert histogram.step_us * 4 >= span.end_us - span.start_us


def test_a_histogram_has_a_series_for_each_value(store: Store) -> None:
    store.append([batch(1, 3), batch(4, 3, fields={"colour": "red"})])
    span = Span(START_US, START_US + 1000)

    assert store.histogram(Everything(), span, now_us=START_US, buckets=1).series == {"INFO": [3], "ERROR": [3]}
    assert store.histogram(Everything(), span, now_us=START_US, buckets=1, by="colour").series == {"": [3], "red": [3]}


def test_after_gives_each_event_once_and_in_order_of_arrival(store: Store) -> None:
    for number in range(10):
        store.append([batch(1, 5, sender=source(number), times=[-number] * 5)])

    seen: list[StoredEvent] = []

    while found := store.after(seen[-1].arrival if seen else 0, 7):
        seen += found

    assert [stored.arrival for stored in seen] == list(range(1, 51))
    assert ids(seen) == [(source(number), seq) for number in range(10) for seq in range(1, 6)]


@EACH_ENGINE
@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    sizes=st.lists(st.integers(1, 12), min_size=1, max_size=5),
    query=st.sampled_from(("", "level:error", "service:service-1 OR event", "ts>-3s -service:service-2", "nothing")),
    data=st.data(),
)
def test_what_matches_among_arrivals_comes_in_order_and_is_counted(
    engine: str, sizes: list[int], query: str, data: st.DataObject
) -> None:
    with TemporaryDirectory() as folder, closing(ENGINES[engine](Path(folder))) as store:
        for number, size in enumerate(sizes):
            store.append([batch(1, size, sender=source(number), times=data.draw(_OFFSETS[size], "times"))])

        after, until = sorted(data.draw(st.tuples(*[st.integers(0, sum(sizes) + 1)] * 2), "arrivals"))
        limit = data.draw(st.integers(1, 20), "limit")
        matches = predicate(parse(query), now_us=START_US)
        expected = [stored for stored in store.after(after, max(until - after, 0)) if matches(stored.event)]
        asked = Arrivals(after, until)

        assert store.matching(parse(query), asked, now_us=START_US, limit=limit) == expected[:limit]
        assert store.count_matching(parse(query), asked, now_us=START_US) == len(expected)


_OFFSETS = {size: st.lists(st.integers(-5_000_000, 5_000_000), min_size=size, max_size=size) for size in range(1, 13)}


@EACH_ENGINE
@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seen=st.lists(events, min_size=1, max_size=8), limit=st.integers(1, 9))
def test_rows_are_what_a_search_finds_and_are_written_as_it_is(engine: str, seen: list[Event], limit: int) -> None:
    whole = [{key: value for key, value in event.fields.items() if (key, value) != ("exception", {})} for event in seen]
    lines = list(map(encode, whole))  # an exception without anything in it is none, and no row has it
    read = [Event.from_mapping(decode(line), now_us=START_US) for line in lines]
    sent = Incoming(SOURCE, 1, len(lines), START_US, range(1, len(lines) + 1), lines, read)

    with TemporaryDirectory() as folder, closing(ENGINES[engine](Path(folder))) as store:
        store.append([sent])
        page = search(store, limit, "oldest")
        found = store.rows(Everything(), EVER, now_us=START_US, limit=limit)
        written = [to_line(row, store.epoch) for row in found.rows]
        expected = [event_json(stored, store.epoch) for stored in page.events]

        assert [from_row(row) for row in found.rows] == page.events
        assert [decode(line) for line in written] == [decode(text) for text in expected]
        assert [list(decode(line)) for line in written] == [list(decode(text)) for text in expected]
        assert found.next == page.next


def test_after_the_newest_there_is_nothing(store: Store) -> None:
    store.append([batch(1, 5)])

    assert store.after(5, 10) == []
    assert store.after(99, 10) == []


def test_a_watcher_wakes_after_each_append_until_it_ends(store: Store) -> None:
    seen: list[int] = []
    end = store.watch(lambda: seen.append(store.newest()))
    store.append([batch(1, 2)])
    store.append([batch(3, 2)])
    end()
    store.append([batch(5, 2)])

    assert seen == [2, 4]


def test_close_is_idempotent(store: Store) -> None:
    store.append([batch(1, 2)])
    store.close()
    store.close()


def test_readers_see_whole_states_while_threads_append(store: Store) -> None:
    senders = [_batches_of(number) for number in range(3)]
    writers = [threading.Thread(target=_append_all, args=(store, batches)) for batches in senders]
    newest = 0

    for writer in writers:
        writer.start()

    while any(writer.is_alive() for writer in writers):
        found = store.after(newest, 50)
        assert [stored.arrival for stored in found] == list(range(newest + 1, newest + 1 + len(found)))
        newest += len(found)

        page = search(store, limit=500)
        assert len(set(ids(page))) == len(page.events)
        assert len(page.events) >= min(newest, 500)

    assert store.count() == store.newest() == 3 * 40 * 5
    assert sorted(ids(search(store))) == sorted((source(number), seq) for number in range(3) for seq in range(1, 201))


def _batches_of(number: int) -> list[Incoming]:
    return [batch(first, 5, sender=source(number), times=[first] * 5) for first in range(1, 201, 5)]


def _append_all(store: Store, batches: list[Incoming]) -> None:
    for one in batches:
        store.append([one])


def test_stats_tell_what_is_there(store: Store) -> None:
    empty = store.stats()
    store.append([batch(1, 20, times=[*range(10), *range(-10, 0)])])
    stats = store.stats()

    assert (empty.events, empty.oldest_us, empty.newest_us) == (0, None, None)
    assert (stats.events, stats.oldest_us, stats.newest_us) == (20, START_US - 10, START_US + 9)
    assert stats.parts >= 1
    assert list(stats.damaged) == []


def test_what_matches_is_deleted_and_what_is_resent_of_it_does_not_come_back(store: Store) -> None:
    store.append([batch(1, 20)])
    span = Span(START_US + 1, START_US + 15)
    query = parse("service:service-1 level:error")

    assert store.total(query, span, now_us=START_US) == 3
    assert store.delete(query, span, now_us=START_US) == 3
    assert store.delete(query, span, now_us=START_US) == 0
    (answer,) = store.append([batch(1, 21)])
    assert (answer.accepted, answer.duplicate) == (1, 20)
    left = [seq for seq in range(1, 22) if seq not in (1, 7, 13)]
    assert [stored.seq for stored in search(store, order="oldest").events] == left
    assert [stored.arrival for stored in store.after(0, 100)] == left
    assert [stored.arrival for stored in store.after(6, 2)] == [8, 9]
    assert store.find(SOURCE, 7) is None
    assert store.numbered([6, 7, 8]) == store.after(5, 2)
    assert (store.count(), store.newest(), store.stats().events) == (18, 21, 18)


@EACH_ENGINE
@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    deletions=st.lists(
        st.tuples(st.integers(1, 12), st.sampled_from(["", "service:service-1", "level:error", "event 1"])), max_size=4
    )
)
def test_after_deletions_there_is_what_did_not_match(engine: str, deletions: list[tuple[int, str]]) -> None:
    with TemporaryDirectory() as folder, closing(ENGINES[engine](Path(folder))) as store:
        expected: list[StoredEvent] = []
        first = 1

        for count, text in deletions:
            store.append([batch(first, count)])
            expected += store.after(first - 1, count)
            first += count
            matches = predicate(parse(text), now_us=START_US)
            gone = [stored for stored in expected if matches(stored.event)]
            assert store.delete(parse(text), EVER, now_us=START_US) == len(gone)
            expected = [stored for stored in expected if stored not in gone]

        assert store.after(0, 1000) == expected
        assert search(store, order="oldest").events == expected
        assert store.count() == len(expected)
