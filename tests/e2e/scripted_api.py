"""A hub's API without a store: any number of events, made when they are asked for. Run as a script.

What is measured with it is the viewer alone: an answer takes no longer for three million events than for three.

1. Event 0 is the oldest; its number gives its time, level and message. They stand `STEP_US` apart and end now.
2. `/api/v1/tail` is a WebSocket that sends `--rate` new events a second, as the hub does: some times 50 a second.
3. `POST /script` with frames sends them to every tail; `GET /script` counts what was sent.
"""

import argparse
import asyncio
import json
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime, timedelta
from typing import Any

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse
from starlette.routing import Mount, Route, WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect

from loghub.hub.api.viewer import STATIC, Assets
from loghub.hub.guard import HEADERS

STEP_US = 200
LEVELS = ("INFO", "INFO", "DEBUG", "INFO", "WARNING", "INFO", "INFO", "ERROR")
PULSE = 0.02  # seconds between two frames
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Script:
    """What there is, and what is sent.

    Args:
        number: events that are there from the beginning.
        rate: events a second that come.
    """

    def __init__(self, number: int, rate: int) -> None:
        self.number = number
        self.rate = rate
        self.start_us = time.time_ns() // 1000 - number * STEP_US
        self.sent = 0
        self.tails: set[WebSocket] = set()

    def event(self, number: int, time_us: int | None = None) -> dict[str, Any]:
        """Give an event; those that come have the time at which they come."""
        when = _text(self.start_us + number * STEP_US if time_us is None else time_us)
        level = LEVELS[number % len(LEVELS)]
        return {
            "_id": f"01-{number:016d}",
            "_received": when,
            "timestamp": when,
            "level": level,
            "logger": f"shop.part{number % 7}",
            "message": f"event {number:07d} of order {number * 7919 % 100_000}",
            "template": "event %d of order %d",
            "service": "shop",
            "hostname": f"web-{number % 3}",
            "process": 4242,
            "thread": "MainThread",
            "order_id": number * 7919 % 100_000,
        }

    def first(self, moment: str | None, otherwise: int) -> int:
        """Give the number of the first event at or behind a moment; relative ones count from now."""
        if not moment or moment.startswith("-"):
            return otherwise

        us = (datetime.fromisoformat(moment) - EPOCH) // timedelta(microseconds=1)
        return max(0, min(self.number, -((self.start_us - us) // STEP_US)))

    def search(self, asked: dict[str, str]) -> dict[str, Any]:
        """Give a page; its cursor is the number that it goes on with."""
        low, high = self.first(asked.get("from"), 0), self.first(asked.get("to"), self.number)
        limit = int(asked.get("limit", 200))
        cursor = asked.get("cursor")

        if asked.get("order") == "oldest":
            start = int(cursor) if cursor else low
            numbers = range(start, min(start + limit, high))
            following = numbers.stop if numbers.stop < high else None
        else:
            start = int(cursor) if cursor else high
            numbers = range(max(start - limit, low), start)
            following = numbers.start if numbers.start > low else None
            numbers = numbers[::-1]

        return {
            "events": [self.event(number) for number in numbers],
            "cursor": None if following is None else str(following),
            "took_ms": 1.0,
            "stats": {"matched": high - low, "total": self.number, "scanned": 0, "partitions": 1, "skipped": 0},
        }

    def histogram(self, asked: dict[str, str]) -> dict[str, Any]:
        """Give counts; each bar's are those between its moments."""
        low, high = self.first(asked.get("from"), 0), self.first(asked.get("to"), self.number)
        buckets = int(asked.get("buckets", 60))
        edges = [low + (high - low) * at // buckets for at in range(buckets + 1)]
        start, end = self.start_us + low * STEP_US, self.start_us + high * STEP_US
        return {
            "from": _text(start),
            "to": _text(end),
            "step_ms": (end - start) // 1000 // buckets,
            "series": [{"key": "INFO", "counts": [edges[at + 1] - edges[at] for at in range(buckets)]}],
            "total": high - low,
        }

    async def tail(self, socket: WebSocket) -> None:
        """Say where the tail stands, and keep it for what is sent."""
        await socket.accept()
        await socket.send_text('{"type":"events","events":[],"cursor":"0"}')
        self.tails.add(socket)

        with suppress(WebSocketDisconnect):
            while True:
                await socket.receive_text()

        self.tails.discard(socket)

    async def feed(self) -> None:
        """Send new events to every tail."""
        started, made = time.monotonic(), 0

        while True:
            await asyncio.sleep(PULSE)
            due = int((time.monotonic() - started) * self.rate)

            if self.tails and due > made:
                now = time.time_ns() // 1000
                events = [self.event(self.number + number, now) for number in range(made, due)]
                await self.send({"type": "events", "events": events, "cursor": str(due)})

            made = due

    async def send(self, frame: dict[str, Any]) -> None:
        """Send a frame to every tail."""
        text = json.dumps(frame, separators=(",", ":"))
        self.sent += len(frame.get("events", ()))

        for tail in list(self.tails):
            await tail.send_text(text)


def application(script: Script) -> Starlette:
    """Give the viewer, and an API that the script answers."""

    async def search(request: Request) -> JSONResponse:
        return JSONResponse(script.search(dict(request.query_params)))

    async def histogram(request: Request) -> JSONResponse:
        return JSONResponse(script.histogram(dict(request.query_params)))

    async def say(request: Request) -> JSONResponse:
        for frame in await request.json() if request.method == "POST" else []:
            await script.send(frame)

        return JSONResponse({"sent": script.sent, "tails": len(script.tails)})

    @asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[None]:
        feeding = asyncio.create_task(script.feed())
        yield
        feeding.cancel()

    api = "/api/v1"
    routes = [
        Route("/", _page),
        Route(f"{api}/search", search),
        Route(f"{api}/histogram", histogram),
        Route(f"{api}/facets", _nothing),
        Route(f"{api}/fields", _nothing),
        Route("/script", say, methods=["GET", "POST"]),
        WebSocketRoute(f"{api}/tail", script.tail),
        Mount("/assets", Assets()),
    ]
    return Starlette(routes=routes, lifespan=lifespan)


async def _page(_request: Request) -> HTMLResponse:
    return HTMLResponse((STATIC / "index.html").read_text("utf-8"), headers=dict(HEADERS))


async def _nothing(_request: Request) -> JSONResponse:
    return JSONResponse({"facets": [], "fields": []})


def _text(us: int) -> str:
    return (EPOCH + timedelta(microseconds=us)).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


if __name__ == "__main__":
    options = argparse.ArgumentParser()
    options.add_argument("--port", type=int, required=True)
    options.add_argument("--events", type=int, default=0)
    options.add_argument("--rate", type=int, default=0)
    given = options.parse_args()
    app = application(Script(given.events, given.rate))
    uvicorn.run(app, host="127.0.0.1", port=given.port, log_level="warning", ws_max_size=2**24)
