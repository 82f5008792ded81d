from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from served_hub import SOURCE, batch, line, served

from loghub.hub.api.app import create_app
from loghub.hub.settings import Settings
from loghub.hub.store.duck import DuckStore
from loghub.hub.store.memory import MemoryStore

ENGINES = ("memory", "duck")


@pytest.fixture(params=ENGINES)
def client(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[httpx.Client]:
    store = MemoryStore(1000) if request.param == "memory" else DuckStore(tmp_path, keep_us=2**60)
    app = create_app(store, Settings(), ingest=False)
    store.append([batch(*_lines())])

    with served(app) as address, httpx.Client(base_url=f"http://{address}") as client:
        yield client

    store.close()


def _lines() -> Iterator[bytes]:
    for number in range(40):
        yield line(
            str(number),
            number // 3,
            hostname="h",
            process=number % 2,
            thread=f"t{number % 4}",
            logger="app" if number % 8 else "app.db",
            **({"task": "job"} if number % 4 == 0 else {}),
            **({"request_id": "r1"} if number % 10 == 0 else {}),
        )


def context(client: httpx.Client, number: int, **parameters: Any) -> dict[str, Any]:
    answer = client.get(f"/api/v1/events/{SOURCE}-{number + 1:016x}/context", params=parameters)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def messages(found: dict[str, Any]) -> tuple[list[int], int, list[int]]:
    before, after = ([int(event["message"]) for event in found[side]] for side in ("before", "after"))
    return before, int(found["event"]["message"]), after


@pytest.mark.parametrize(
    ("lane", "before", "after"),
    [
        ("process", [16, 18], [22, 24]),
        ("thread", [12, 16], [24, 28]),
        ("task", [12, 16], [24, 28]),
        ("request", [0, 10], [30]),
        ("logger", [18, 19], [21, 22]),
        ("all", [18, 19], [21, 22]),
    ],
)
def test_a_lane_has_the_events_before_and_after(
    client: httpx.Client, lane: str, before: list[int], after: list[int]
) -> None:
    assert messages(context(client, 20, lane=lane, before=2, after=2)) == (before, 20, after)


def test_a_logger_is_not_its_children(client: httpx.Client) -> None:
    assert messages(context(client, 17, lane="logger", before=2, after=0)) == ([14, 15], 17, [])


def test_a_context_may_be_filtered(client: httpx.Client) -> None:
    assert messages(context(client, 20, query="request_id:*", lane="all", before=1, after=1)) == ([10], 20, [30])


def test_the_ends_of_the_store_end_a_context(client: httpx.Client) -> None:
    assert messages(context(client, 0, lane="all", after=1)) == ([], 0, [1])
    assert messages(context(client, 39, lane="all", before=1)) == ([38], 39, [])


def test_an_event_without_the_lane_says_so(client: httpx.Client) -> None:
    answer = client.get(f"/api/v1/events/{SOURCE}-{2:016x}/context", params={"lane": "request"})
    assert answer.status_code == 400
    assert answer.json()["error"]["message"] == "lane: the event has no request_id and no trace_id: choose another lane"


@pytest.mark.parametrize("wrong", ["nothing", f"{SOURCE}-{99:016x}"])
def test_an_event_that_is_not_there_is_404(client: httpx.Client, wrong: str) -> None:
    answer = client.get(f"/api/v1/events/{wrong}/context")
    assert (answer.status_code, answer.json()["error"]["code"]) == (404, "not_found")
