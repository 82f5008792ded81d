"""A store that nobody asks gives memory back, and answers as before."""

import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from loghub.event.encode import encode
from loghub.event.model import Event, format_time
from loghub.hub.store import rest
from loghub.hub.store.duck import DuckStore
from loghub.hub.store.engine import open_engine
from loghub.hub.store.protocol import Incoming
from loghub.hub.store.queries import Queries
from loghub.hub.store.rest import Rest

from processes import wait_for

LIMIT = "300MB"
HELD = "SELECT sum(memory_usage_bytes) FROM duckdb_memory()"
MUCH = "CREATE TABLE file.rows AS SELECT hash(number) AS a, hash(number + 1) AS b FROM range(8_000_000) t(number)"
READ = "SELECT sum(a % 7), sum(b % 7) FROM file.rows"


def test_memory_goes_after_the_questions_and_only_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    engine = open_engine(tmp_path / "scratch", LIMIT)
    engine.execute(f"ATTACH '{tmp_path / 'file.duckdb'}' AS file")
    engine.execute(MUCH)
    engine.execute("CHECKPOINT file")
    queries = Queries(engine, 30)
    rested = Rest(engine, queries, LIMIT)
    limit = engine.execute("SELECT current_setting('memory_limit')").fetchone()

    with queries.cursor() as cursor:
        told = cursor.execute(READ).fetchone()
        assert not rested.take()

    assert not rested.take(), "the last question is not long ago"
    held = engine.execute(HELD).fetchall()[0][0]
    assert held > 100_000_000
    monkeypatch.setattr(rest, "QUIET_S", 0.0)
    assert rested.take()
    assert not rested.take()
    assert engine.execute(HELD).fetchall()[0][0] <= 64_000_000
    assert engine.execute("SELECT current_setting('memory_limit')").fetchone() == limit

    with queries.cursor() as cursor:
        assert cursor.execute(READ).fetchone() == told

    assert rested.take()
    queries.close()
    engine.close()


@pytest.fixture
def store(tmp_path: Path) -> Iterator[DuckStore]:
    with closing(DuckStore(tmp_path, keep_us=2**60)) as store:
        yield store


def test_a_store_rests_by_itself(store: DuckStore, monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[float] = []
    monkeypatch.setattr(Rest, "let_go", lambda _: calls.append(time.monotonic()))
    monkeypatch.setattr(rest, "QUIET_S", 0.0)
    now_us = time.time_ns() // 1000
    event = Event(now_us, 20, {"timestamp": format_time(now_us), "level": "INFO", "message": "one"})
    store.append([Incoming("0" * 24, 1, 1, now_us, range(1, 2), [encode(event.fields)], [event])])

    with store._queries.cursor() as cursor:
        cursor.execute("SELECT 1")

    wait_for(lambda: calls)
