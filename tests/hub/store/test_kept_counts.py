"""What is counted over rows in memory is kept, and only rows that came since are looked at: the sums stay the same."""

import random
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from store_batches import EVER, START_US, batch

from loghub.event.model import JSONValue
from loghub.hub.store import counting, kept_counts
from loghub.hub.store.duck import DuckStore
from loghub.hub.store.hot import Hot
from loghub.hub.store.memory import MemoryStore
from loghub.hub.store.partitions import Part
from loghub.hub.store.protocol import Incoming, Span, Store
from loghub.hub.store.source import Row, Source
from loghub.query.tree import Everything

FIELDS = ["service", "level", "levelno", "message", "status", "tags", "user.id", "process", "nowhere", "timestamp"]
CHOICES: list[dict[str, JSONValue]] = [
    {},
    {"status": 200},
    {"status": "200", "process": 17},
    {"status": 2.5, "tags": ["a", "b", "a"]},
    {"tags": "b", "user": {"id": 7}},
    {"user.id": "seven", "tags": []},
    {"status": None, "exception": {"type": "E", "message": "m"}},
    {"status": {"code": 1}, "process": 18},
]


class Reads:
    """Notes from which arrival number on the hot parts were read."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.first: list[object] = []
        original = Source.rows

        def rows(source: Source, part: Part, sql: str, values: Sequence[object]) -> list[Row]:
            if part.path is None:
                self.first.append(values[-3] if "LIMIT ?" in sql else values[-2])

            return original(source, part, sql, values)

        monkeypatch.setattr(Source, "rows", rows)


@pytest.fixture
def duck(tmp_path: Path) -> Iterator[DuckStore]:
    store = DuckStore(tmp_path / "store", keep_us=2**60, seal_us=2**60)
    yield store
    store.close()


def answers(store: Store, span: Span = EVER) -> object:
    facets = store.facets(Everything(), span, now_us=0, fields=FIELDS, limit=7).facets
    return facets, store.names(Everything(), span, now_us=0, limit=1000).fields


def some(number: int, rng: random.Random) -> Incoming:
    times = [rng.randrange(10_000) for _ in range(5)]
    return batch(number * 5 + 1, 5, times=times, fields=rng.choice(CHOICES), bad=[number * 5 + 2] * (number % 3 == 0))


@pytest.mark.parametrize("seed", range(4))
def test_counts_between_batches_are_those_of_a_store_that_keeps_none(
    duck: DuckStore, seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    rng = random.Random(seed)
    memory = MemoryStore(10_000)
    monkeypatch.setattr(counting, "_MOST_KEPT", rng.choice([3, 10_000]))
    monkeypatch.setattr(kept_counts, "_MOST_KINDS", rng.choice([5, 200]))

    for number in range(24):
        made = some(number, rng)

        for store in (duck, memory):
            store.append([made])

        if rng.random() < 0.8:
            assert answers(duck) == answers(memory)

        if rng.random() < 0.1:
            duck.seal_all()

        if rng.random() < 0.5:
            span = Span(START_US + rng.randrange(9000), START_US + 10_000)
            assert answers(duck, span) == answers(memory, span)


def test_a_read_looks_at_what_came_since_the_last_one(duck: DuckStore, monkeypatch: pytest.MonkeyPatch) -> None:
    duck.append([batch(1, 100)])
    answers(duck)
    reads = Reads(monkeypatch)
    answers(duck)
    assert reads.first == []

    duck.append([batch(101, 3)])
    answers(duck)
    assert set(reads.first) == {100}


def test_rows_that_come_while_a_read_is_under_way_are_counted_once_they_are_in_the_table(
    duck: DuckStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    original = Source.rows
    late = [batch(26, 5), batch(21, 5), batch(11, 10)]
    monkeypatch.setattr(Hot, "_is_read", lambda _: False)  # so that only a read puts rows there

    def rows(source: Source, part: Part, sql: str, values: Sequence[object]) -> list[Row]:
        if late:
            duck.append([late.pop()])

        return original(source, part, sql, values)

    duck.append([batch(1, 10)])
    monkeypatch.setattr(Source, "rows", rows)
    duck.facets(Everything(), EVER, now_us=0, fields=["logger", "level", "service"], limit=7)
    facets = duck.facets(Everything(), EVER, now_us=0, fields=["logger", "level", "service"], limit=7).facets
    assert [sum(count for _, count in facet.values) for facet in facets] == [30, 30, 30]


def test_a_field_with_many_values_is_not_kept(duck: DuckStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(counting, "_MOST_KEPT", 10)

    for number in range(4):
        duck.append([batch(number * 4 + 1, 4)])
        answers(duck)

    kept = duck.parts[-1].kept
    assert kept["values of message"].counts is None
    assert sum((kept["values of service"].counts or {}).values()) == 16


def test_rows_that_came_outside_of_the_span_are_not_counted_in_it(
    duck: DuckStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    duck.append([batch(1, 10)])
    span = Span(START_US, START_US + 50)
    original = Source.rows
    late = [batch(100, 10)]

    def rows(source: Source, part: Part, sql: str, values: Sequence[object]) -> list[Row]:
        found = original(source, part, sql, values)

        while late:  # comes, and is counted by somebody else, while this read is under way
            duck.append([late.pop()])
            answers(duck)

        return found

    monkeypatch.setattr(Source, "rows", rows)

    for _ in range(2):
        (facet,) = duck.facets(Everything(), span, now_us=0, fields=["logger"], limit=7).facets
        assert facet.values == [("app", 10)]
        assert duck.names(Everything(), span, now_us=0, limit=9).fields["logger"] == ("string", 10)
