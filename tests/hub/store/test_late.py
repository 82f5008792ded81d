"""A read that takes too long says how far it got, and one that nobody waits for ends."""

import socket
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import get_args

import httpx
import pytest
from served_hub import served, wait_until
from store_batches import EVER, START_US, batch

from loghub.errors import QueryTimeoutError, StoreError
from loghub.event.model import format_time
from loghub.hub.api.app import create_app
from loghub.hub.settings import Settings
from loghub.hub.store.duck import DuckStore
from loghub.hub.store.memory import MemoryStore
from loghub.hub.store.partitions import Part
from loghub.hub.store.protocol import Order, Span
from loghub.hub.store.source import Row, Source
from loghub.hub.store.stop import Stop, under
from loghub.hub.store.summaries import Grouping
from loghub.query.parse import parse
from loghub.query.tree import Everything

ENDLESS = "SELECT count(*) FROM range(1000000000000) t(i) WHERE i::VARCHAR LIKE '%77%'"


class Slow:
    """Makes the read of one part take forever: the one that is asked as the n-th.

    Attributes:
        at: which one; 0 from its beginning on.
        is_late: whether the time is over at that moment, as the others may take what a busy machine takes.
    """

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.at = 0
        self.is_late = False
        original = Source.rows

        def rows(source: Source, part: Part, sql: str, values: Sequence[object]) -> list[Row]:
            self.at -= 1

            if self.at == 0 and self.is_late:
                with source.queries._changed:
                    source.question.deadline = 0.0
                    source.queries._changed.notify_all()

            return original(source, part, *((ENDLESS, []) if self.at == 0 else (sql, values)))

        monkeypatch.setattr(Source, "rows", rows)


@pytest.fixture
def slow(monkeypatch: pytest.MonkeyPatch) -> Slow:
    return Slow(monkeypatch)


@pytest.fixture
def store(tmp_path: Path, slow: Slow) -> Iterator[DuckStore]:
    """Give three sealed parts of ten events, a microsecond apart, the first with the oldest."""
    slow.is_late = True

    with closing(DuckStore(tmp_path, keep_us=2**60, seal_rows=10, query_seconds=100)) as store:
        for number, first in enumerate((1, 11, 21), 1):
            store.append([batch(first, 10)])
            wait_until(partial(_has_sealed, store, number))

        yield store


def _has_sealed(store: DuckStore, number: int) -> bool:
    return len([part for part in store._parts.current if part.path]) == number


@pytest.mark.parametrize("order", get_args(Order))
def test_a_search_goes_on_where_it_stopped(store: DuckStore, slow: Slow, order: Order) -> None:
    slow.at = 2
    page = store.search(Everything(), EVER, now_us=START_US, limit=100, order=order)
    assert page.partial is not None
    assert "longer than 100 s" in page.partial.reason
    assert page.partial.scanned_to_us == START_US + {"newest": 21, "oldest": 11}[order]

    rest = store.search(Everything(), EVER, now_us=START_US, limit=100, order=order, start=page.next)
    assert rest.partial is None
    seqs = [stored.seq for stored in (*page.events, *rest.events)]
    assert seqs == (list(range(30, 0, -1)) if order == "newest" else list(range(1, 31)))


def test_a_search_that_got_nowhere_is_refused(store: DuckStore, slow: Slow) -> None:
    slow.at = 1

    with pytest.raises(QueryTimeoutError):
        store.search(Everything(), EVER, now_us=START_US, limit=100)


def test_counts_tell_how_far_they_got(store: DuckStore, slow: Slow) -> None:
    slow.at = 3
    facets = store.facets(parse("event"), EVER, now_us=START_US, fields=["logger"], limit=5)
    assert list(facets.facets[0].values) == [("app", 20)]
    slow.at = 3
    groups = store.groups(Everything(), EVER, now_us=START_US, grouping=Grouping([("logger",)], 5))
    assert (groups.total, groups.distinct) == (20, 1)

    slow.at = 3
    span = Span(START_US, START_US + 100)
    histogram = store.histogram(parse("event"), span, now_us=START_US, buckets=1, by="logger")
    assert histogram.series == {"app": [20]}
    slow.at = 3
    names = store.names(parse("event"), EVER, now_us=START_US, limit=100)
    assert names.fields["message"] == ("string", 20)

    for told in (facets.partial, groups.partial, histogram.partial, names.partial):
        assert told is not None
        assert told.scanned_to_us == START_US + 11


def test_the_answer_says_how_far_it_got(store: DuckStore, slow: Slow) -> None:
    with served(create_app(store, Settings(), ingest=False)) as address:
        slow.at = 2
        answer = httpx.get(f"http://{address}/api/v1/search", params={"limit": 100}).json()
        rest = httpx.get(f"http://{address}/api/v1/search", params={"cursor": answer["cursor"]}).json()

    assert answer["partial"]["scanned_to"] == format_time(START_US + 21)
    assert [len(found["events"]) for found in (answer, rest)] == [10, 20]


def test_a_search_ends_when_its_client_goes(tmp_path: Path, slow: Slow) -> None:
    with closing(DuckStore(tmp_path, keep_us=2**60)) as store:
        store.append([batch(1, 3)])

        with served(create_app(store, Settings(), ingest=False)) as address:
            for path in ("search", "facets", "histogram", "patterns", "export"):
                slow.at = 1

                with socket.create_connection((address.host, address.port)) as client:
                    asked = f"GET /api/v1/{path}?from=2020-01-01&query=event HTTP/1.1\r\nHost: {address}\r\n\r\n"
                    client.sendall(asked.encode())
                    wait_until(lambda: slow.at == 0)

                wait_until(lambda: not store._queries._running)


@pytest.mark.parametrize("engine", ["memory", "duck"])
def test_what_is_called_off_ends_with_an_error(engine: str, tmp_path: Path, slow: Slow) -> None:
    store = MemoryStore(100) if engine == "memory" else DuckStore(tmp_path, keep_us=2**60)
    stop = Stop()

    def ask() -> None:
        with under(stop):
            store.search(Everything(), EVER, now_us=START_US, limit=1)

    with closing(store), ThreadPoolExecutor(1) as pool:
        store.append([batch(1, 3)])
        slow.at = 1

        if engine == "memory":
            stop.set()

        asked = pool.submit(ask)

        if isinstance(store, DuckStore):
            wait_until(lambda: slow.at == 0)
            stop.set()

        with pytest.raises(StoreError, match="nobody waits"):
            asked.result(60)

        assert store.search(Everything(), EVER, now_us=START_US, limit=1).events


def test_a_search_has_a_limit_of_memory(store: DuckStore, monkeypatch: pytest.MonkeyPatch) -> None:
    original = Source.rows

    def rows(source: Source, part: Part, sql: str, values: Sequence[object]) -> list[Row]:
        del sql, values
        source.cursor.execute("SET memory_limit = '20MB'")
        return original(source, part, "SELECT list(i::VARCHAR) FROM range(10000000) t(i)", [])

    monkeypatch.setattr(Source, "rows", rows)

    with served(create_app(store, Settings(), ingest=False)) as address:
        answer = httpx.get(f"http://{address}/api/v1/search")

    assert (answer.status_code, answer.json()["error"]["code"]) == (503, "too_large")


def test_a_watcher_of_a_stop_is_called_once_and_not_after_its_end() -> None:
    stop, calls = Stop(), list[str]()
    stop.watch(lambda: calls.append("first"))
    stop.watch(lambda: calls.append("second"))()
    stop.set()
    stop.set()
    stop.watch(lambda: calls.append("late"))
    assert calls == ["first", "late"]
