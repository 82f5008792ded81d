"""Cells and the rows that they leave open give the histogram of all rows."""

from collections import Counter

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from loghub.hub.store import cells
from loghub.hub.store.cells import Cells, add_up
from loghub.hub.store.protocol import Span

_ROWS = 4

rows = st.lists(st.tuples(st.integers(-20, 60), st.sampled_from((None, "INFO", "ERROR", ""))), min_size=1, max_size=40)


def cut(found: list[tuple[int, str | None]]) -> Cells:
    groups: dict[tuple[int, str | None], list[int]] = {}

    for place, (time, level) in enumerate(found):
        groups.setdefault((place // _ROWS, level), []).append(time)

    pieces = ((cell, level, 20, min(times), max(times), len(times)) for (cell, level), times in groups.items())
    return Cells.of(sorted(pieces, key=lambda piece: piece[0]))


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(found=rows, start=st.integers(-30, 30), length=st.integers(1, 60), step=st.integers(1, 30))
def test_cells_and_open_rows_are_all_rows(
    monkeypatch: pytest.MonkeyPatch, found: list[tuple[int, str | None]], start: int, length: int, step: int
) -> None:
    monkeypatch.setattr(cells, "ROWS", _ROWS)
    found.sort(key=lambda row: row[0])
    span = Span(start, start + length)

    sums = add_up(cut(found), span, step)
    counted = Counter(sums.counts)

    for first, end in sums.open:
        for time, level in found[first:end]:
            if start <= time < span.end_us:
                counted[(time - start) // step, level or ""] += 1

    expected = Counter(((time - start) // step, level or "") for time, level in found if start <= time < span.end_us)
    assert counted == expected


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(found=rows, start=st.integers(-30, 70), length=st.integers(0, 90))
def test_all_rows_of_a_span_and_no_other_lie_between_the_row_numbers(
    monkeypatch: pytest.MonkeyPatch, found: list[tuple[int, str | None]], start: int, length: int
) -> None:
    monkeypatch.setattr(cells, "ROWS", _ROWS)
    found.sort(key=lambda row: row[0])
    span = Span(start, start + length)
    inside = [place for place, (time, _) in enumerate(found) if span.start_us <= time < span.end_us]
    known = cut(found)

    assert set(inside) <= set(known.rows_in(span))
    assert set(known.surely_in(span)) <= set(inside)


def test_rows_of_cells_within_a_bucket_are_not_counted_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cells, "ROWS", _ROWS)
    sums = add_up(cut([(place, "INFO") for place in range(40)]), Span(0, 40), 20)

    assert sums.counts == {(0, "INFO"): 20, (1, "INFO"): 20}
    assert sums.open == []
