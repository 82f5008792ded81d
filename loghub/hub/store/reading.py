"""Reads over the parts: pages by time, counts by time, events by arrival.

A page walks the parts from the newest end (or the oldest) and stops when no other part can contribute.
A sealed part that cannot be read is left out, and the answer says so.
"""

import heapq
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import duckdb

from loghub.hub.store.columns import KEY_COLUMNS, PLACE_COLUMNS, from_row
from loghub.hub.store.engine import SELECTED, Cursor, is_unreadable
from loghub.hub.store.partitions import Part
from loghub.hub.store.protocol import Histogram, Order, Page, Place, Span, StoredEvent
from loghub.hub.store.sql import Where
from loghub.query.fields import INSIDE_EXCEPTION, paths

Row: TypeAlias = tuple[Any, ...]
Key: TypeAlias = tuple[int, str, int]

_PAGE = f"SELECT {SELECTED} FROM {{table}} WHERE {{conditions}} ORDER BY {{order}} LIMIT ?"  # noqa: S608 (our columns)
_ARRIVALS = f"SELECT {SELECTED} FROM {{table}} WHERE arrival > ? ORDER BY arrival LIMIT ?"  # noqa: S608 (our columns)
_COUNTS = (
    "SELECT (time_us - ?) // ? AS bucket, coalesce({field}, '') AS key, count(*) FROM {table}"
    " WHERE ({where}) AND time_us >= ? AND time_us < ? GROUP BY bucket, key"
)
_SOURCE, _SEQ, _TIME = (list(PLACE_COLUMNS).index(name) for name in ("source", "seq", "time_us"))


@dataclass(frozen=True, slots=True)
class Source:
    """What a read asks.

    Attributes:
        cursor: of the thread that asks.
        parts: the parts of the store.
        unread: those that could not be read, with the reason; filled by reading.
    """

    cursor: Cursor
    parts: Sequence[Part]
    unread: dict[Part, str] = field(default_factory=dict)

    @property
    def partial(self) -> str | None:
        """Why events may be missing; None where none are."""
        if not self.unread:
            return None

        names = ", ".join(part.path.name for part in self.unread if part.path)
        return f"{len(self.unread)} of {len(self.parts)} parts could not be read: {names}"

    def rows(self, part: Part, sql: str, values: Sequence[object]) -> list[Row]:
        """Ask one part; none where its file cannot be read."""
        try:
            return self.cursor.execute(sql, values).fetchall()
        except duckdb.Error as error:
            if part.path is None or not is_unreadable(error):
                raise

            self.unread[part] = str(error)
            return []


def read_page(source: Source, where: Where, span: Span, limit: int, order: Order, start: Place | None) -> Page:
    """Give the events of a span that match, behind `start`, in the order asked for."""
    parts = source.parts
    walk = _WALKS[order]
    span = walk.behind(span, start) if start else span
    hit = sorted((part for part in parts if part.extent.overlaps(span)), key=walk.edge)
    found: list[Row] = []
    looked = 0

    for part in hit:
        if len(found) > limit:
            if not walk.can_add(part, found[-1]):
                break

            span = walk.within(span, found[-1])

        rows = _read_part(source, part, where, span, limit + 1, walk, start)
        found = list(heapq.merge(found, rows, key=_key, reverse=walk.reverse))[: limit + 1]
        looked += 1

    events = [from_row(row) for row in found[:limit]]
    more = len(found) > limit and bool(events)

    return Page(
        events=events,
        next=Place(events[-1].event.time_us, events[-1].source, events[-1].seq) if more else None,
        total=sum(part.extent.count for part in parts),
        scanned=sum(part.extent.count for part in hit[:looked]),
        partitions=looked,
        skipped=len(parts) - looked,
        partial=source.partial,
    )


def _read_part(
    source: Source, part: Part, where: Where, span: Span, limit: int, walk: "_Newest | _Oldest", start: Place | None
) -> list[Row]:
    conditions = [f"({where.sql})", "time_us >= ?", "time_us < ?"]
    values = [*where.params, span.start_us, span.end_us]

    if start:
        conditions.append(walk.condition)
        values += [start.time_us, start.time_us, start.source, start.source, start.seq]

    sql = _PAGE.format(table=part.table, conditions=" AND ".join(conditions), order=walk.order)
    return source.rows(part, sql, [*values, limit])


def _key(row: Row) -> Key:
    return row[_TIME], row[_SOURCE], row[_SEQ]


class _Newest:
    """From the newest event to the oldest."""

    reverse = True
    order = "time_us DESC, source DESC, seq DESC"
    condition = "(time_us < ? OR (time_us = ? AND (source < ? OR (source = ? AND seq < ?))))"

    @staticmethod
    def edge(part: Part) -> int:
        return -part.extent.max_us

    @staticmethod
    def can_add(part: Part, last: Row) -> bool:
        return part.extent.max_us >= int(last[_TIME])

    @staticmethod
    def within(span: Span, last: Row) -> Span:
        return Span(max(span.start_us, last[_TIME]), span.end_us)

    @staticmethod
    def behind(span: Span, start: Place) -> Span:
        return Span(span.start_us, min(span.end_us, start.time_us + 1))


class _Oldest:
    """From the oldest event to the newest."""

    reverse = False
    order = "time_us, source, seq"
    condition = "(time_us > ? OR (time_us = ? AND (source > ? OR (source = ? AND seq > ?))))"

    @staticmethod
    def edge(part: Part) -> int:
        return part.extent.min_us

    @staticmethod
    def can_add(part: Part, last: Row) -> bool:
        return part.extent.min_us <= int(last[_TIME])

    @staticmethod
    def within(span: Span, last: Row) -> Span:
        return Span(span.start_us, min(span.end_us, last[_TIME] + 1))

    @staticmethod
    def behind(span: Span, start: Place) -> Span:
        return Span(max(span.start_us, start.time_us), span.end_us)


_WALKS: dict[Order, _Newest | _Oldest] = {"newest": _Newest(), "oldest": _Oldest()}


def read_histogram(source: Source, where: Where, span: Span, buckets: int, by: str) -> Histogram:
    """Count the events of a span that match, by time and by the value of a field.

    The step is in whole milliseconds, as the answer is written with it.
    """
    step_us = max(1, -(-(span.end_us - span.start_us) // (buckets * 1000))) * 1000
    name, name_values = _field(by)
    series: dict[str, list[int]] = {}

    for part in source.parts:
        if not part.extent.overlaps(span):
            continue

        sql = _COUNTS.format(field=name, table=part.table, where=where.sql)
        values = [span.start_us, step_us, *name_values, *where.params, span.start_us, span.end_us]

        for bucket, key, number in source.rows(part, sql, values):
            series.setdefault(key, [0] * buckets)[bucket] += number

    return Histogram(span.start_us, span.end_us, step_us, series, source.partial)


def _field(name: str) -> tuple[str, list[str]]:
    """Give the SQL of a field as text, NULL where it is absent, and its parameters."""
    column = _FIELD_COLUMNS.get(name)

    if column is not None:
        return f"{column}::VARCHAR", []

    inside = name.startswith(INSIDE_EXCEPTION)
    table = "exception" if inside else "attributes"
    places = paths(name.removeprefix(INSIDE_EXCEPTION) if inside else name)
    texts = ", ".join([f"json_extract_string({table}, ?)"] * len(places))
    return f"coalesce({texts}, NULL)", [_json_path(place) for place in places]


def _json_path(steps: Sequence[str]) -> str:
    quoted = (step.replace("\\", "\\\\").replace('"', '\\"') for step in steps)
    return "$" + "".join(f'."{step}"' for step in quoted)


_FIELD_COLUMNS = {key: key for key in KEY_COLUMNS} | {
    "levelno": "severity",
    "exception": "exception_type",
    "exception.type": "exception_type",
    "exception.fingerprint": "fingerprint",
}


def read_arrivals(source: Source, arrival: int, limit: int) -> list[StoredEvent]:
    """Give at most `limit` events behind `arrival`, in order of arrival."""
    found: list[Row] = []

    for part in sorted(source.parts, key=lambda part: part.extent.first):
        if part.extent.last <= arrival or len(found) >= limit:
            continue

        sql = _ARRIVALS.format(table=part.table)
        found += source.rows(part, sql, [arrival, limit - len(found)])

    return [from_row(row) for row in found]
