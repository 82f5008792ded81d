"""A hub whose disk is full: it takes nothing, says so, answers, deletes, and goes on by itself when there is room."""

import os
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from served_hub import SOURCE, line, served, wait_until

from loghub.hub.api.app import create_app
from loghub.hub.settings import Settings
from loghub.hub.store.duck import DuckStore

from faults.disk import fill, small_disk

PER_PART = 300


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    with small_disk(tmp_path / "disk", "24m") as disk:
        yield disk


class Hub:
    """A hub on a disk, and a sender that counts on."""

    def __init__(self, client: httpx.Client) -> None:
        self._client = client
        self.last = 0

    def send(self, count: int = 100) -> int:
        """Send events of about a kilobyte; give the status."""
        first, last = self.last + 1, self.last + count
        lines = [
            line(os.urandom(500).hex(), seq, number=seq, part=(seq - 1) // PER_PART) for seq in range(first, last + 1)
        ]
        key = {"Idempotency-Key": f"{SOURCE}:{first}-{last}"}
        status = self._client.post("/api/v1/ingest", content=b"".join(lines), headers=key).status_code
        self.last = last if status == 200 else self.last
        return status

    def delete(self, query: str) -> httpx.Response:
        return self._client.delete("/api/v1/events", params={"query": query})

    def numbers(self) -> list[int]:
        lines = self._client.get("/api/v1/export").content.splitlines()
        return [int(part.partition(b'"number":')[2].partition(b",")[0]) for part in lines]

    @property
    def free(self) -> int:
        return int(self._client.get("/api/v1/stats").json()["disk"]["free"])


def _line(number: int) -> bytes:
    return line(os.urandom(500).hex(), number, number=number, part=(number - 1) // PER_PART)


def test_a_full_disk_takes_nothing_answers_deletes_and_recovers(disk: Path) -> None:
    store = DuckStore(disk / "data", seal_rows=PER_PART, keep_us=2**60)

    with (
        served(create_app(store, Settings(), ingest=True)) as address,
        httpx.Client(base_url=f"http://{address}", timeout=60) as client,
    ):
        hub = Hub(client)

        for _ in range(4):
            for _ in range(PER_PART // 100):
                assert hub.send() == 200

            wait_until(lambda: store.stats().hot == 0)

        assert hub.send(50) == 200
        filler = fill(disk)
        assert hub.free == 0
        assert hub.send() == 507
        assert hub.numbers() == list(range(1, hub.last + 1))

        # A part of a file: there is no room to write it again.
        refused = hub.delete("number:7")
        assert refused.status_code == 507
        assert refused.json()["error"]["message"].startswith("0 events were deleted, then it failed")
        assert hub.numbers() == list(range(1, hub.last + 1))

        # A whole file needs none, and gives room.
        assert hub.delete("part:(1 OR 2)").json() == {"deleted": 2 * PER_PART}
        assert hub.free > 0
        assert hub.delete("number:7").json() == {"deleted": 1}
        assert hub.send(10) == 200

        while hub.send() == 200:
            pass

        filler.unlink()
        assert hub.send() == 200
        there = [number for number in range(1, hub.last + 1) if number != 7 and (number - 1) // PER_PART not in (1, 2)]
        assert hub.numbers() == there
        wait_until(lambda: store.stats().hot < PER_PART)
        assert hub.numbers() == there

    store.close()
    again = DuckStore(disk / "data", keep_us=2**60)
    assert again.count() == len(there)
    assert again.damaged == ()
    again.close()
