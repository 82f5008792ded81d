"""`GET /api/v1/events/{id}/context`: the events around one, in the same lane.

A lane is a process, a thread, a task, a request or a logger: the events that share with this one the fields
that say so. Where it lacks one that belongs to the lane's name, the others must lack it too.
"""

import re
from collections.abc import Sequence

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from loghub.hub.answers import event_json, to_json
from loghub.hub.api.answering import answer, missing
from loghub.hub.api.parameters import ParameterError, now_us, read_choice, read_number, read_query
from loghub.hub.api.parts import Parts
from loghub.hub.store.protocol import Order, Place, Span, Store, StoredEvent
from loghub.hub.store.summaries import Partial
from loghub.query.texts import value_text
from loghub.query.tree import Equals, Pattern, Present, Query, both, negated

_PROCESS = ("service", "hostname", "process")
_LANES: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "process": (("process",), _PROCESS),
    "thread": (("thread",), (*_PROCESS, "thread")),
    "task": (("task",), (*_PROCESS, "thread", "task")),
    "request": (("request_id", "trace_id"), ()),
    "logger": (("logger",), ("service", "logger")),
    "all": ((), ()),
}
"""For each lane: of which fields the event must have one, which are looked at; without any, the first that it has."""

_ID = re.compile(r"([0-9A-Za-z_.:-]{1,64})-([0-9a-f]{16})")
_ALWAYS = Span(-(2**62), 2**62)


async def context(parts: Parts, request: Request) -> Response:
    """Give the events before and after one."""
    parameters = request.query_params
    now = now_us()
    lane = read_choice(parameters, "lane", "process", tuple(_LANES))
    before = read_number(parameters, "before", 50, 500, least=0)
    after = read_number(parameters, "after", 50, 500, least=0)
    query = read_query(parameters)
    found = _ID.fullmatch(request.path_params["id"])

    def find() -> bytes:
        stored = parts.store.find(found[1], int(found[2], 16)) if found else None

        if stored is None:
            raise HTTPException(404, "there is no event with this id (any more)")

        wanted = both([_same_lane(stored, lane), query])
        earlier, unread = _beside(parts.store, stored, wanted, before, "newest", now)
        later, unread_too = _beside(parts.store, stored, wanted, after, "oldest", now)
        epoch = parts.store.epoch
        whole = b'{"before":[%b],"event":%b,"after":[%b]}' % (
            b",".join(event_json(each, epoch) for each in reversed(earlier)),
            event_json(stored, epoch),
            b",".join(event_json(each, epoch) for each in later),
        )
        rest = missing(unread or unread_too)
        return whole[:-1] + b"," + to_json(rest)[1:] if rest else whole

    return await answer(parts, request, find)


def _beside(
    store: Store, event: StoredEvent, query: Query, limit: int, order: Order, now: int
) -> tuple[Sequence[StoredEvent], Partial | None]:
    if not limit:
        return [], None

    place = Place(event.event.time_us, event.source, event.seq)
    page = store.search(query, _ALWAYS, now_us=now, limit=limit, order=order, start=place)
    return page.events, page.partial


def _same_lane(stored: StoredEvent, lane: str) -> Query:
    needed, fields = _LANES[lane]
    texts = {name: value_text(stored.event.fields.get(name)) for name in (*needed, *fields)}
    own = [name for name in needed if texts[name] is not None]

    if needed and not own:
        raise ParameterError("lane", f"the event has no {' and no '.join(needed)}: choose another lane")

    return both(_is(name, texts[name]) for name in (fields or own[:1]))


def _is(name: str, text: str | None) -> Query:
    if text is None:
        return negated(Present(name))

    same = Equals(name, Pattern((text,)))
    children = Equals(name, Pattern((f"{text}.", "")))
    return both([same, negated(children)]) if name == "logger" else same
