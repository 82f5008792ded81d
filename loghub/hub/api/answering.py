"""Answering for as long as the client waits: when it goes, what was asked for is called off."""

import asyncio
import time
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from starlette.requests import Request
from starlette.responses import Response

from loghub.event.model import format_time
from loghub.hub.answers import JSONAnswer
from loghub.hub.api.parts import Parts
from loghub.hub.store.stop import Stop, under
from loghub.hub.store.summaries import Partial

GONE = 499  # for the counters alone: who asked does not read it

_T = TypeVar("_T")


async def answer(parts: Parts, request: Request, work: Callable[[], bytes | Mapping[str, Any]]) -> Response:
    """Answer with what the work gives, which runs in a thread."""
    search = asyncio.ensure_future(ask(parts, work))
    leaving = asyncio.ensure_future(until_gone(request))

    try:
        await asyncio.wait((search, leaving), return_when=asyncio.FIRST_COMPLETED)
        return JSONAnswer(search.result()) if search.done() else Response(status_code=GONE)
    finally:
        search.cancel()
        leaving.cancel()


async def ask(parts: Parts, work: Callable[[], _T]) -> _T:
    """Give what the work gives; where nobody waits for it any more, it is called off."""
    stop = Stop()

    def run() -> _T:
        with under(stop):
            return work()

    try:
        return await parts.searches.call(run)
    except asyncio.CancelledError:
        stop.set()
        raise


async def until_gone(request: Request) -> None:
    """Wait until the client goes."""
    while (await request.receive())["type"] != "http.disconnect":
        pass


def partial_json(partial: Partial | None, reached_us: int | None = None) -> dict[str, str | None] | None:
    """Say why events may be missing, and up to which time none are.

    Args:
        partial: what the store says.
        reached_us: the time that the answer reaches, where the store does not say one.
    """
    if partial is None:
        return None

    reached = reached_us if partial.scanned_to_us is None else partial.scanned_to_us
    return {"scanned_to": None if reached is None else format_time(reached), "reason": partial.reason}


def missing(partial: Partial | None) -> dict[str, object]:
    """Give the `partial` of an answer that has one only where events may be missing."""
    return {"partial": partial_json(partial)} if partial else {}


def took_ms(started: float) -> float:
    """Give the milliseconds since a moment of the performance counter."""
    return round((time.perf_counter() - started) * 1000, 3)
