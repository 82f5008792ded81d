"""Reads in the order of arrival, for tails that catch up: what matches, and how many do.

A read that is not whole is an error, unlike that of a search: a tail that passed over what it could not
read would never come back to it. A damaged part alone is passed over; the hub's log says so.
"""

from collections.abc import Iterator

from loghub.hub.store.asked import Asked
from loghub.hub.store.columns import from_row
from loghub.hub.store.engine import SELECTED
from loghub.hub.store.partitions import Part
from loghub.hub.store.protocol import Arrivals, StoredEvent
from loghub.hub.store.source import Row, Source

_MATCHING = (
    f"SELECT {SELECTED} FROM {{table}}"  # noqa: S608 (our columns)
    " WHERE ({where}) AND arrival > ? AND arrival <= ? ORDER BY arrival LIMIT ?"
)
_COUNT = "SELECT count(*) FROM {table} WHERE ({where}) AND arrival > ? AND arrival <= ?"


def read_matching(source: Source, asked: Asked, arrivals: Arrivals, limit: int) -> list[StoredEvent]:
    """Give the events that match, in order of arrival, at most `limit`.

    Raises:
        QueryTimeoutError: it took too long.
    """
    found: list[Row] = []

    for part in _parts(source, arrivals):
        # A merged part may reach over another one: what is behind the last that was found can be no better.
        if len(found) >= limit and part.extent.first > int(found[limit - 1][0]):
            break

        where = asked.of(part)
        sql = _MATCHING.format(table=part.table, where=where.sql)
        found += _rows(source, part, sql, [*where.params, arrivals.after, arrivals.until, limit])
        found.sort(key=_arrival)

    return [from_row(row) for row in found[:limit]]


def count_matching(source: Source, asked: Asked, arrivals: Arrivals) -> int:
    """Count the events that match.

    Raises:
        QueryTimeoutError: it took too long.
    """
    total = 0

    for part in _parts(source, arrivals):
        where = asked.of(part)
        sql = _COUNT.format(table=part.table, where=where.sql)
        rows = _rows(source, part, sql, [*where.params, arrivals.after, arrivals.until])
        total += rows[0][0] if rows else 0

    return total


def _parts(source: Source, arrivals: Arrivals) -> Iterator[Part]:
    """Give the parts that have some of these arrivals, the oldest first."""
    for part in sorted(source.parts, key=lambda part: part.extent.first):
        if part.extent.last > arrivals.after and part.extent.first <= arrivals.until:
            yield part


def _rows(source: Source, part: Part, sql: str, values: list[object]) -> list[Row]:
    rows = source.rows(part, sql, values)

    if source.late:
        raise source.late

    return rows


def _arrival(row: Row) -> int:
    return int(row[0])
