import os
import re
from pathlib import Path

import httpx
import orjson
from served_hub import line, served

from loghub.hub.api.app import create_app
from loghub.hub.settings import Limits, Settings
from loghub.hub.store.duck import DuckStore
from loghub.hub.store.memory import MemoryStore

KEYS = [
    "engine", "uptime_s", "events", "oldest", "newest", "parts", "hot", "ingest_rate", "received", "disk", "retention",
    "rss", "subscribers", "drops", "damaged",
]  # fmt: skip
PAGE = Path(__file__).parents[3] / "docs" / "reference" / "api" / "stats.md"


def send(hub: httpx.Client, *lines: bytes) -> None:
    assert hub.post("/api/v1/ingest", content=b"".join(lines)).status_code == 200


def test_a_hub_in_memory_tells_what_it_holds(hub: httpx.Client) -> None:
    empty = hub.get("/api/v1/stats").json()
    send(hub, line("one", 1), line("three", 3), line("two", 2), b"no event\n")
    stats = hub.get("/api/v1/stats").json()

    assert list(stats) == KEYS
    assert (empty["events"], empty["oldest"], empty["newest"], empty["ingest_rate"]) == (0, None, None, 0)
    assert (stats["engine"], stats["events"], stats["hot"], stats["disk"]) == ("memory", 3, 3, None)
    assert (stats["oldest"], stats["newest"]) == ("2026-09-21T14:13:21.000000Z", "2026-09-21T14:13:23.000000Z")
    assert stats["ingest_rate"] == 3 / 60
    assert stats["received"] == {"accepted": 3, "duplicate": 0, "quarantined": 1}
    assert stats["retention"] == {"age_s": None, "bytes": None, "free_bytes": None, "events": 1000, "rules": []}
    assert stats["rss"] > 10_000_000
    assert stats["drops"] == {"senders": 0, "lost": 0, "tails": 0}


def test_a_hub_on_a_disk_tells_what_it_takes_of_it(tmp_path: Path) -> None:
    store = DuckStore(tmp_path, keep_us=60_000_000, keep_bytes=10**9)

    with served(create_app(store, Settings(), ingest=True)) as address:
        httpx.post(f"http://{address}/api/v1/ingest", content=line("one"))
        stats = httpx.get(f"http://{address}/api/v1/stats").json()

    store.close()
    log = sum(path.stat().st_size for path in (tmp_path / "wal").iterdir())
    assert (stats["engine"], stats["events"], stats["parts"], stats["hot"]) == ("duckdb", 1, 1, 1)
    assert stats["disk"] | {"free": 0, "size": 0} == {"used": log, "sealed": 0, "log": log, "free": 0, "size": 0}
    assert (
        0
        < stats["disk"]["free"]
        <= stats["disk"]["size"]
        == os.statvfs(tmp_path).f_blocks * os.statvfs(tmp_path).f_frsize
    )
    assert stats["retention"] == {"age_s": 60, "bytes": 10**9, "free_bytes": None, "events": None, "rules": []}


def test_live_tails_and_what_they_were_moved_past_are_counted(memory: MemoryStore) -> None:
    settings = Settings(limits=Limits(lag=10))

    with (
        served(create_app(memory, settings, ingest=True)) as address,
        httpx.Client(base_url=f"http://{address}") as hub,
    ):
        cursor = hub.get("/api/v1/tail", params={"wait": 0}).json()["cursor"]

        for number in range(600):
            memory.append_line(line(f"event {number}"))

        frame, *_ = hub.get("/api/v1/tail", params={"wait": 5, "cursor": cursor}).json()["frames"]
        stats = hub.get("/api/v1/stats").json()

    assert frame["type"] == "gap"
    assert stats["drops"] == {"senders": 0, "lost": 0, "tails": frame["count"]}
    assert stats["subscribers"] == 0


def test_the_page_shows_each_key() -> None:
    (example,) = re.findall(r"## Answer\n\n```json\n(.*?)```", PAGE.read_text("utf-8"), re.DOTALL)

    assert list(orjson.loads(example)) == KEYS
