"""`GET /api/v1/search` and `GET /api/v1/histogram`: what is stored."""

import time

from starlette.requests import Request
from starlette.responses import Response

from loghub.event.model import format_time
from loghub.hub.answers import event_json, page_cursor, to_json
from loghub.hub.api.answering import answer, missing, partial_json, took_ms
from loghub.hub.api.parameters import (
    now_us,
    read_field,
    read_number,
    read_order,
    read_place,
    read_query,
    read_span,
    read_stages,
)
from loghub.hub.api.parts import Parts
from loghub.hub.store.protocol import Histogram, Page
from loghub.hub.tables import Asked, Table, largest, make_table

_DEFAULT_RANGE = "-15m"


async def search(parts: Parts, request: Request) -> Response:
    """Give a page of the events that match, by time."""
    started = time.perf_counter()
    parameters = request.query_params
    now = now_us()
    query, stage = read_stages(parameters)
    span = read_span(parameters, now)
    limit = read_number(parameters, "limit", 200 if stage is None else 1000, 1000)
    order = read_order(parameters)
    start = read_place(parameters)

    def find() -> bytes:
        page = parts.store.search(query, span, now_us=now, limit=limit, order=order, start=start)
        return _write_page(page, parts.store.epoch, first=start is None, started=started)

    def tabulate() -> bytes:
        return _write_table(make_table(Asked(parts.store, query, span, now, limit), stage), started) if stage else b""

    return await answer(parts, request, tabulate if stage else find)


async def histogram(parts: Parts, request: Request) -> Response:
    """Count the events that match by time and by the value of a field."""
    parameters = request.query_params
    now = now_us()
    query = read_query(parameters)
    span = read_span(parameters, now, _DEFAULT_RANGE)
    buckets = read_number(parameters, "buckets", 60, 1000)
    by = read_field(parameters, "by", "level")

    def count() -> bytes:
        return _write_counts(parts.store.histogram(query, span, now_us=now, buckets=buckets, by=by))

    return await answer(parts, request, count)


def _write_counts(counts: Histogram) -> bytes:
    series = largest(counts.series)

    return to_json(
        {
            "from": format_time(counts.start_us),
            "to": format_time(counts.end_us),
            "step_ms": counts.step_us // 1000,
            "series": [{"key": key, "counts": values} for key, values in series.items()],
            "total": sum(sum(values) for values in series.values()),
            **missing(counts.partial),
        }
    )


def _write_table(table: Table, started: float) -> bytes:
    return to_json(
        {
            "columns": table.columns,
            "rows": table.rows,
            "partial": partial_json(table.partial),
            "took_ms": took_ms(started),
        }
    )


def _write_page(page: Page, epoch: str, *, first: bool, started: float) -> bytes:
    head = b'{"events":[' + b",".join(event_json(stored, epoch) for stored in page.events) + b"],"

    rest = {
        "cursor": page_cursor(page.next) if page.next else None,
        "partial": partial_json(page.partial, page.events[-1].event.time_us if page.events else None),
        "took_ms": took_ms(started),
        "stats": {
            "matched": len(page.events) if first and page.next is None else None,
            "total": page.total,
            "scanned": page.scanned,
            "partitions": page.partitions,
            "skipped": page.skipped,
        },
    }
    return head + to_json(rest)[1:]
