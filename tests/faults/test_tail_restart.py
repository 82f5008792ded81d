"""A tail goes on where it was after the hub was killed: nothing missing, nothing twice, on each of its transports."""

import json
import signal
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from websockets.sync.client import connect

from loghub.event.model import format_time

from processes import HubProcess

HOUR_US = 3_600_000_000
NOW_US = 1_790_000_000_000_000
QUERY = "level:error"


def send(hub: HubProcess, first: int, count: int, *, late_us: int = 0) -> None:
    """Send events; every second one matches."""
    lines = [
        {"timestamp": format_time(NOW_US + number - late_us), "level": ("INFO", "ERROR")[number % 2], "n": number}
        for number in range(first, first + count)
    ]
    body = "\n".join(map(json.dumps, lines)).encode()
    request = urllib.request.Request(f"{hub.url}/api/v1/ingest", body, {"Content-Type": "application/x-ndjson"})

    with urllib.request.urlopen(request, timeout=100) as answer:
        assert json.load(answer)["accepted"] == count


@contextmanager
def by_socket(hub: HubProcess, cursor: str | None) -> Iterator[Iterator[dict[str, Any]]]:
    url = httpx.URL(f"{hub.url}/api/v1/tail", params=_asked(cursor)).copy_with(scheme="ws")

    with connect(str(url)) as link:
        yield (json.loads(link.recv(60)) for _ in iter(int, 1))


@contextmanager
def by_stream(hub: HubProcess, cursor: str | None) -> Iterator[Iterator[dict[str, Any]]]:
    headers = {"Accept": "text/event-stream"}

    with httpx.stream("GET", f"{hub.url}/api/v1/tail", params=_asked(cursor), headers=headers, timeout=100) as answer:
        yield (json.loads(text[6:]) for text in answer.iter_lines() if text.startswith("data: "))


@contextmanager
def by_poll(hub: HubProcess, cursor: str | None) -> Iterator[Iterator[dict[str, Any]]]:
    def frames() -> Iterator[dict[str, Any]]:
        place = cursor

        while True:
            answer = hub.get("tail", **_asked(place), wait=0 if place is None else 10)
            place = answer["cursor"]
            yield from answer["frames"] or [{"type": "events", "events": [], "cursor": place}]

    yield frames()


def _asked(cursor: str | None) -> dict[str, str]:
    return {"query": QUERY} if cursor is None else {"query": QUERY, "cursor": cursor}


@pytest.mark.parametrize("way", [by_socket, by_stream, by_poll])
def test_a_tail_goes_on_after_the_hub_was_killed(way: Callable[..., Any], tmp_path: Path) -> None:
    seen: list[int] = []
    cursor: str | None = None

    def read(frames: Iterator[dict[str, Any]], until: int) -> None:
        nonlocal cursor

        while until not in seen:
            frame = next(frames)
            assert frame["type"] in ("events", "heartbeat"), frame
            seen.extend(event["n"] for event in frame.get("events", ()))
            cursor = frame.get("cursor", cursor)

    with HubProcess(tmp_path) as hub:
        with way(hub, None) as frames:
            cursor = next(frames)["cursor"]
            send(hub, 0, 100)
            read(frames, 99)
            send(hub, 100, 100)  # what of it was seen before the kill does not matter

        hub.stop(signal.SIGKILL)
        hub.start()
        send(hub, 200, 100, late_us=HOUR_US)  # older than all that was seen

        with way(hub, cursor) as frames:
            read(frames, 299)
            send(hub, 300, 100, late_us=2 * HOUR_US)
            read(frames, 399)

    assert seen == list(range(1, 400, 2))
