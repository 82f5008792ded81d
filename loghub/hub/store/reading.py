"""Reads over the parts: pages by time, events by arrival.

A page walks the parts from the newest end (or the oldest) and stops when no other part can contribute. First it finds
where its events are, which reads few columns; then it reads these events alone. The cells of a sealed part say between
which rows they are: where every event matches, these are hardly more than a page has.
A sealed part that cannot be read is left out, and the answer says so.
"""

import heapq
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

from loghub.hub.store.asked import Asked
from loghub.hub.store.cells import Cells
from loghub.hub.store.columns import from_row
from loghub.hub.store.engine import SELECTED
from loghub.hub.store.partitions import Part
from loghub.hub.store.piles import newest_from, oldest_until
from loghub.hub.store.protocol import Order, Page, Place, Rows, Span, StoredEvent
from loghub.hub.store.source import Row, Source

Key: TypeAlias = tuple[int, str, int]
"""Time, source and sequence number: by these, pages are ordered."""


@dataclass(frozen=True, slots=True)
class Found:
    """Where an event of a page is."""

    key: Key
    part: Part
    row: int


_KEYS = "SELECT time_us, source, seq, rowid FROM {table} WHERE {conditions} ORDER BY {order} LIMIT ?"
_ROWS = f"SELECT rowid, {SELECTED} FROM {{table}} WHERE rowid BETWEEN ? AND ? AND {{chosen}}"  # noqa: S608 (our columns)
_ALONE = "TRUE"
_NEAR = "list_contains(?::BIGINT[], rowid)"
_FAR = "rowid IN (SELECT unnest(?::BIGINT[]))"
_NEAR_ROWS = 1024  # of more, the engine passes over most by itself
_ARRIVALS = f"SELECT {SELECTED} FROM {{table}} WHERE arrival > ? ORDER BY arrival LIMIT ?"  # noqa: S608 (our columns)
_BY_ID = "SELECT rowid FROM {table} WHERE seq = ? AND source = ? LIMIT 1"
_ROW = f"SELECT {SELECTED} FROM {{table}} WHERE rowid = ?"  # noqa: S608 (our columns)
_NUMBERED = f"SELECT {SELECTED} FROM {{table}} WHERE arrival IN (SELECT unnest(?::BIGINT[]))"  # noqa: S608 (our columns)
_TOTAL = "SELECT count(*) FROM {table} WHERE ({where}) AND time_us >= ? AND time_us < ?"
_NO_SOURCE = "0"  # comes before each


def read_page(source: Source, asked: Asked, span: Span, limit: int, order: Order, start: Place | None) -> Page:
    """Give the events of a span that match, behind `start`, in the order asked for."""
    walk = _WALKS[order]
    rows, following, looked = _find(source, asked, span, limit, walk, start)

    return Page(
        events=[from_row(row) for row in rows],
        next=following,
        total=sum(part.extent.count for part in source.parts),
        scanned=sum(part.extent.count for part in looked),
        partitions=len(looked),
        skipped=len(source.parts) - len(looked),
        partial=source.partial(walk.reached),
    )


def read_rows(source: Source, asked: Asked, span: Span, limit: int, start: Place | None) -> Rows:
    """Give the events of a span that match, behind `start`, the oldest first, as rows."""
    walk = _WALKS["oldest"]
    rows, following, _ = _find(source, asked, span, limit, walk, start)
    return Rows(rows, following, source.partial(walk.reached))


def _find(
    source: Source, asked: Asked, span: Span, limit: int, walk: "_Newest | _Oldest", start: Place | None
) -> tuple[list[Row], Place | None, list[Part]]:
    """Give the rows of a page, where the next one starts, and the parts that were looked at."""
    span = walk.behind(span, start) if start else span
    hit = sorted(source.hit(span, asked), key=walk.edge)
    found: list[Found] = []
    looked = 0

    for part in hit:
        if len(found) > limit:
            if not walk.can_add(part, found[-1].key):
                break

            span = walk.within(span, found[-1].key)

        rows = _read_part(source, part, asked, span, limit + 1, walk, start)

        if source.late:
            source.leave(hit, looked)
            edge = walk.reached(hit[looked:])
            found = [each for each in found if walk.is_before(each.key, edge)]
            break

        found = list(heapq.merge(found, rows, key=_key, reverse=walk.reverse))[: limit + 1] if found else rows
        looked += 1

    following = None

    if len(found) > limit and limit:
        following = Place(*found[limit - 1].key)

    elif source.late:
        following = walk.place(walk.reached(source.left))

    return _fetch(source, found[:limit]), following, hit[:looked]


def _read_part(
    source: Source, part: Part, asked: Asked, span: Span, limit: int, walk: "_Newest | _Oldest", start: Place | None
) -> list[Found]:
    where = asked.of(part)
    sure = walk.surely_behind(span, start) if asked.is_everything else None
    near = walk.near(part, span, sure, limit) if sure else span
    conditions = [f"({where.sql})", "time_us >= ?", "time_us < ?"]
    values = [*where.params, near.start_us, near.end_us]

    if part.outline.cells.starts:
        rows = _between(part.outline.cells, span, sure, limit, walk)

        if rows.start > 0 or rows.stop < part.extent.count:  # else it would only take time
            conditions.append("rowid BETWEEN ? AND ?")
            values += [rows.start, rows.stop - 1]

    if start:
        conditions.append(walk.condition)
        values += [start.time_us, start.time_us, start.source, start.source, start.seq]

    sql = _KEYS.format(table=part.table, conditions=" AND ".join(conditions), order=walk.order)
    return [
        Found((time, sender, seq), part, row) for time, sender, seq, row in source.rows(part, sql, [*values, limit])
    ]


def _between(cells: Cells, span: Span, sure: Span | None, limit: int, walk: "_Newest | _Oldest") -> range:
    """Give row numbers among which the events of a page are.

    Args:
        cells: of the part.
        span: in which the events are.
        sure: a span in which each event is one of them; None where that depends on the query.
        limit: how many are wanted.
        walk: from which end.
    """
    rows = cells.rows_in(span)
    enough = cells.surely_in(sure) if sure else range(0)

    if len(enough) < limit:
        return rows

    return range(enough.stop - limit, rows.stop) if walk.reverse else range(rows.start, enough.start + limit)


def _key(found: Found) -> Key:
    return found.key


def _fetch(source: Source, found: Sequence[Found]) -> list[Row]:
    """Read events; those of a part that cannot be read any more are left out.

    Raises:
        QueryTimeoutError: it took too long, which leaves no time to read what was found.
    """
    places: dict[Part, list[int]] = {}

    for each in found:
        places.setdefault(each.part, []).append(each.row)

    events: dict[tuple[Part, int], Row] = {}

    for part, rows in places.items():
        late = source.late
        first, last = min(rows), max(rows)
        alone = last - first < len(rows)
        chosen = _ALONE if alone else _NEAR if last - first < _NEAR_ROWS else _FAR
        sql = _ROWS.format(table=part.table, chosen=chosen)

        for number, *row in source.rows(part, sql, [first, last] if alone else [first, last, rows]):
            events[part, number] = tuple(row)

        if source.late is not late and source.late:
            raise source.late

    return [events[each.part, each.row] for each in found if (each.part, each.row) in events]


class _Newest:
    """From the newest event to the oldest."""

    reverse = True
    order = "time_us DESC, source DESC, seq DESC"
    condition = "(time_us < ? OR (time_us = ? AND (source < ? OR (source = ? AND seq < ?))))"

    @staticmethod
    def edge(part: Part) -> int:
        return -part.extent.max_us

    @staticmethod
    def can_add(part: Part, last: Key) -> bool:
        return part.extent.max_us >= last[0]

    @staticmethod
    def within(span: Span, last: Key) -> Span:
        return Span(max(span.start_us, last[0]), span.end_us)

    @staticmethod
    def behind(span: Span, start: Place) -> Span:
        return Span(span.start_us, min(span.end_us, start.time_us + 1))

    @staticmethod
    def surely_behind(span: Span, start: Place | None) -> Span:
        return Span(span.start_us, min(span.end_us, start.time_us)) if start else span

    @staticmethod
    def near(part: Part, span: Span, sure: Span, limit: int) -> Span:
        """Give a span that has the rows of a page, where each row in `sure` is one of it."""
        from_us = newest_from(part.piles, sure, limit)
        return span if from_us is None else Span(from_us, span.end_us)

    @staticmethod
    def reached(left: Sequence[Part]) -> int:
        """Give the time from which on all was read, where these parts were not."""
        return max(part.extent.max_us for part in left) + 1

    @staticmethod
    def is_before(key: Key, edge: int) -> bool:
        return key[0] >= edge

    @staticmethod
    def place(edge: int) -> Place:
        return Place(edge, _NO_SOURCE, 0)


class _Oldest:
    """From the oldest event to the newest."""

    reverse = False
    order = "time_us, source, seq"
    condition = "(time_us > ? OR (time_us = ? AND (source > ? OR (source = ? AND seq > ?))))"

    @staticmethod
    def edge(part: Part) -> int:
        return part.extent.min_us

    @staticmethod
    def can_add(part: Part, last: Key) -> bool:
        return part.extent.min_us <= last[0]

    @staticmethod
    def within(span: Span, last: Key) -> Span:
        return Span(span.start_us, min(span.end_us, last[0] + 1))

    @staticmethod
    def behind(span: Span, start: Place) -> Span:
        return Span(max(span.start_us, start.time_us), span.end_us)

    @staticmethod
    def surely_behind(span: Span, start: Place | None) -> Span:
        return Span(max(span.start_us, start.time_us + 1), span.end_us) if start else span

    @staticmethod
    def near(part: Part, span: Span, sure: Span, limit: int) -> Span:
        """Give a span that has the rows of a page, where each row in `sure` is one of it."""
        until_us = oldest_until(part.piles, sure, limit)
        return span if until_us is None else Span(span.start_us, until_us)

    @staticmethod
    def reached(left: Sequence[Part]) -> int:
        """Give the time up to which all was read, where these parts were not."""
        return min(part.extent.min_us for part in left)

    @staticmethod
    def is_before(key: Key, edge: int) -> bool:
        return key[0] < edge

    @staticmethod
    def place(edge: int) -> Place:
        return Place(edge, _NO_SOURCE, 0)


_WALKS: dict[Order, _Newest | _Oldest] = {"newest": _Newest(), "oldest": _Oldest()}


def read_total(source: Source, asked: Asked, span: Span) -> int:
    """Count the events of a span that match.

    Raises:
        QueryTimeoutError: it takes too long.
    """
    count = 0

    for part in source.walk(span, asked):
        if asked.is_all_of(part, span):
            count += part.extent.count
            continue

        where = asked.of(part)
        values = [*where.params, span.start_us, span.end_us]
        rows = source.rows(part, _TOTAL.format(table=part.table, where=where.sql), values)
        count += sum(number for (number,) in rows)

    if source.late:
        raise source.late

    return count


def find_event(source: Source, sender: str, seq: int) -> StoredEvent | None:
    """Give an event by its id; None where it is not there (any more)."""
    for part in sorted(source.parts, key=lambda part: -part.extent.first):
        for (row,) in source.rows(part, _BY_ID.format(table=part.table), [seq, sender]):
            for values in source.rows(part, _ROW.format(table=part.table), [row]):
                return from_row(values)

    if source.late:
        raise source.late

    return None


def read_numbered(source: Source, arrivals: Sequence[int]) -> list[StoredEvent]:
    """Give the events that have these arrival numbers, in any order."""
    found: list[Row] = []

    for part in source.parts:
        wanted = [number for number in arrivals if part.extent.first <= number <= part.extent.last]

        if wanted:
            found += source.rows(part, _NUMBERED.format(table=part.table), [wanted])

    return [from_row(row) for row in found]


def read_arrivals(source: Source, arrival: int, limit: int) -> list[StoredEvent]:
    """Give at most `limit` events behind `arrival`, in order of arrival."""
    found: list[Row] = []

    for part in sorted(source.parts, key=lambda part: part.extent.first):
        if part.extent.last <= arrival or len(found) >= limit:
            continue

        sql = _ARRIVALS.format(table=part.table)
        found += source.rows(part, sql, [arrival, limit - len(found)])

    return [from_row(row) for row in found]
