from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import httpx
import pytest
from served_hub import TIME_US, batch, line, served

from loghub.event.model import format_time
from loghub.hub.api.app import create_app
from loghub.hub.settings import Settings
from loghub.hub.store.duck import DuckStore
from loghub.hub.store.memory import MemoryStore

PATH = "/api/v1/search"


@pytest.fixture(params=["memory", "duck"])
def client(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[httpx.Client]:
    store = MemoryStore(1000) if request.param == "memory" else DuckStore(tmp_path, keep_us=2**60, seal_rows=3)
    lines = [
        line(f"m{at}", at, level=("INFO", "ERROR")[at % 2], user=at % 3, **({"odd": 1} if at > 7 else {}))
        for at in range(10)
    ]

    with closing(store), served(create_app(store, Settings(), ingest=False)) as address:
        store.append([batch(*lines)])

        with httpx.Client(base_url=f"http://{address}") as client:
            yield client


def table(client: httpx.Client, query: str, **parameters: str) -> tuple[list[str], list[list[Any]]]:
    answer = client.get(PATH, params={"query": query, **parameters}).json()
    assert list(answer) == ["columns", "rows", "partial", "took_ms"], answer
    assert answer["partial"] is None
    return answer["columns"], answer["rows"]


def test_count_counts_combinations(client: httpx.Client) -> None:
    assert table(client, "| count") == (["count"], [[10]])
    assert table(client, "nothing | count") == (["count"], [[0]])
    assert table(client, "| count by odd") == (["odd", "count"], [[None, 8], ["1", 2]])
    assert table(client, "| count by level, user", limit="2") == (
        ["level", "user", "count"],
        [["ERROR", "0", 2], ["ERROR", "1", 2]],
    )


def test_top_leaves_out_who_lacks_the_field(client: httpx.Client) -> None:
    assert table(client, "| top 2 by user") == (["user", "count"], [["0", 4], ["1", 3]])
    assert table(client, "| top by odd") == (["odd", "count"], [["1", 2]])


def test_a_timechart_has_a_row_for_each_step(client: httpx.Client) -> None:
    times = [format_time(TIME_US + at * 1_000_000) for at in (0, 4, 8)]
    assert TIME_US % 4_000_000 == 0

    assert table(client, "| timechart 4s by level") == (
        ["timestamp", "ERROR", "INFO"],
        [[times[0], 2, 2], [times[1], 2, 2], [times[2], 1, 1]],
    )
    bounds = {"from": format_time(TIME_US + 1_000_000), "to": format_time(TIME_US + 6_000_000)}
    assert table(client, "| timechart 4s", **bounds) == (["timestamp", "count"], [[times[0], 3], [times[1], 2]])
    assert table(client, "nothing | timechart 4s") == (["timestamp", "count"], [])


def test_a_timechart_with_too_many_steps_is_refused(hub: httpx.Client, memory: MemoryStore) -> None:
    memory.append([batch(line("first"), line("last", 60))])
    answer = hub.get(PATH, params={"query": "| timechart 1ms"})
    assert answer.status_code == 400
    assert "would have 60001 rows, at most 10000" in answer.json()["error"]["message"]


def test_fields_has_a_row_for_each_event(client: httpx.Client) -> None:
    assert table(client, "| fields message, odd", limit="3") == (
        ["message", "odd"],
        [["m9", 1], ["m8", 1], ["m7", None]],
    )


def test_a_stage_is_refused_where_events_are_needed(client: httpx.Client) -> None:
    for path in ("histogram", "facets", "patterns", "fields"):
        answer = client.get(f"/api/v1/{path}", params={"query": "a | count"})
        assert answer.json()["error"]["code"] == "bad_query"
        assert "stages" in answer.json()["error"]["message"]
