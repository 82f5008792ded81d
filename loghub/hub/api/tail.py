"""`WS /api/v1/tail?query&cursor&sample`: events as they arrive."""

import asyncio
from collections.abc import Coroutine
from contextlib import aclosing, suppress

from starlette.datastructures import QueryParams
from starlette.websockets import WebSocket, WebSocketDisconnect

from loghub.errors import MissingExtraError, QuerySyntaxError
from loghub.hub.answers import error_fields, to_json
from loghub.hub.api.parameters import read_query, read_sample
from loghub.hub.api.parts import Parts
from loghub.hub.guard import session_of
from loghub.hub.tail import Tail
from loghub.hub.threads import EndedError

BAD_QUERY = 4400
"""The code with which a WebSocket is closed whose query cannot be read."""

SIGNED_OUT = 4401
"""The code with which a WebSocket is closed whose session has ended."""


async def tail(parts: Parts, socket: WebSocket) -> None:
    """Send frames until the client goes."""
    await socket.accept()

    try:
        subscription = subscribe(parts, socket.query_params, socket.query_params.get("cursor") or None)
    except QuerySyntaxError as error:
        await _refuse(socket, error_fields("bad_query", str(error), error.position))
    except (MissingExtraError, ValueError) as error:
        await _refuse(socket, error_fields("bad_query", str(error)))
    else:
        session = session_of(socket) if parts.sessions.needed else ""

        with parts.counters.subscribers.track_inprogress(), parts.departures.watch(session) as ended:
            await _first_of(_send(socket, subscription), _until_gone(socket), until_signed_out(parts, session, ended))

        if ended.is_set():
            with suppress(RuntimeError, WebSocketDisconnect):  # it went at the same moment
                await socket.close(SIGNED_OUT, "signed out")


def subscribe(parts: Parts, parameters: QueryParams, cursor: str | None) -> Tail:
    """Read what is asked for.

    Raises:
        QuerySyntaxError: with the position.
        MissingExtraError: the query has a regular expression and google-re2 is not installed.
        ParameterError: another parameter cannot be used.
    """
    return Tail(
        parts.feeds,
        read_query(parameters),
        cursor,
        parts.settings.limits,
        parts.tails,
        sample=read_sample(parameters),
        skipped=parts.counters.skipped.inc,
    )


async def _refuse(socket: WebSocket, error: dict[str, str | int]) -> None:
    await socket.send_text(to_json({"type": "error", "error": error}).decode())
    await socket.close(BAD_QUERY, "bad query")


async def _send(socket: WebSocket, subscription: Tail) -> None:
    async with aclosing(subscription.frames()) as frames:
        async for frame in frames:
            await socket.send_text(frame.decode())


async def _until_gone(socket: WebSocket) -> None:
    """Read what the client sends, which means nothing, until it closes."""
    while (await socket.receive())["type"] != "websocket.disconnect":
        pass


async def until_signed_out(parts: Parts, session: str, ended: asyncio.Event) -> None:
    """Wait until the session by which the tail was opened is over; without one, that is never."""
    while not ended.is_set():
        with suppress(TimeoutError):
            async with asyncio.timeout(parts.settings.limits.heartbeat):
                await ended.wait()

        if session and not parts.sessions.knows(session):
            ended.set()


async def _first_of(*works: Coroutine[None, None, None]) -> None:
    """Run works at once; when one ends, end the others."""
    tasks = [asyncio.create_task(work) for work in works]

    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)

        for task in done:
            with suppress(WebSocketDisconnect, EndedError):
                task.result()
    finally:
        for task in tasks:
            task.cancel()

        await asyncio.gather(*tasks, return_exceptions=True)
