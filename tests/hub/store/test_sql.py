"""SQL on a real DuckDB gives the answers of the predicate, for any event and query."""

from collections.abc import Iterator
from contextlib import contextmanager

import duckdb
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from query_vectors import EXAMPLES, Example

from loghub.event.model import Event
from loghub.hub.store.columns import COLUMNS, to_row
from loghub.hub.store.part_file import fill, outline_of, read_shape
from loghub.hub.store.protocol import StoredEvent
from loghub.hub.store.pruning import Known, may_match, tokens
from loghub.hub.store.shape import UNKNOWN, Shape
from loghub.hub.store.sql import where
from loghub.query.parse import parse
from loghub.query.predicate import predicate
from loghub.query.tree import Query
from loghub.query.values import fold

from query_strategies import NOW_US, events, queries

_DEFINITION = ", ".join(f"{name} {kind}" for name, kind in COLUMNS.items())
_PLACES = ", ".join("?" * len(COLUMNS))


@pytest.fixture(scope="module")
def table() -> duckdb.DuckDBPyConnection:
    connection = duckdb.connect()
    connection.execute(f"CREATE TABLE events ({_DEFINITION})")
    return connection


def _store(table: duckdb.DuckDBPyConnection, stored: list[Event]) -> None:
    table.execute("DELETE FROM events")

    if stored:
        rows = [to_row(StoredEvent(place, "s", place, NOW_US, event)) for place, event in enumerate(stored)]
        table.executemany(f"INSERT INTO events VALUES ({_PLACES})", rows)  # noqa: S608 (our own names)


def _select(table: duckdb.DuckDBPyConnection, query: Query, name: str = "events", shape: Shape = UNKNOWN) -> list[int]:
    condition = where(query, now_us=NOW_US, shape=shape)
    sql = f"SELECT arrival FROM {name} WHERE {condition.sql} ORDER BY arrival"  # noqa: S608 (the condition has parameters)
    return [arrival for (arrival,) in table.execute(sql, list(condition.params)).fetchall()]


@contextmanager
def _sealed(table: duckdb.DuckDBPyConnection, stored: list[Event]) -> Iterator[Shape]:
    """Put events into a sealed part, whose table is "part.rows"."""
    _store(table, stored)
    table.execute("ATTACH ':memory:' AS part")

    try:
        fill(table, "part", "SELECT * FROM events", [])
        yield read_shape(table, "part")
    finally:
        table.execute("DETACH part")


@settings(
    max_examples=400, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture]
)
@given(stored=st.lists(events, max_size=5), asked=st.lists(queries, min_size=1, max_size=6))
def test_sql_and_predicate_agree(table: duckdb.DuckDBPyConnection, stored: list[Event], asked: list[Query]) -> None:
    _store(table, stored)

    for query in asked:
        matches = predicate(query, now_us=NOW_US)
        assert _select(table, query) == [place for place, event in enumerate(stored) if matches(event)], str(query)


def _hashes(table: duckdb.DuckDBPyConnection, query: Query) -> dict[str, int]:
    return {text: hashed for text in tokens(query) for (hashed,) in table.execute("SELECT hash(?)", [text]).fetchall()}


@settings(
    max_examples=75, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture]
)
@given(stored=st.lists(events, min_size=1, max_size=6), asked=st.lists(queries, min_size=1, max_size=8))
def test_sql_and_predicate_agree_on_a_sealed_part(
    table: duckdb.DuckDBPyConnection, stored: list[Event], asked: list[Query]
) -> None:
    with _sealed(table, stored) as shape:
        outline = outline_of(table, "part")

        for query in asked:
            matches = predicate(query, now_us=NOW_US)
            expected = [place for place, event in enumerate(stored) if matches(event)]
            assert _select(table, query, "part.rows", shape) == expected, str(query)
            known = Known(shape, outline, _hashes(table, query))
            assert may_match(query, known) or not expected, str(query)


@pytest.mark.parametrize("vector", EXAMPLES, ids=lambda vector: vector.query)
def test_rows_match_as_the_vectors_say(table: duckdb.DuckDBPyConnection, vector: Example) -> None:
    _store(table, [*vector.matching, *vector.not_matching])

    assert _select(table, parse(vector.query)) == list(range(len(vector.matching)))

    with _sealed(table, [*vector.matching, *vector.not_matching]) as shape:
        assert _select(table, parse(vector.query), "part.rows", shape) == list(range(len(vector.matching)))


def test_fold_is_lower_of_the_engine_for_every_character(table: duckdb.DuckDBPyConnection) -> None:
    rows = table.execute(
        "SELECT chr(i::INTEGER), lower('x' || chr(i::INTEGER) || 'Y') FROM range(1, 1114112) t(i)"
        " WHERE i < 55296 OR i > 57343"
    ).fetchall()

    assert [text for text, lowered in rows if fold(f"x{text}Y") != lowered] == []


def test_a_value_never_becomes_part_of_the_sql() -> None:
    condition = where(parse('"x\'; --":"y\'; --" message:/z\'/'), now_us=NOW_US)

    assert "'; --" not in condition.sql
    assert "z'" not in condition.sql
