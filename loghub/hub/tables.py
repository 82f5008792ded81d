"""Tables: what a stage behind a query makes of the events that match, over whatever store.

Rules:
1. `count` and `top` have the largest rows first. An event that lacks a field counts under null for
   `count`, and not at all for `top`.
2. `timechart` begins and ends with a step that has events; steps are aligned to 1970-01-01 UTC.
3. `fields` has a row for each event, the newest first.
4. A table has at most `limit` rows, a timechart at most `MOST_STEPS`.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import repeat
from typing import Any

from loghub.event.model import JSONValue, format_time
from loghub.hub.store.protocol import Span, Store
from loghub.hub.store.summaries import Grouping, Partial
from loghub.query.fields import reader
from loghub.query.stages import Columns, Count, Stage, Timechart, Top
from loghub.query.tree import Compare, Present, Query, both

MOST_STEPS = 10_000
MOST_KEYS = 50
OTHER = "other"


class TooManyStepsError(ValueError):
    """A timechart would have more rows than anybody reads."""

    def __init__(self, steps: int) -> None:
        super().__init__(f"the timechart would have {steps} rows, at most {MOST_STEPS}: take longer steps or less time")


@dataclass(frozen=True, slots=True)
class Table:
    """Rows of values under columns."""

    columns: Sequence[str]
    rows: Sequence[Sequence[JSONValue]]
    partial: Partial | None = None


@dataclass(frozen=True, slots=True)
class Asked:
    """What a table is made of."""

    store: Store
    query: Query
    span: Span
    now_us: int
    limit: int


def make_table(asked: Asked, stage: Stage) -> Table:
    """Make the table of a stage.

    Raises:
        TooManyStepsError: of a timechart.
    """
    return _TABLES[type(stage)](asked, stage)


def largest(series: dict[str, list[int]]) -> dict[str, list[int]]:
    """Give the keys that count most, and the others together: a field may have a value for each event."""
    if len(series) <= MOST_KEYS:
        return series

    ranked = sorted(series.items(), key=lambda entry: (-sum(entry[1]), entry[0]))
    kept, others = dict(ranked[:MOST_KEYS]), [values for _, values in ranked[MOST_KEYS:]]
    kept[OTHER] = [sum(column) for column in zip(kept.get(OTHER, repeat(0)), *others, strict=False)]
    return kept


def _count(asked: Asked, stage: Count) -> Table:
    grouping = Grouping([(name,) for name in stage.fields], asked.limit)
    found = asked.store.groups(asked.query, asked.span, now_us=asked.now_us, grouping=grouping)
    rows = [[*group.key, group.count] for group in found.groups]
    return Table([*stage.fields, "count"], rows if rows or stage.fields else [[0]], found.partial)


def _top(asked: Asked, stage: Top) -> Table:
    grouping = Grouping([(stage.field,)], stage.limit)
    query = both([asked.query, Present(stage.field)])
    found = asked.store.groups(query, asked.span, now_us=asked.now_us, grouping=grouping)
    return Table([stage.field, "count"], [[*group.key, group.count] for group in found.groups], found.partial)


def _timechart(asked: Asked, stage: Timechart) -> Table:
    whole = asked.store.groups(asked.query, asked.span, now_us=asked.now_us, grouping=Grouping([], 1))

    if not whole.groups:
        return Table(["timestamp", *(["count"] if stage.field is None else [])], [], whole.partial)

    (group,) = whole.groups
    step = max(1000, stage.step_us)
    start = group.first_us // step * step
    steps = (group.last_us - start) // step + 1

    if steps > MOST_STEPS:
        raise TooManyStepsError(steps)

    found = asked.store.histogram(
        both([asked.query, *_within(asked.span)]),
        Span(start, start + steps * step),
        now_us=asked.now_us,
        buckets=steps,
        by="level" if stage.field is None else stage.field,
    )
    series = largest(dict(sorted(found.series.items())))
    columns = (
        series if stage.field is not None else {"count": [sum(counts) for counts in zip(*series.values(), strict=True)]}
    )
    times = [format_time(start + number * step) for number in range(steps)]
    rows = [list(row) for row in zip(times, *columns.values(), strict=True)]
    return Table(["timestamp", *columns], rows, found.partial or whole.partial)


def _within(span: Span) -> list[Query]:
    """Keep a span's edges, where the steps reach beyond them."""
    bounds: list[Query] = []

    for operator, time_us in ((">=", span.start_us), ("<", span.end_us)):
        try:
            bounds.append(Compare("timestamp", operator, format_time(time_us)))  # type: ignore[arg-type]
        except OverflowError:  # an open end
            continue

    return bounds


def _columns(asked: Asked, stage: Columns) -> Table:
    page = asked.store.search(asked.query, asked.span, now_us=asked.now_us, limit=asked.limit)
    readers = [reader(name) for name in stage.fields]
    return Table(stage.fields, [[read(stored.event) for read in readers] for stored in page.events], page.partial)


_TABLES: dict[type, Callable[[Asked, Any], Table]] = {
    Count: _count,
    Top: _top,
    Timechart: _timechart,
    Columns: _columns,
}
