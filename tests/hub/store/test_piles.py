"""Piles bound a page of what is in memory, and a page behind the bound is the page of all rows."""

from pathlib import Path
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from store_batches import EVER, START_US, batch

from loghub.hub.store import piles
from loghub.hub.store.duck import DuckStore
from loghub.hub.store.piles import Pile, add, newest_from, oldest_until
from loghub.hub.store.protocol import Order, Place, Span
from loghub.query.tree import Everything

batches = st.lists(st.lists(st.integers(0, 50), min_size=1, max_size=400), max_size=12)


@given(found=batches, start=st.integers(-5, 55), length=st.integers(1, 60), limit=st.integers(1, 300))
def test_so_many_rows_are_behind_a_bound(found: list[list[int]], start: int, length: int, limit: int) -> None:
    known: list[Pile] = []
    add(known, (Pile(min(times), max(times), len(times)) for times in found))
    span = Span(start, start + length)
    rows = [time for times in found for time in times if span.start_us <= time < span.end_us]
    from_us, until_us = newest_from(known, span, limit), oldest_until(known, span, limit)

    assert sum(pile.count for pile in known) == sum(map(len, found))
    assert from_us is None or sum(time >= from_us for time in rows) >= limit
    assert until_us is None or sum(time < until_us for time in rows) >= limit

    if (
        min(map(min, found), default=0) >= start
        and max(map(max, found), default=0) < span.end_us
        and len(rows) >= limit
    ):
        assert from_us is not None
        assert until_us is not None


@pytest.mark.parametrize("order", ["newest", "oldest"])
@pytest.mark.parametrize("disorder", [0, 30, 1_000])
def test_pages_of_many_piles_are_the_rows_in_order(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, order: Order, disorder: int
) -> None:
    monkeypatch.setattr(piles, "_ROWS", 7)
    chance = Random(7)
    times = [number + chance.randint(-disorder, disorder) for number in range(400)]
    store = DuckStore(tmp_path, keep_us=2**60)
    found: list[int] = []
    place: Place | None = None

    try:
        for first in range(0, 400, 5):
            store.append([batch(first + 1, 5, times=times[first : first + 5])])

            if first % 20 == 0:
                store.search(Everything(), EVER, now_us=0, limit=1)  # what waits becomes a pile

        while True:
            page = store.search(Everything(), EVER, now_us=0, limit=17, order=order, start=place)
            found += [stored.seq for stored in page.events]
            place = page.next

            if place is None:
                break
    finally:
        store.close()

    ascending = sorted(range(1, 401), key=lambda seq: (START_US + times[seq - 1], seq))
    assert found == (ascending if order == "oldest" else ascending[::-1])
