import json
from collections.abc import Iterator
from typing import Any

import httpx
from served_hub import line, served, wait_until

from loghub.hub.api.app import create_app
from loghub.hub.settings import Limits, Settings
from loghub.hub.store.memory import MemoryStore

PATH = "/api/v1/tail"
STREAM = {"Accept": "text/event-stream"}


def events(answer: httpx.Response) -> Iterator[tuple[str | None, dict[str, Any]]]:
    """Give the id and the frame of each server-sent event."""
    place = None

    for text in answer.iter_lines():
        if text.startswith("id: "):
            place = text[4:]

        elif text.startswith("data: "):
            yield place, json.loads(text[6:])
            place = None


def messages(frame: dict[str, Any]) -> list[str]:
    return [event["message"] for event in frame["events"]]


def test_a_stream_has_the_frames_and_their_cursors_as_ids(hub: httpx.Client) -> None:
    with hub.stream("GET", PATH, params={"query": "level>=error"}, headers=STREAM) as answer:
        found = events(answer)
        place, first = next(found)
        assert (first["events"], first["cursor"]) == ([], place)
        hub.post("/api/v1/ingest", content=line("quiet") + line("loud", level="ERROR"))
        place, frame = next(found)
        assert messages(frame) == ["loud"]
        assert place == frame["cursor"]
        assert answer.headers["content-type"].startswith("text/event-stream")
        assert answer.headers["x-accel-buffering"] == "no"


def test_a_stream_goes_on_behind_the_last_id(hub: httpx.Client) -> None:
    with hub.stream("GET", PATH, headers=STREAM) as answer:
        found = events(answer)
        place, _ = next(found)

    hub.post("/api/v1/ingest", content=line("missed"))

    with hub.stream("GET", PATH, headers=STREAM | {"Last-Event-ID": place or ""}) as answer:
        found = events(answer)
        next(found)
        assert messages(next(found)[1]) == ["missed"]


def test_a_silent_stream_says_that_it_is_alive() -> None:
    app = create_app(MemoryStore(), Settings(limits=Limits(heartbeat=0.05)), ingest=False)

    with served(app) as address, httpx.stream("GET", f"http://{address}{PATH}", headers=STREAM) as answer:
        found = events(answer)
        next(found)
        assert next(found) == (None, {"type": "heartbeat"})


def test_a_stream_whose_client_went_is_not_counted(hub: httpx.Client) -> None:
    def subscribers() -> str:
        text = hub.get("/metrics").text
        return next(line for line in text.splitlines() if line.startswith("loghub_hub_subscribers "))

    with hub.stream("GET", PATH, headers=STREAM) as answer:
        found = events(answer)
        next(found)
        assert subscribers().endswith(" 1.0")

    wait_until(lambda: subscribers().endswith(" 0.0"))


def test_a_stream_ends_with_the_hub(memory: MemoryStore) -> None:
    app = create_app(memory, Settings(), ingest=False)

    with served(app) as address, httpx.stream("GET", f"http://{address}{PATH}", headers=STREAM) as answer:
        found = events(answer)
        next(found)
        app.state.parts.end_searches()
        assert list(found) == []


def test_polls_follow_each_other_without_a_gap(hub: httpx.Client) -> None:
    first = hub.get(PATH).json()
    assert first["frames"] == []
    cursor = first["cursor"]
    seen: list[str] = []

    for number in range(3):
        hub.post("/api/v1/ingest", content=line(str(number)))
        answer = hub.get(PATH, params={"cursor": cursor, "wait": 10}).json()
        cursor = answer["cursor"]
        assert answer["frames"][-1]["cursor"] == cursor
        seen += [message for frame in answer["frames"] for message in messages(frame)]

    assert seen == ["0", "1", "2"]


def test_a_poll_without_news_ends_when_it_has_waited(hub: httpx.Client) -> None:
    cursor = hub.get(PATH).json()["cursor"]
    hub.post("/api/v1/ingest", content=line("quiet"))
    answer = hub.get(PATH, params={"cursor": cursor, "wait": 1, "query": "loud"}).json()
    assert answer["frames"] == []
    assert messages(hub.get(PATH, params={"cursor": cursor, "wait": 0}).json()["frames"][0]) == ["quiet"]


def test_a_wrong_query_is_refused(hub: httpx.Client) -> None:
    for headers in ({}, STREAM):
        answer = hub.get(PATH, params={"query": "level>="}, headers=headers)
        assert (answer.status_code, answer.json()["error"]["position"]) == (400, 7)

    assert hub.get(PATH, params={"wait": "61"}).json()["error"]["code"] == "bad_parameter"
