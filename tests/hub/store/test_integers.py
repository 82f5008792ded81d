"""Integers are counted as integers, and with what other parts have as texts."""

from contextlib import closing
from itertools import pairwise
from pathlib import Path

import pytest
from store_batches import EVER, START_US, batch

from loghub.event.model import JSONValue
from loghub.hub.store import integers
from loghub.hub.store.duck import DuckStore
from loghub.hub.store.memory import MemoryStore
from loghub.hub.store.summaries import Facets
from loghub.query.parse import parse

_MANY = 260  # values, more than an outline has


def _values(text: str) -> list[JSONValue]:
    first: list[JSONValue] = [number * number % _MANY for number in range(300)]
    large: list[JSONValue] = [number % (_MANY + 30) - 7 for number in range(300)]
    other: list[JSONValue] = [str(number % _MANY) if text == "text" else 0.5 for number in range(20)]
    return [*range(_MANY), *first, *large, *other, None, 3, "3", [3, 4]]


@pytest.mark.parametrize(("most", "text", "sealed"), [(2_000_000, "float", "some"), (100, "text", "all")])
def test_integers_of_several_parts_count_as_their_texts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, most: int, text: str, sealed: str
) -> None:
    monkeypatch.setattr(integers, "MOST_COPIED", most)
    values = _values(text)
    batches = [batch(seq, 1, fields={"n": value}) for seq, value in enumerate(values, 1)]
    memory = MemoryStore(maxlen=10_000)
    memory.append(batches)

    with closing(DuckStore(tmp_path, keep_us=2**60, keep_bytes=2**60)) as store:
        cuts = [0, _MANY + 300, 2 * 300 + _MANY, *([len(values)] if sealed == "all" else [])]

        for first, end in pairwise(cuts):
            store.append(batches[first:end])
            store.seal_all()

        store.append(batches[cuts[-1] :])

        for query in ("", "level:error"):
            for limit in (1, 10, 1000):
                expected = _count(memory, query, limit)
                assert _count(store, query, limit) == expected


def test_integers_of_one_kind_come_by_number_then_by_text(tmp_path: Path) -> None:
    values = [*range(_MANY), *range(5, 40)]

    with closing(DuckStore(tmp_path, keep_us=2**60, keep_bytes=2**60)) as store:
        store.append([batch(seq, 1, fields={"n": value}) for seq, value in enumerate(values, 1)])
        store.seal_all()
        facet, _ = _count(store, "", 4).facets

    assert (facet.distinct, facet.values) == (_MANY, [("10", 2), ("11", 2), ("12", 2), ("13", 2)])


def _count(store: DuckStore | MemoryStore, query: str, limit: int) -> Facets:
    return store.facets(parse(query), EVER, now_us=START_US, fields=["n", "service"], limit=limit)
