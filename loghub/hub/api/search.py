"""`GET /api/v1/search` and `GET /api/v1/histogram`: what is stored."""

import time
from collections.abc import Mapping
from itertools import repeat

from starlette.requests import Request
from starlette.responses import Response

from loghub.event.model import format_time
from loghub.hub.answers import event_json, page_cursor, to_json
from loghub.hub.api.answering import answer, partial_json, took_ms
from loghub.hub.api.parameters import now_us, read_field, read_number, read_order, read_place, read_query, read_span
from loghub.hub.api.parts import Parts
from loghub.hub.store.protocol import Histogram, Page

_DEFAULT_RANGE = "-15m"
_MAX_KEYS = 50
_OTHER = "other"


async def search(parts: Parts, request: Request) -> Response:
    """Give a page of the events that match, by time."""
    started = time.perf_counter()
    parameters = request.query_params
    now = now_us()
    query = read_query(parameters)
    span = read_span(parameters, now)
    limit = read_number(parameters, "limit", 200, 1000)
    order = read_order(parameters)
    start = read_place(parameters)

    def find() -> bytes:
        page = parts.store.search(query, span, now_us=now, limit=limit, order=order, start=start)
        return _write_page(page, parts.store.epoch, first=start is None, started=started)

    return await answer(parts, request, find)


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
    series = _largest(counts.series)

    return to_json(
        {
            "from": format_time(counts.start_us),
            "to": format_time(counts.end_us),
            "step_ms": counts.step_us // 1000,
            "series": [{"key": key, "counts": values} for key, values in series],
            "total": sum(sum(values) for _, values in series),
        }
    )


def _largest(series: Mapping[str, list[int]]) -> list[tuple[str, list[int]]]:
    """Give the keys that count most, and the others together: a field may have a value for each event."""
    if len(series) <= _MAX_KEYS:
        return list(series.items())

    ranked = sorted(series.items(), key=lambda entry: (-sum(entry[1]), entry[0]))
    kept, others = dict(ranked[:_MAX_KEYS]), [values for _, values in ranked[_MAX_KEYS:]]
    kept[_OTHER] = [sum(column) for column in zip(kept.get(_OTHER, repeat(0)), *others, strict=False)]
    return list(kept.items())


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
