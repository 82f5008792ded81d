"""Counts by time and by the value of a field, over the parts.

Rules:
1. Where all events of a sealed part are counted by level, its cells say most of it (see `cells`).
2. Where each severity has one level there, time and severity make one number to group by: that takes two thirds of
   the time that two keys take.
"""

from collections.abc import Iterator, Sequence

from loghub.hub.store.asked import Asked
from loghub.hub.store.cells import add_up
from loghub.hub.store.condition import Where, join
from loghub.hub.store.field_sql import field_value, text_of
from loghub.hub.store.partitions import Part
from loghub.hub.store.protocol import Histogram, Span
from loghub.hub.store.source import Source

_COUNTS = (
    "SELECT (time_us - ?) // ? AS bucket, coalesce({field}, '') AS key, count(*) FROM {table}"
    " WHERE {where} GROUP BY bucket, key"
)
_SEVERITIES = 1024
_BY_SEVERITY = (
    f"SELECT ((time_us - ?) // ?) * {_SEVERITIES} + severity AS place, count(*) FROM {{table}}"  # noqa: S608 (our own)
    " WHERE {where} GROUP BY place"
)
_MOST_OPEN = 12  # more ranges of rows cost as much as all rows


def read_histogram(source: Source, asked: Asked, span: Span, buckets: int, by: str) -> Histogram:
    """Count the events of a span that match, by time and by the value of a field.

    The step is in whole milliseconds, as the answer is written with it.
    """
    step_us = max(1, -(-(span.end_us - span.start_us) // (buckets * 1000))) * 1000
    series: dict[str, list[int]] = {}

    for part in source.walk(span, asked):
        counts = _by_level if by == "level" and part.path else _by_field

        for bucket, text, number in counts(source, asked, part, span, step_us, by):
            series.setdefault(text, [0] * buckets)[bucket] += number

    return Histogram(span.start_us, span.end_us, step_us, series, source.partial())


def _by_level(
    source: Source, asked: Asked, part: Part, span: Span, step_us: int, by: str
) -> Iterator[tuple[int, str, int]]:
    cells = part.outline.cells
    open_rows: Sequence[tuple[int, int]] | None = None

    if asked.is_everything and cells.starts:
        sums = add_up(cells, span, step_us)

        if len(sums.open) <= _MOST_OPEN:
            open_rows = sums.open

            for (bucket, level), number in sums.counts.items():
                yield bucket, level, number

    if open_rows is None:
        yield from _counted(source, asked, part, span, step_us, by, ())

    elif open_rows:
        yield from _counted(source, asked, part, span, step_us, by, (_rows_in(open_rows),))


def _by_field(
    source: Source, asked: Asked, part: Part, span: Span, step_us: int, by: str
) -> Iterator[tuple[int, str, int]]:
    return _counted(source, asked, part, span, step_us, by, ())


def _counted(
    source: Source, asked: Asked, part: Part, span: Span, step_us: int, by: str, more: Sequence[Where]
) -> Iterator[tuple[int, str, int]]:
    inside = part.path and span.start_us <= part.extent.min_us and part.extent.max_us < span.end_us
    times = () if inside else (Where("time_us >= ? AND time_us < ?", (span.start_us, span.end_us)),)
    where = join("AND", (asked.of(part), *times, *more))
    levels = part.outline.cells.levels if by == "level" else {}

    if levels and min(levels) >= 0 and max(levels) < _SEVERITIES:
        sql = _BY_SEVERITY.format(table=part.table, where=where.sql)

        for place, number in source.rows(part, sql, [span.start_us, step_us, *where.params]):
            bucket, severity = divmod(place, _SEVERITIES)
            yield bucket, levels[severity], number

        return

    key = field_value(by, part.shape)
    sql = _COUNTS.format(field=text_of(key), table=part.table, where=where.sql)
    yield from source.rows(part, sql, [span.start_us, step_us, *key.params, *where.params])


def _rows_in(ranges: Sequence[tuple[int, int]]) -> Where:
    return join("OR", (Where("rowid BETWEEN ? AND ?", (first, end - 1)) for first, end in ranges))
