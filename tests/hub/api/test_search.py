import socket
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import replace
from typing import Any

import httpx
import pytest
from served_hub import SOURCE, TIME_US, batch, line, served, wait_until
from websockets.sync.client import connect

from loghub.errors import QueryTimeoutError
from loghub.event.model import format_time
from loghub.hub.api.app import create_app
from loghub.hub.settings import Settings
from loghub.hub.store.memory import MemoryStore
from loghub.hub.store.protocol import Histogram, Page
from loghub.hub.store.summaries import Facets, FieldCounts, Groups, Partial

PATH = "/api/v1/search"


def test_the_newest_come_first_with_their_place(hub: httpx.Client, memory: MemoryStore) -> None:
    memory.append([batch(line("one", 1), line("two", 2))])
    answer = hub.get(PATH).json()
    stats = {"matched": 2, "total": 2, "scanned": 2, "partitions": 1, "skipped": 0}

    assert list(answer) == ["events", "cursor", "partial", "took_ms", "stats"]
    assert (answer["cursor"], answer["partial"], answer["stats"]) == (None, None, stats)
    assert [list(event)[:5] for event in answer["events"]] == [
        ["_id", "_received", "_cursor", "timestamp", "level"]
    ] * 2
    assert [event["_id"] for event in answer["events"]] == [f"{SOURCE}-{seq:016x}" for seq in (2, 1)]
    assert answer["events"][0]["_received"] == format_time(TIME_US)
    assert answer["events"][0]["_cursor"] == f"{memory.epoch}~2"


def test_pages_follow_each_other_without_a_gap(hub: httpx.Client, memory: MemoryStore) -> None:
    memory.append([batch(*(line(str(number), number // 3) for number in range(25)))])

    for order, expected in (("newest", range(24, -1, -1)), ("oldest", range(25))):
        found: list[int] = []
        cursor: str | None = ""

        while cursor is not None:
            answer = hub.get(PATH, params={"limit": 4, "cursor": cursor, "order": order}).json()
            found += [int(event["message"]) for event in answer["events"]]
            cursor = answer["cursor"]

        assert found == list(expected)


def test_events_that_may_be_missing_are_told_with_the_reason() -> None:
    class Damaged(MemoryStore):
        def search(self, *arguments: Any, **options: Any) -> Page:
            return replace(super().search(*arguments, **options), partial=Partial("a part cannot be read"))

    store = Damaged()
    store.append([batch(line("one", 1), line("two", 2))])

    with served(create_app(store, Settings(), ingest=False)) as address:
        answer = httpx.get(f"http://{address}{PATH}", params={"order": "oldest"}).json()

    reached = format_time(TIME_US + 2_000_000)
    assert answer["partial"] == {"scanned_to": reached, "reason": "a part cannot be read"}


class Unread(MemoryStore):
    """A store with a part that cannot be read."""

    def search(self, *arguments: Any, **options: Any) -> Page:
        return replace(super().search(*arguments, **options), partial=UNREAD)

    def histogram(self, *arguments: Any, **options: Any) -> Histogram:
        return replace(super().histogram(*arguments, **options), partial=UNREAD)

    def facets(self, *arguments: Any, **options: Any) -> Facets:
        return replace(super().facets(*arguments, **options), partial=UNREAD)

    def names(self, *arguments: Any, **options: Any) -> FieldCounts:
        return replace(super().names(*arguments, **options), partial=UNREAD)

    def groups(self, *arguments: Any, **options: Any) -> Groups:
        return replace(super().groups(*arguments, **options), partial=UNREAD)


UNREAD = Partial("a part cannot be read", TIME_US)


@pytest.mark.parametrize(
    "path",
    [
        "search", "search?query=| count by level", "search?query=| top 1 by level", "search?query=| timechart 1h",
        "search?query=| fields message", "histogram", "facets", "fields", "patterns", "errors",
        f"events/{SOURCE}-{1:016x}/context",
    ],
)  # fmt: skip
def test_each_answer_tells_of_what_may_be_missing(path: str) -> None:
    store = Unread()
    store.append([batch(line("one", process=1, exception={"type": "KeyError"}), line("two", 2))])

    with served(create_app(store, Settings(), ingest=False)) as address:
        answer = httpx.get(f"http://{address}/api/v1/{path}").json()

    assert answer["partial"] == {"scanned_to": format_time(TIME_US), "reason": "a part cannot be read"}


def test_a_search_that_takes_too_long_is_refused_for_now() -> None:
    class Slow(MemoryStore):
        def search(self, *_: Any, **__: Any) -> Page:
            raise QueryTimeoutError(30)

    with served(create_app(Slow(), Settings(), ingest=False)) as address:
        answer = httpx.get(f"http://{address}{PATH}")

    assert (answer.status_code, answer.json()["error"]["code"]) == (503, "too_slow")


def test_a_range_has_its_start_and_not_its_end(hub: httpx.Client, memory: MemoryStore) -> None:
    memory.append([batch(*(line(str(number), number) for number in range(5)))])
    bounds = {"from": format_time(TIME_US + 1_000_000), "to": format_time(TIME_US + 3_000_000), "order": "oldest"}
    assert [event["message"] for event in hub.get(PATH, params=bounds).json()["events"]] == ["1", "2"]


def test_long_integers_and_foreign_places_keep_apart(hub: httpx.Client) -> None:
    text = '{"timestamp":"2026-09-21T14:13:20.000000Z","level":"INFO","message":"m","n":123456789012345678901234567890}'
    hub.post("/api/v1/ingest", content=text)
    hub.post("/api/v1/ingest", content='{"_id":"mine","message":"x","extra":{"a":1}}')
    answer = hub.get(PATH, params={"order": "oldest"})

    assert '"n":123456789012345678901234567890' in answer.text
    assert "encode_fallback" not in answer.text
    assert answer.json()["events"][1]["extra"] == {"_id": "mine", "a": 1}


@pytest.mark.parametrize(
    ("parameters", "code", "word"),
    [
        ({"query": "level>="}, "bad_query", "at character 8"),
        ({"from": "yesterday"}, "bad_parameter", "from: 'yesterday' is not a time"),
        ({"from": "-1m", "to": "-2m"}, "bad_parameter", "to: must lie behind from"),
        ({"limit": "0"}, "bad_parameter", "limit: expected a whole number from 1 to 1000, found '0'"),
        ({"limit": "1001"}, "bad_parameter", "limit"),
        ({"limit": "٣"}, "bad_parameter", "limit"),
        ({"order": "up"}, "bad_parameter", "order"),
        ({"cursor": "x"}, "bad_parameter", "cursor"),
        ({"cursor": "9999999999999999999~a~1"}, "bad_parameter", "cursor"),
    ],
)
def test_a_wrong_parameter_is_named(hub: httpx.Client, parameters: dict[str, str], code: str, word: str) -> None:
    answer = hub.get(PATH, params=parameters)
    error = answer.json()["error"]
    assert (answer.status_code, error["code"]) == (400, code)
    assert word in error["message"]
    assert ("position" in error) == (code == "bad_query")


def test_a_histogram_counts_by_level_and_time(hub: httpx.Client, memory: MemoryStore) -> None:
    memory.append([batch(line("a"), line("b", 1), line("c", 1, level="ERROR"), line("d", 60))])
    bounds = {"from": format_time(TIME_US), "to": format_time(TIME_US + 60_000_000), "buckets": "2"}
    answer = hub.get("/api/v1/histogram", params=bounds).json()
    series = answer.pop("series")

    assert answer == {
        "from": format_time(TIME_US),
        "to": format_time(TIME_US + 60_000_000),
        "step_ms": 30_000,
        "total": 3,
    }
    assert sorted((one["key"], one["counts"]) for one in series) == [("ERROR", [1, 0]), ("INFO", [2, 0])]


def test_a_histogram_counts_by_any_field(hub: httpx.Client, memory: MemoryStore) -> None:
    memory.append([batch(line("a", user=7), line("b", user=[1, "x"]), line("c"))])
    bounds = {"from": format_time(TIME_US), "to": format_time(TIME_US + 1), "buckets": "1", "by": "user"}
    series = hub.get("/api/v1/histogram", params=bounds).json()["series"]
    assert sorted(one["key"] for one in series) == ["", "7", '[1,"x"]']


@pytest.mark.parametrize(
    ("parameters", "word"),
    [
        ({"from": "-140000w"}, "from: '-140000w' lies outside of the years 1 to 9999"),
        ({"to": "+999999w"}, "to: '+999999w' lies outside"),
        ({"by": "exception."}, "by: expected the name of a field"),
        ({"by": "x" * 300}, "by: expected the name of a field"),
        ({"buckets": "0"}, "buckets: "),
    ],
)
def test_a_wrong_parameter_of_a_histogram_is_named(hub: httpx.Client, parameters: dict[str, str], word: str) -> None:
    answer = hub.get("/api/v1/histogram", params=parameters)
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "bad_parameter")
    assert answer.json()["error"]["message"].startswith(word)


def test_a_histogram_knows_the_short_names_of_fields(hub: httpx.Client, memory: MemoryStore) -> None:
    memory.append([batch(line("a", hostname="web-1"), line("b", hostname="web-2"))])
    bounds = {"from": format_time(TIME_US), "to": format_time(TIME_US + 1), "buckets": "1"}

    for short, long in (("host", "hostname"), ("ts", "timestamp")):
        one, other = (hub.get("/api/v1/histogram", params=bounds | {"by": by}).json() for by in (short, long))
        assert one["series"] == other["series"]
        assert len(one["series"]) == {"host": 2, "ts": 1}[short]


def test_a_histogram_has_the_fifty_largest_keys_and_sums_the_others(hub: httpx.Client, memory: MemoryStore) -> None:
    small = [line("x", user=f"small{number}") for number in range(12)]
    large = [line("x", at, user=f"large{number}") for number in range(50) for at in (0, 1, 1)]
    memory.append([batch(*small, *large)])
    bounds = {"from": format_time(TIME_US), "to": format_time(TIME_US + 2_000_000), "buckets": "2", "by": "user"}
    answer = hub.get("/api/v1/histogram", params=bounds).json()
    counts = {one["key"]: one["counts"] for one in answer["series"]}

    assert counts == {f"large{number}": [1, 2] for number in range(50)} | {"other": [12, 0]}
    assert list(counts)[-1] == "other"
    assert answer["total"] == 162


def test_a_histogram_adds_the_others_to_a_key_of_that_name(hub: httpx.Client, memory: MemoryStore) -> None:
    memory.append([batch(*(line("x", user=str(number)) for number in range(60)), *[line("x", user="other")] * 5)])
    bounds = {"from": format_time(TIME_US), "to": format_time(TIME_US + 1), "buckets": "1", "by": "user"}
    answer = hub.get("/api/v1/histogram", params=bounds).json()
    assert [one["counts"] for one in answer["series"] if one["key"] == "other"] == [[5 + 11]]
    assert (len(answer["series"]), answer["total"]) == (50, 65)


def test_a_missing_page_and_method_have_the_shape_of_errors(hub: httpx.Client) -> None:
    assert hub.get("/nowhere").json() == {"error": {"code": "not_found", "message": "Not Found"}}
    assert hub.post(PATH).json() == {"error": {"code": "method_not_allowed", "message": "Method Not Allowed"}}
    assert hub.get(PATH + "/").status_code == 404


class SlowSearch(MemoryStore):
    """A store whose searches take until somebody lets them go."""

    def __init__(self) -> None:
        super().__init__()
        self.go = threading.Event()
        self.begun = 0

    def search(self, *args: Any, **options: Any) -> Page:
        self.begun += 1
        self.go.wait(200)
        return super().search(*args, **options)

    def interrupt(self) -> None:
        self.go.set()


@pytest.fixture
def slow() -> Iterator[SlowSearch]:
    store = SlowSearch()
    yield store
    store.interrupt()


def test_slow_searches_hold_up_neither_ingest_nor_tails_nor_health(slow: SlowSearch) -> None:
    with (
        served(create_app(slow, Settings(), ingest=True)) as address,
        ThreadPoolExecutor(20) as clients,
        httpx.Client(base_url=f"http://{address}", timeout=60) as client,
    ):
        searches = [clients.submit(httpx.get, f"http://{address}{PATH}", timeout=100) for _ in range(20)]
        wait_until(lambda: slow.begun >= 4)

        with connect(f"ws://{address}/api/v1/tail") as tail:
            tail.recv(60)
            assert client.post("/api/v1/ingest", content=line("one")).status_code == 200
            assert "one" in str(tail.recv(60))

        assert client.get("/readyz").status_code == 200
        slow.go.set()
        assert {search.result(60).status_code for search in searches} == {200}


def test_a_search_whose_client_went_away_is_not_begun(slow: SlowSearch) -> None:
    with served(create_app(slow, Settings(), ingest=True)) as address, ExitStack() as connections:

        def ask() -> None:
            client = connections.enter_context(socket.create_connection((address.host, address.port)))
            client.sendall(f"GET {PATH} HTTP/1.1\r\nHost: {address}\r\n\r\n".encode())

        for number in range(1, 5):
            ask()
            wait_until(lambda number=number: slow.begun == number)  # type: ignore[misc]

        for _ in range(8):
            ask()

        connections.close()
        wait_until(lambda: 'status="499"} 12.0' in httpx.get(f"http://{address}/metrics").text)
        slow.go.set()
        assert httpx.get(f"http://{address}{PATH}").status_code == 200
        assert slow.begun == 5


def test_who_waits_for_a_search_is_told_that_the_hub_ends(slow: SlowSearch) -> None:
    app = create_app(slow, Settings(), ingest=True)

    with served(app) as address, ThreadPoolExecutor(1) as clients:
        search = clients.submit(httpx.get, f"http://{address}{PATH}", timeout=100)
        wait_until(lambda: slow.begun)
        app.state.parts.end_searches()
        answer = search.result(60)

    assert (answer.status_code, answer.json()["error"]["code"]) == (503, "ending")


def test_counters_are_told(hub: httpx.Client) -> None:
    hub.post("/api/v1/ingest", content=line("one") + b"bad\n")
    text = hub.get("/metrics").text

    for counted in (
        "loghub_hub_events_accepted_total 1.0",
        "loghub_hub_lines_quarantined_total 1.0",
        "loghub_hub_events 1.0",
        'loghub_hub_request_seconds_count{method="POST",route="/api/v1/ingest",status="200"} 1.0',
    ):
        assert counted in text


def test_health_is_told(hub: httpx.Client) -> None:
    assert [hub.get(path).text for path in ("/healthz", "/readyz")] == ["ok\n", "ok\n"]
