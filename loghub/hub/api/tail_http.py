"""`GET /api/v1/tail`: the frames of a tail where there is no WebSocket.

Rules:
1. With `Accept: text/event-stream` they come as server-sent events. The id of each is the cursor behind it, so that a
   browser that connects again goes on there by itself (`Last-Event-ID`). Some proxies hold such a stream back.
2. Else it is a long poll: an answer `{frames, cursor}` with the frames of one read as soon as one of them says
   something, or after `wait` seconds without one. Without a cursor it is given at once: the next poll goes on from it.
3. Polls know nothing of each other. One with a sample reads on, and is answered when the next one may be shown as
   many events as it was.
"""

import asyncio
import math
import re
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing, suppress

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from loghub.hub.answers import JSONAnswer
from loghub.hub.api.answering import GONE, until_gone
from loghub.hub.api.parameters import read_number
from loghub.hub.api.parts import Parts
from loghub.hub.api.tail import subscribe, until_signed_out
from loghub.hub.guard import session_of
from loghub.hub.tail import HEARTBEAT, Tail
from loghub.hub.threads import EndedError

_EVENT_STREAM = "text/event-stream"
_STREAM_HEADERS = {"X-Accel-Buffering": "no", "Cache-Control": "no-store"}
_RETRY = b"retry: 1000\n\n"
_CURSOR = re.compile(rb'"(?:cursor|to)":"([^"]*)"\}\Z')
_NOTHING = b'{"type":"events","events":[],'
_WAIT_S = 20
_LONGEST_WAIT_S = 60
_GATHERED_S = 1.0  # for who has a sample
_ONE_PULL_S = 0.5  # for who does not wait: to read what is there


async def tail_over_http(parts: Parts, request: Request) -> Response:
    """Give frames as server-sent events, or those of one poll."""
    is_stream = _EVENT_STREAM in request.headers.get("accept", "")
    last = request.headers.get("last-event-id") if is_stream else None
    cursor = last or request.query_params.get("cursor") or None
    wait = read_number(request.query_params, "wait", _WAIT_S, _LONGEST_WAIT_S, least=0)
    subscription = subscribe(parts, request.query_params, cursor)

    if is_stream:
        events = _events(parts, request, subscription)
        return StreamingResponse(events, media_type=_EVENT_STREAM, headers=_STREAM_HEADERS)

    return await _poll(parts, request, subscription, max(wait, _ONE_PULL_S) if cursor else None)


async def _events(parts: Parts, request: Request, subscription: Tail) -> AsyncGenerator[bytes]:
    session = session_of(request) if parts.sessions.needed else ""
    yield _RETRY

    with parts.counters.subscribers.track_inprogress(), parts.departures.watch(session) as ended:
        ending = asyncio.ensure_future(until_signed_out(parts, session, ended))

        try:
            async with aclosing(subscription.frames()) as frames:
                while (frame := await _next(frames, ending)) is not None:
                    found = _CURSOR.search(frame)
                    place = b"id: %b\n" % found[1] if found else b""
                    yield b"%bdata: %b\n\n" % (place, frame)
        finally:
            ending.cancel()


async def _next(frames: AsyncGenerator[bytes], ending: "asyncio.Future[None]") -> bytes | None:
    """Give the next frame; None where the tail has to end."""
    coming = asyncio.ensure_future(anext(frames))

    try:
        await asyncio.wait((coming, ending), return_when=asyncio.FIRST_COMPLETED)
        return coming.result() if coming.done() else None
    except EndedError:
        return None
    finally:
        coming.cancel()

        with suppress(asyncio.CancelledError, EndedError):
            await coming


async def _poll(parts: Parts, request: Request, subscription: Tail, wait: float | None) -> Response:
    session = session_of(request) if parts.sessions.needed else ""

    with parts.counters.subscribers.track_inprogress(), parts.departures.watch(session) as ended:
        frames = asyncio.ensure_future(_frames(subscription, wait))
        others = (asyncio.ensure_future(until_gone(request)), asyncio.ensure_future(ended.wait()))

        try:
            await asyncio.wait((frames, *others), return_when=asyncio.FIRST_COMPLETED)
            return JSONAnswer(frames.result()) if frames.done() else Response(status_code=GONE)
        finally:
            for task in (frames, *others):
                task.cancel()

            await asyncio.gather(frames, *others, return_exceptions=True)


async def _frames(subscription: Tail, wait: float | None) -> bytes:
    """Wait for a read that says something; without a time to wait, only say where the tail begins."""
    clock = asyncio.get_running_loop().time
    found: list[bytes] = []
    cursor = b""
    end = math.inf

    with suppress(TimeoutError):
        async with aclosing(subscription.reads()) as reads:
            cursor = _cursor_of(await anext(reads))

            async with asyncio.timeout(wait or 0) as limit:
                async for frames in reads:
                    cursor = _cursor_of(frames) or cursor

                    if not found and all(map(_is_silent, frames)):
                        continue

                    found += frames
                    end = min(end, clock() + _GATHERED_S)

                    if not subscription.rest:
                        break

                    limit.reschedule(min(end, clock() + subscription.rest))

    await asyncio.sleep(subscription.rest)
    return b'{"frames":[%b],"cursor":"%b"}' % (b",".join(found), cursor)


def _is_silent(frame: bytes) -> bool:
    return frame == HEARTBEAT or frame.startswith(_NOTHING)


def _cursor_of(frames: Sequence[bytes]) -> bytes:
    """Give the place behind frames."""
    found = [match for frame in frames if (match := _CURSOR.search(frame))]
    return found[-1][1] if found else b""
