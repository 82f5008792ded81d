"""WebSocket, server-sent events and long poll give the same frames."""

import json
import time
from collections.abc import Callable, Generator, Iterator
from contextlib import closing
from functools import partial
from typing import Any

import httpx
import pytest
from served_hub import batch, line, served
from websockets.sync.client import connect

from loghub.hub import tail as tail_module
from loghub.hub.api.app import create_app
from loghub.hub.sampling import Sampler
from loghub.hub.settings import Limits, Settings
from loghub.hub.store.memory import MemoryStore

PATH = "/api/v1/tail"
COUNT = 800
QUERY = "level>=warning"
Frames = Generator[dict[str, Any]]
Transport = Callable[[httpx.Client, dict[str, str]], Frames]


def by_socket(hub: httpx.Client, parameters: dict[str, str]) -> Frames:
    url = hub.base_url.copy_with(scheme="ws", path=PATH, params=parameters)

    with connect(str(url)) as tail:
        while True:
            yield json.loads(tail.recv(10))


def by_stream(hub: httpx.Client, parameters: dict[str, str]) -> Frames:
    with hub.stream("GET", PATH, params=parameters, headers={"Accept": "text/event-stream"}) as answer:
        for text in answer.iter_lines():
            if text.startswith("data: "):
                yield json.loads(text[6:])


def by_poll(hub: httpx.Client, parameters: dict[str, str]) -> Frames:
    while True:
        answer = hub.get(PATH, params={"wait": "10", **parameters}).json()
        yield from answer["frames"]
        parameters = parameters | {"cursor": answer["cursor"]}


@pytest.fixture
def hub(memory: MemoryStore) -> Iterator[httpx.Client]:
    app = create_app(memory, Settings(limits=Limits(lag=100, frame=3000)), ingest=False)

    with served(app) as address, httpx.Client(base_url=f"http://{address}", timeout=20) as client:
        yield client


def told(hub: httpx.Client, way: Transport, parameters: dict[str, str]) -> list[dict[str, Any]]:
    """Give the frames that say something, up to the last event, and with a sample what is told of it."""
    found: list[dict[str, Any]] = []
    is_sample = "sample" in parameters

    with closing(way(hub, parameters)) as frames:
        for frame in frames:
            found += [frame] if frame["type"] != "heartbeat" and frame.get("events") != [] else []

            if frame["type"] == "sampled" if is_sample else "last" in str(frame):
                break

    return found


@pytest.mark.parametrize("way", [by_stream, by_poll])
@pytest.mark.parametrize("options", [{}, {"sample": "7"}])
def test_the_same_frames_come_by_each_way(
    hub: httpx.Client,
    memory: MemoryStore,
    monkeypatch: pytest.MonkeyPatch,
    way: Transport,
    options: dict[str, str],
) -> None:
    monkeypatch.setattr(tail_module, "_FIRST_BATCH", 500)  # one read has all: where reads end is no matter of this
    monkeypatch.setattr(tail_module, "Sampler", partial(Sampler, clock=lambda: 0.0))
    levels = ("WARNING", "INFO")
    memory.append([batch(*(line(str(number), level=levels[number % 2]) for number in range(COUNT)))])
    memory.append([batch(line("last", level="ERROR"), first=COUNT + 1)])
    parameters = {"query": QUERY, "cursor": f"{memory.epoch}~0", **options}
    frames = told(hub, by_socket, parameters)

    assert [frame["type"] for frame in frames[:2]] == ["gap", "events"]
    assert frames[0]["count"] + (frames[-1]["of"] if options else events_in(frames)) == COUNT // 2 + 1
    assert events_in(frames) == (frames[-1]["shown"] if options else 250)
    assert frames == told(hub, way, parameters)


def events_in(frames: list[dict[str, Any]]) -> int:
    return sum(len(frame.get("events", ())) for frame in frames)


def test_polls_with_a_sample_keep_its_rate_keep_up_and_count_all(hub: httpx.Client, memory: MemoryStore) -> None:
    memory.append([batch(*(line(str(number)) for number in range(COUNT)))])
    frames = by_poll(hub, {"cursor": f"{memory.epoch}~0", "sample": "50"})
    began = time.monotonic()
    shown = of = 0

    while of < COUNT:
        frame = next(frames)
        shown += frame.get("shown", 0)
        of += frame.get("of", 0) + frame.get("count", 0)

    assert of == COUNT
    assert shown <= 50 * (1 + time.monotonic() - began)


def test_a_poll_with_a_sample_is_soon_answered_where_little_comes(hub: httpx.Client, memory: MemoryStore) -> None:
    frames = by_poll(hub, {"cursor": f"{memory.epoch}~0", "sample": "50", "wait": "60"})
    memory.append([batch(line("one"))])
    assert [next(frames)["type"] for _ in range(2)] == ["events", "sampled"]
