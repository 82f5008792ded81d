import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import duckdb
import pytest
from store_batches import EVER, START_US, batch

from loghub.errors import QueryTimeoutError, StoreError
from loghub.hub.store.duck import DuckStore
from loghub.hub.store.queries import Queries
from loghub.query.tree import Everything

ENDLESS = "SELECT count(*) FROM range(1000000000000) t(i) WHERE i::VARCHAR LIKE '%77%'"


@pytest.fixture
def pool() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(1) as pool:
        yield pool


def ask_endlessly(queries: Queries, started: threading.Event) -> None:
    with queries.cursor() as cursor:
        started.set()
        cursor.execute(ENDLESS).fetchall()


def asked(pool: ThreadPoolExecutor, queries: Queries) -> Future[None]:
    started = threading.Event()
    future = pool.submit(ask_endlessly, queries, started)
    assert started.wait(60)
    return future


def test_a_query_that_takes_too_long_is_ended() -> None:
    with duckdb.connect() as engine:
        queries = Queries(engine, 0.1)

        with pytest.raises(QueryTimeoutError, match=r"longer than 0\.1 s: ask for less") as caught:
            ask_endlessly(queries, threading.Event())

        assert isinstance(caught.value, StoreError)
        assert isinstance(caught.value, TimeoutError)
        queries.close()


@pytest.mark.parametrize("end", [Queries.interrupt, Queries.close])
def test_what_is_under_way_ends_at_once(pool: ThreadPoolExecutor, end: Callable[[Queries], None]) -> None:
    with duckdb.connect() as engine:
        queries = Queries(engine, 100)
        future = asked(pool, queries)
        end(queries)

        with pytest.raises(StoreError, match=r"the query was interrupted|was closed while the query ran"):
            future.result(60)

        queries.close()


def test_an_interrupt_between_two_statements_is_not_forgotten(pool: ThreadPoolExecutor) -> None:
    between, go_on = threading.Event(), threading.Event()

    def ask(queries: Queries) -> None:
        with queries.cursor() as cursor:
            cursor.execute("SELECT 1").fetchall()
            between.set()
            go_on.wait(200)
            cursor.execute(ENDLESS).fetchall()

    with duckdb.connect() as engine:
        queries = Queries(engine, 100)
        future = pool.submit(ask, queries)
        assert between.wait(60)
        queries.interrupt()
        go_on.set()

        with pytest.raises(StoreError, match="interrupted"):
            future.result(60)

        queries.close()


def test_after_an_interrupt_it_answers_and_after_a_close_it_does_not() -> None:
    with duckdb.connect() as engine:
        queries = Queries(engine, 100)
        queries.interrupt()

        with queries.cursor() as cursor:
            assert cursor.execute("SELECT 1").fetchall() == [(1,)]

        queries.close()

        with pytest.raises(StoreError, match="is closed"), queries.cursor():
            pass


def test_a_store_that_is_closed_during_a_search_lets_go_of_the_directory(
    pool: ThreadPoolExecutor, tmp_path: Path
) -> None:
    store = DuckStore(tmp_path, keep_us=2**60)
    store.append([batch(1, 3)])
    started = threading.Event()

    def search() -> None:
        with store._read() as source:
            started.set()
            source.cursor.execute(ENDLESS).fetchall()

    future = pool.submit(search)
    assert started.wait(60)
    before = time.monotonic()
    store.close()

    assert time.monotonic() - before < 30  # the search itself would take for ever

    with pytest.raises(StoreError, match="was closed while the query ran"):
        future.result(60)

    again = DuckStore(tmp_path, keep_us=2**60)
    assert again.count() == 3
    again.close()


def test_a_search_has_a_time_limit(tmp_path: Path) -> None:
    store = DuckStore(tmp_path, keep_us=2**60, query_seconds=0.0)
    store.append([batch(first, 5000) for first in range(1, 20_001, 5000)])

    with pytest.raises(QueryTimeoutError):  # noqa: PT012 (which search is too slow is open)
        while True:
            store.search(Everything(), EVER, now_us=START_US, limit=20_000)

    store.close()
