"""`GET /api/v1/facets`, `/fields`, `/patterns` and `/errors`: what can be said of all events that match.

A cursor of patterns and errors is a rank. Events that come in between may move a group over the edge of a
page; nothing else is promised of it.
"""

from starlette.requests import Request
from starlette.responses import Response

from loghub.event.model import JSONValue, format_time
from loghub.hub.api.answering import answer, missing, partial_json
from loghub.hub.api.parameters import (
    now_us,
    read_fields,
    read_number,
    read_query,
    read_rank,
    read_span,
)
from loghub.hub.api.parts import Parts
from loghub.hub.store.protocol import Span, Store, StoredEvent
from loghub.hub.store.summaries import Group, Grouping, Groups
from loghub.query.tree import Present, Query, both

_FACETS = "level,service,hostname,logger"
_PATTERN = (("template", "message"),)
_FAULT = (("exception.fingerprint",), ("exception.type",))
_STEPS = 20


async def facets(parts: Parts, request: Request) -> Response:
    """Give the top values of fields."""
    parameters = request.query_params
    now = now_us()
    query, span = read_query(parameters), read_span(parameters, now)
    fields = read_fields(parameters, "fields", _FACETS)
    limit = read_number(parameters, "limit", 10, 1000)

    def count() -> dict[str, object]:
        found = parts.store.facets(query, span, now_us=now, fields=fields, limit=limit)

        return {
            "facets": [
                {
                    "field": facet.field,
                    "distinct": facet.distinct,
                    "values": [{"value": value, "count": number} for value, number in facet.values],
                }
                for facet in found.facets
            ],
            "partial": partial_json(found.partial),
        }

    return await answer(parts, request, count)


async def fields(parts: Parts, request: Request) -> Response:
    """Give the names that a query may use."""
    parameters = request.query_params
    now = now_us()
    query, span = read_query(parameters), read_span(parameters, now)
    limit = read_number(parameters, "limit", 1000, 10_000)

    def count() -> dict[str, object]:
        found = parts.store.names(query, span, now_us=now, limit=limit)

        return {
            "fields": [{"name": name, "type": kind, "count": number} for name, (kind, number) in found.fields.items()],
            **missing(found.partial),
        }

    return await answer(parts, request, count)


async def patterns(parts: Parts, request: Request) -> Response:
    """Group events by the template of their message."""
    asked = _Asked(parts, request, None)

    def count() -> dict[str, object]:
        found = asked.groups(Grouping(_PATTERN, asked.limit, asked.offset, asked.steps))

        return {
            "patterns": [
                {
                    "template": group.key[0] or "",
                    "count": group.count,
                    "share": round(group.count / found.total, 6),
                    **_times(group),
                    "spark": list(group.spark),
                }
                for group in found.groups
            ],
            "cursor": asked.cursor(found),
            **missing(found.partial),
        }

    return await answer(parts, request, count)


async def errors(parts: Parts, request: Request) -> Response:
    """Group events that have an exception by its fingerprint."""
    asked = _Asked(parts, request, Present("exception"))

    def count() -> dict[str, object]:
        found = asked.groups(Grouping(_FAULT, asked.limit, asked.offset, asked.steps, "service"))
        newest = {stored.arrival: stored for stored in parts.store.numbered([group.newest for group in found.groups])}

        return {
            "errors": [_error(group, newest.get(group.newest)) for group in found.groups],
            "cursor": asked.cursor(found),
            **missing(found.partial),
        }

    return await answer(parts, request, count)


class _Asked:
    """What a request for groups asks for."""

    def __init__(self, parts: Parts, request: Request, condition: Query | None) -> None:
        parameters = request.query_params
        self._store: Store = parts.store
        self._now = now_us()
        self._query = both([condition, read_query(parameters)]) if condition else read_query(parameters)
        self._span: Span = read_span(parameters, self._now)
        self.limit = read_number(parameters, "limit", 100, 1000)
        self.steps = read_number(parameters, "buckets", _STEPS, 200)
        self.offset = read_rank(parameters)

    def groups(self, grouping: Grouping) -> Groups:
        """Ask the store."""
        return self._store.groups(self._query, self._span, now_us=self._now, grouping=grouping)

    def cursor(self, found: Groups) -> str | None:
        """Say where the next page begins; None where this one is the last."""
        following = self.offset + len(found.groups)
        return str(following) if following < found.distinct else None


def _times(group: Group) -> dict[str, str]:
    return {"first": format_time(group.first_us), "last": format_time(group.last_us)}


def _error(group: Group, newest: StoredEvent | None) -> dict[str, object]:
    fingerprint, kind = group.key
    exception = newest.event.fields.get("exception") if newest else None
    inside = exception if isinstance(exception, dict) else {}

    return {
        "fingerprint": fingerprint,
        "type": kind,
        "message": inside.get("message"),
        "where": _where(inside.get("frames")),
        "count": group.count,
        **_times(group),
        "services": list(group.collected),
        "spark": list(group.spark),
    }


def _where(frames: JSONValue) -> str | None:
    """Name the place in the code: the innermost frame of the application, else the innermost one."""
    known = [frame for frame in frames if isinstance(frame, dict)] if isinstance(frames, list) else []

    if not known:
        return None

    frame = next((frame for frame in reversed(known) if frame.get("in_app")), known[-1])
    place = f"{frame.get('file')}:{frame.get('line')}"
    return f"{place} in {frame['function']}" if frame.get("function") else place
