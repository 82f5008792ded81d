"""`/api/v1/quarantine`: the lines that are no events; look at them, store those that are by now, remove them."""

from typing import TYPE_CHECKING

from starlette.requests import Request
from starlette.responses import Response

from loghub.event.model import format_time
from loghub.hub.answers import JSONAnswer, refusal
from loghub.hub.api.parameters import ParameterError, read_number
from loghub.hub.api.parts import Parts
from loghub.hub.writer import Writer

if TYPE_CHECKING:
    from loghub.hub.store.quarantine import KeptLine, Quarantine

_MOST = 1000
_USUAL = 100
_MAX_CURSOR = 12


async def show(parts: Parts, request: Request) -> Response:
    """Give a page of the lines, the oldest first."""
    limit = read_number(request.query_params, "limit", _USUAL, _MOST)
    skip = _read_cursor(request)
    kept = _kept(parts)
    lines, total = await parts.threads.call(kept.lines, skip, limit) if kept else ([], 0)
    following = str(skip + len(lines)) if lines and skip + len(lines) < total else None
    dropped = kept.dropped if kept else 0
    return JSONAnswer({"lines": list(map(_line, lines)), "total": total, "dropped": dropped, "cursor": following})


async def purge(parts: Parts, _request: Request) -> Response:
    """Remove all lines."""
    kept = _kept(parts)

    try:
        return JSONAnswer({"purged": await parts.threads.call(kept.purge) if kept else 0})
    except OSError as error:
        return _refused(error)


async def replay(parts: Parts, writer: Writer, _request: Request) -> Response:
    """Store the lines that are events by now."""
    kept = _kept(parts)

    if kept is None:
        return JSONAnswer({"accepted": 0, "left": 0})

    from loghub.hub.replay import replay as run  # noqa: PLC0415 (the server in an application has no quarantine)

    try:
        done = await parts.threads.call(run, kept, writer, parts.settings.limits.line)
    except OSError as error:
        return _refused(error)

    parts.counters.accepted.inc(done.accepted)
    return JSONAnswer({"accepted": done.accepted, "left": done.left})


def _kept(parts: Parts) -> "Quarantine | None":
    """Give the quarantine; None where the engine keeps none."""
    return getattr(parts.store, "quarantine", None)


def _read_cursor(request: Request) -> int:
    text = request.query_params.get("cursor", "")

    if text and not (text.isascii() and text.isdecimal() and len(text) <= _MAX_CURSOR):
        raise ParameterError("cursor", "give back the cursor of an answer as it came")

    return int(text or 0)


def _line(kept: "KeptLine") -> dict[str, object]:
    return {
        "id": kept.id,
        "line": kept.line,
        "received": format_time(kept.received_us),
        "error": kept.error,
        "text": kept.text,
    }


def _refused(error: OSError) -> Response:
    return refusal(507, "disk", f"the disk refused: {error.strerror or error}", headers={"Retry-After": "5"})
