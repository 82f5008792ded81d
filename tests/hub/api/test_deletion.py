from pathlib import Path

import httpx
import pytest
from served_hub import batch, line, served

from loghub.errors import DeletionError
from loghub.hub.api.app import create_app
from loghub.hub.settings import Settings
from loghub.hub.store.duck import DuckStore
from loghub.hub.store.memory import MemoryStore
from loghub.hub.store.protocol import Span
from loghub.query.tree import Query

EVENTS = "/api/v1/events"


def messages(hub: httpx.Client) -> list[str]:
    return [event["message"] for event in hub.get("/api/v1/search", params={"order": "oldest"}).json()["events"]]


@pytest.fixture(autouse=True)
def _filled(memory: MemoryStore) -> None:
    memory.append([batch(*(line(f"event {at}", at, user=at % 2) for at in range(5)))])


def test_what_matches_is_deleted(hub: httpx.Client) -> None:
    answer = hub.delete(EVENTS, params={"query": "user:1"})

    assert (answer.status_code, answer.json()) == (200, {"deleted": 2})
    assert messages(hub) == ["event 0", "event 2", "event 4"]


def test_a_dry_run_counts(hub: httpx.Client) -> None:
    assert hub.delete(EVENTS, params={"query": "user:1", "dry_run": "true"}).json() == {"deleted": 0, "matched": 2}
    assert len(messages(hub)) == 5


def test_a_range_of_time_alone_is_enough(hub: httpx.Client) -> None:
    assert hub.delete(EVENTS, params={"from": "2026-09-21T14:13:22Z"}).json() == {"deleted": 3}
    assert messages(hub) == ["event 0", "event 1"]


@pytest.mark.parametrize("asked", [{}, {"query": " "}, {"from": "", "dry_run": "true"}])
def test_that_nothing_is_said_is_no_order_to_delete_everything(hub: httpx.Client, asked: dict[str, str]) -> None:
    answer = hub.delete(EVENTS, params=asked)

    assert answer.status_code == 400
    assert answer.json()["error"]["message"].startswith("query: say what to delete")
    assert len(messages(hub)) == 5


@pytest.mark.parametrize("asked", [{"query": "a ("}, {"query": "a", "dry_run": "yes"}, {"query": "x | count"}])
def test_a_wrong_parameter_deletes_nothing(hub: httpx.Client, asked: dict[str, str]) -> None:
    assert hub.delete(EVENTS, params=asked).status_code == 400
    assert len(messages(hub)) == 5


def test_without_the_token_nobody_deletes(memory: MemoryStore) -> None:
    with served(create_app(memory, Settings(token="secret-token"), ingest=True)) as address:
        assert httpx.delete(f"http://{address}{EVENTS}", params={"query": "user:1"}).status_code == 401

    assert memory.count() == 5


def test_a_page_of_another_origin_deletes_nothing(hub: httpx.Client, memory: MemoryStore) -> None:
    refused = hub.delete(EVENTS, params={"query": "user:1"}, headers={"Origin": "http://evil.example"})

    assert refused.status_code == 403
    assert memory.count() == 5


def test_a_full_disk_is_told_with_what_is_gone(
    hub: httpx.Client, memory: MemoryStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_query: Query, _span: Span, *, now_us: int) -> int:
        raise DeletionError(7, OSError(28, f"No space left on device at {now_us > 0}"))

    monkeypatch.setattr(memory, "delete", fail)
    answer = hub.delete(EVENTS, params={"query": "user:1"})

    assert answer.status_code == 507
    assert answer.json()["error"]["code"] == "disk"
    assert answer.json()["error"]["message"].startswith("7 events were deleted")


def test_a_hub_on_a_disk_deletes_from_it(tmp_path: Path) -> None:
    store = DuckStore(tmp_path)

    with (
        served(create_app(store, Settings(), ingest=True)) as address,
        httpx.Client(base_url=f"http://{address}") as hub,
    ):
        hub.post("/api/v1/ingest", content=line("one") + line("two", user="erika"))
        assert hub.delete(EVENTS, params={"query": "user:erika"}).json() == {"deleted": 1}
        assert messages(hub) == ["one"]

    store.close()
    assert not any(b"erika" in path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())
