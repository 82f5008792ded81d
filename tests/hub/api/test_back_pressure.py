"""What a hub does with more than it can take: it says so in time, and loses nothing that it has acknowledged."""

import gzip
import threading
from pathlib import Path

import httpx
import pytest
from served_hub import SOURCE, line, served, wait_until

from loghub.hub.api.app import create_app
from loghub.hub.settings import Limits, Settings
from loghub.hub.store import hot_parts
from loghub.hub.store.duck import DuckStore

PATH = "/api/v1/ingest"


def send(client: httpx.Client, first: int, count: int) -> httpx.Response:
    body = b"".join(line(f"m{seq}", at=seq) for seq in range(first, first + count))
    return client.post(PATH, content=body, headers={"Idempotency-Key": f"{SOURCE}:{first}-{first + count - 1}"})


def test_while_sealing_lags_too_far_behind_senders_wait_and_nothing_is_lost(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hot_parts, "_SMALL_SEAL", 10)
    go_on = threading.Event()

    def wait(_step: str) -> None:
        go_on.wait(200)

    store = DuckStore(tmp_path, seal_rows=10, on_step=wait)

    try:
        with (
            served(create_app(store, Settings(), ingest=True)) as address,
            httpx.Client(base_url=f"http://{address}") as client,
        ):
            following = 1

            while (answer := send(client, following, 5)).status_code == 200:
                following += 5
                assert following < 1000

            assert (answer.status_code, answer.headers["Retry-After"]) == (503, "1")
            assert answer.json()["error"]["code"] == "busy"
            assert (
                client.get("/api/v1/search", params={"limit": 1}).json()["events"][0]["message"] == f"m{following - 1}"
            )
            go_on.set()
            wait_until(lambda: send(client, following, 5).status_code == 200)
            events = client.get("/api/v1/search", params={"order": "oldest", "limit": 1000}).json()["events"]
            assert [event["message"] for event in events] == [f"m{seq}" for seq in range(1, following + 5)]
    finally:
        go_on.set()
        store.close()


def test_bodies_that_wait_are_bounded_by_their_bytes_also_when_they_are_unpacked(tmp_path: Path) -> None:

    store = DuckStore(tmp_path)
    limits = Limits(waiting=20_000)

    try:
        with (
            served(create_app(store, Settings(limits=limits), ingest=True)) as address,
            httpx.Client(base_url=f"http://{address}") as client,
        ):
            bomb = gzip.compress(line("x" * 30_000))
            answer = client.post(PATH, content=bomb, headers={"Content-Encoding": "gzip"})
            assert (answer.status_code, answer.headers["Retry-After"]) == (429, "1")

            for first in range(1, 200, 50):
                assert send(client, first, 50).json() == {"accepted": 50, "duplicate": 0, "quarantined": []}

            assert store.count() == 200
    finally:
        store.close()
