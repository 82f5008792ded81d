"""Top values, names and groups: what every engine must say of many events."""

from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import duckdb
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from store_batches import EVER, SOURCE, START_US, batch

from loghub.event.model import Event, JSONValue
from loghub.hub.store.asked import Asked
from loghub.hub.store.columns import COLUMNS, to_row
from loghub.hub.store.counting import read_facets
from loghub.hub.store.duck import DuckStore
from loghub.hub.store.field_names import read_names
from loghub.hub.store.grouping import read_groups
from loghub.hub.store.memory import MemoryStore
from loghub.hub.store.memory_counts import count_names, count_values, group
from loghub.hub.store.part_file import fill, outline_of, read_shape
from loghub.hub.store.partitions import Extent, Part
from loghub.hub.store.protocol import Span, Store, StoredEvent
from loghub.hub.store.queries import Queries
from loghub.hub.store.source import Source
from loghub.hub.store.steps import cut
from loghub.hub.store.summaries import Facet, Group, Grouping
from loghub.query.parse import parse
from loghub.query.predicate import predicate
from loghub.query.tree import Everything, Query

from query_strategies import FIELD_NAMES, NOW_US, events, queries

ALWAYS = Span(-(2**62), 2**62)
ENGINES = ("memory", "duck", "duck that seals all the time")


def opened(engine: str, data: Path) -> Store:
    if engine == "memory":
        return MemoryStore(maxlen=100_000)

    return DuckStore(data, keep_us=2**60, seal_rows=7 if "seals" in engine else 250_000)


@pytest.fixture(params=ENGINES)
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    with closing(opened(request.param, tmp_path)) as store:
        yield store


def facet(store: Store, field: str, query: str = "", limit: int = 10) -> Facet:
    (found,) = store.facets(parse(query), EVER, now_us=START_US, fields=[field], limit=limit).facets
    return found


def groups(store: Store, *keys: str, query: str = "", limit: int = 10, offset: int = 0, spark: int = 0) -> list[Group]:
    grouping = Grouping([(key,) for key in keys], limit, offset, spark, "service")
    return list(store.groups(parse(query), EVER, now_us=START_US, grouping=grouping).groups)


def test_facets_count_over_all_that_matches(store: Store) -> None:
    store.append([batch(1, 30), batch(31, 3, fields={"user": {"id": 7}})])
    found = store.facets(
        parse("level:error"), EVER, now_us=START_US, fields=["service", "user.id", "level", "nothing"], limit=2
    )

    assert found.partial is None
    assert found.facets == [
        Facet("service", 3, [("service-0", 6), ("service-1", 6)]),
        Facet("user.id", 1, [("7", 2)]),
        Facet("level", 1, [("ERROR", 17)]),
        Facet("nothing", 0, []),
    ]


def test_facets_of_a_span_count_what_lies_in_it(store: Store) -> None:
    store.append([batch(1, 20)])
    found = store.facets(
        Everything(), Span(START_US + 5, START_US + 8), now_us=START_US, fields=["service"], limit=9
    ).facets[0]

    assert list(found.values) == [("service-0", 1), ("service-1", 1), ("service-2", 1)]


def test_an_empty_store_has_empty_summaries(store: Store) -> None:
    assert facet(store, "level") == Facet("level", 0, [])
    assert store.names(Everything(), EVER, now_us=START_US, limit=9).fields == {}
    assert groups(store, "level") == []


def test_each_element_of_a_list_is_a_value_once_for_each_event(store: Store) -> None:
    values: list[JSONValue] = [["a", "b", "a", 42], "a", ["42", None, {"x": 1}, []], {"x": 1}, None, [], True]
    store.append([batch(number, 1, fields={"tags": value}) for number, value in enumerate(values, 1)])

    assert facet(store, "tags") == Facet("tags", 4, [("42", 2), ("a", 2), ("b", 1), ("true", 1)])


def test_a_facet_says_how_many_values_there_are_beyond_its_limit(store: Store) -> None:
    store.append([batch(seq, 1, fields={"user": seq % 10}) for seq in range(1, 31)])

    assert facet(store, "user", limit=3) == Facet("user", 10, [("0", 3), ("1", 3), ("2", 3)])


def test_names_tell_kinds_and_counts_and_what_is_nested(store: Store) -> None:
    store.append([batch(1, 2, fields={"user": {"id": 7, "vip": True}, "tags": ["x"]}), batch(3, 1, fields={"tags": 4})])
    found = store.names(parse(""), EVER, now_us=START_US, limit=100).fields

    assert found["level"] == ("string", 3)
    assert found["levelno"] == ("number", 3)
    assert {name: found[name] for name in ("user", "user.id", "user.vip", "tags")} == {
        "user": ("object", 2),
        "user.id": ("number", 2),
        "user.vip": ("bool", 2),
        "tags": ("mixed", 3),
    }
    assert "request_id" not in found


def test_groups_have_counts_times_and_their_newest_event(store: Store) -> None:
    store.append([batch(1, 6), batch(7, 1, fields={"service": "late"}, times=[-3])])
    found = groups(store, "level", "service", spark=10)

    assert [(group.key, group.count) for group in found] == [
        (("ERROR", "late"), 1),
        *[(("ERROR", f"service-{number}"), 1) for number in range(3)],
        *[(("INFO", f"service-{number}"), 1) for number in range(3)],
    ]
    late = next(group for group in found if group.key[1] == "late")
    assert (late.first_us, late.last_us, late.newest) == (START_US - 3, START_US - 3, 7)
    assert late.spark == [1, 0, 0, 0, 0, 0, 0, 0, 0, 0]
    assert late.collected == ["late"]
    (newest,) = store.numbered([7])
    assert newest.seq == 7


def test_groups_come_in_pages(store: Store) -> None:
    store.append([batch(seq, 1, fields={"user": seq % 10}) for seq in range(1, 31)])
    pages = [groups(store, "user", limit=4, offset=offset) for offset in (0, 4, 8, 12)]

    assert [[group.key[0] for group in page] for page in pages] == [list("0123"), list("4567"), list("89"), []]
    assert {group.count for page in pages for group in page} == {3}


def test_an_event_is_found_by_its_id(store: Store) -> None:
    store.append([batch(1, 20)])
    found = store.find(SOURCE, 13)

    assert found is not None
    assert (found.seq, found.arrival) == (13, 13)
    assert store.find(SOURCE, 21) is None
    assert store.find("nobody", 1) is None


@pytest.fixture(scope="module")
def engine() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as engine:
        engine.execute(f"CREATE TABLE events ({', '.join(f'{name} {kind}' for name, kind in COLUMNS.items())})")
        yield engine


@contextmanager
def read(engine: duckdb.DuckDBPyConnection, stored: list[StoredEvent], sealed: int = 0) -> Iterator[Source]:
    """Read events of which the first `sealed` are in a sealed part."""
    engine.execute("DELETE FROM events")
    engine.executemany(f"INSERT INTO events VALUES ({', '.join('?' * len(COLUMNS))})", [to_row(one) for one in stored])  # noqa: S608 (our own names)
    parts = [seal(engine, stored[:sealed])] if sealed else []
    parts += [Part("events", extent(stored[sealed:]), lambda: None)] if stored[sealed:] else []
    queries = Queries(engine, 100)

    try:
        with queries.question() as question:
            yield Source(question, queries, parts)
    finally:
        queries.close()
        engine.execute("DETACH DATABASE IF EXISTS part")


def extent(stored: list[StoredEvent]) -> Extent:
    times = [one.event.time_us for one in stored]
    first = stored[0].arrival
    return Extent(first, first + len(stored) - 1, len(stored), min(times), max(times), NOW_US)


def seal(engine: duckdb.DuckDBPyConnection, stored: list[StoredEvent]) -> Part:
    engine.execute("ATTACH ':memory:' AS part")
    fill(engine, "part", "SELECT * FROM events WHERE arrival <= ?", [stored[-1].arrival])
    engine.execute("DELETE FROM events WHERE arrival <= ?", [stored[-1].arrival])
    return Part(
        "part.rows",
        extent(stored),
        lambda: None,
        shape=read_shape(engine, "part"),
        outline=outline_of(engine, "part"),
    )


@settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    found=st.lists(events, min_size=1, max_size=6),
    query=queries,
    fields=st.lists(st.sampled_from((*FIELD_NAMES, "timestamp")), min_size=1, max_size=5, unique=True),
    sealed=st.integers(0, 6),
)
@example(
    found=[
        Event.from_mapping({"level": "WARNING"}, now_us=NOW_US),
        Event.from_mapping({"level": "DEBUG", "levelno": 30}, now_us=NOW_US),
    ],
    query=Everything(),
    fields=["levelno"],
    sealed=2,
)
def test_the_engines_say_the_same_of_any_events(
    engine: duckdb.DuckDBPyConnection, found: list[Event], query: Query, fields: list[str], sealed: int
) -> None:
    stored = [StoredEvent(number, SOURCE, number, NOW_US, event) for number, event in enumerate(found, 1)]
    matches = predicate(query, now_us=NOW_US)
    matching = [one for one in stored if matches(one.event)]
    times = [event.time_us for event in found]
    grouping = Grouping([fields[:2], fields[-1:]], 5, 0, 3, fields[0])

    with read(engine, stored, sealed) as source:
        asked = Asked(query, NOW_US)
        facets = read_facets(source, asked, ALWAYS, fields, 4).facets
        names = read_names(source, asked, ALWAYS, 1000).fields
        grouped = read_groups(source, asked, ALWAYS, grouping)

    assert facets == [count_values(matching, name, 4) for name in fields]
    assert names == count_names(matching, 1000)
    expected = group(matching, grouping, cut(times, times, ALWAYS, 3))
    assert list(map(_plain, grouped.groups)) == list(map(_plain, expected.groups))
    assert (grouped.distinct, grouped.total) == (expected.distinct, expected.total)


def _plain(found: Group) -> tuple[object, ...]:
    return found.key, found.count, found.first_us, found.last_us, found.newest, [*found.spark], [*found.collected]
