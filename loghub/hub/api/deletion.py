"""`DELETE /api/v1/events`: what matches goes for good.

Whoever asks says what: a query, or a range of time; that all of it goes is said by `from` or `to` alone.
"""

from starlette.requests import Request
from starlette.responses import Response

from loghub.hub.api.answering import answer
from loghub.hub.api.parameters import ParameterError, now_us, read_choice, read_query, read_span
from loghub.hub.api.parts import Parts

_SWITCH = ("false", "true")


async def delete(parts: Parts, request: Request) -> Response:
    """Delete the events that match; a dry run counts them."""
    parameters = request.query_params
    now = now_us()
    query, span = read_query(parameters), read_span(parameters, now)

    if not any(parameters.get(name, "").strip() for name in ("query", "from", "to")):
        raise ParameterError("query", "say what to delete: a query, or a range of time by from or to")

    is_dry = read_choice(parameters, "dry_run", "false", _SWITCH) == "true"

    def count() -> dict[str, int]:
        return {"deleted": 0, "matched": parts.store.total(query, span, now_us=now)}

    def end() -> dict[str, int]:
        return {"deleted": parts.store.delete(query, span, now_us=now)}

    return await answer(parts, request, count if is_dry else end)
