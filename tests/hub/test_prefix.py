import json
from collections.abc import Iterator

import httpx
import pytest
from served_hub import line, served
from websockets.sync.client import connect

from loghub.hub.api.app import create_app
from loghub.hub.prefix import Prefixed
from loghub.hub.settings import Settings
from loghub.hub.store.memory import MemoryStore

TOKEN = "a-token-of-the-test"


@pytest.fixture
def address() -> Iterator[str]:
    store = MemoryStore()
    store.append_line(line("one"))

    with served(Prefixed(create_app(store, Settings(token=TOKEN), ingest=True), "/our/logs")) as address:
        yield str(address)


@pytest.mark.parametrize("prefix", ["/our/logs", ""])
def test_hub_answers_below_its_prefix_and_without_it(prefix: str, address: str) -> None:
    headers = {"Authorization": f"Bearer {TOKEN}"}

    with httpx.Client(base_url=f"http://{address}{prefix}", headers=headers) as client:
        assert [event["message"] for event in client.get("/api/v1/search").json()["events"]] == ["one"]
        assert client.get("/").status_code == 200
        assert client.post("/api/v1/ingest", content=b'{"message": "two"}\n').status_code == 200

    with connect(f"ws://{address}{prefix}/api/v1/tail?backlog=1", additional_headers=headers) as tail:
        assert json.loads(tail.recv(60))["type"] == "events"


def test_prefix_without_a_slash_leads_to_the_page_and_needs_no_token(address: str) -> None:
    answer = httpx.get(f"http://{address}/our/logs", follow_redirects=True)
    assert answer.status_code == 200
    assert answer.url.path == "/our/logs/"


def test_what_only_begins_like_the_prefix_is_not_below_it(address: str) -> None:
    assert httpx.get(f"http://{address}/our/logsmith/healthz").status_code == 401
    assert httpx.get(f"http://{address}/our/logs/healthz").text == "ok\n"


def test_session_below_the_prefix_is_sent_nowhere_else(address: str) -> None:
    answer = httpx.post(f"http://{address}/our/logs/api/v1/session", json={"token": TOKEN})
    assert "Path=/our/logs/;" in answer.headers["Set-Cookie"]
