"""Each answer has exactly the shape that was agreed on: these keys, in this order, of these kinds, by both engines."""

import json
import re
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import httpx
import pytest
from served_hub import SOURCE, TIME_US, line, served

from loghub.event.model import KEYS, TAIL_KEYS, format_time
from loghub.hub.api.app import create_app
from loghub.hub.settings import Limits, Settings
from loghub.hub.store.duck import DuckStore
from loghub.hub.store.memory import MemoryStore
from loghub.hub.store.protocol import Appended, Store
from loghub.wire.report import Report, write_report

API = "/api/v1"
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z")
WORD = re.compile(r"\S+")


class Maybe:
    """Something, or null."""

    def __init__(self, shape: object) -> None:
        self.shape = shape


class Some:
    """A list that is not empty here, of such things."""

    def __init__(self, shape: object) -> None:
        self.shape = shape


class OneOf:
    """One of some words."""

    def __init__(self, *words: str) -> None:
        self.words = words


EVENT = {"_id": re.compile(rf"{SOURCE}-[0-9a-f]{{16}}"), "_received": TIME, "_cursor": WORD}
"""What stands before the fields of the line."""

PARTIAL = Maybe({"scanned_to": TIME, "reason": str})
TABLE = {"columns": Some(str), "rows": Some(Some(object)), "partial": PARTIAL, "took_ms": float}
GROUP = {"count": int, "first": TIME, "last": TIME}
SOURCES = {
    "source": SOURCE, "service": str, "hostname": str, "process": int, "sent": int, "acked": int, "queued": int,
    "retried": int, "dead": int, "dropped": int,
    "gaps": Some({"from": TIME, "to": TIME, "count": int, "first": int, "last": int}),  # the last two are more
    "last_seen": TIME, "skew_ms": Maybe(int),
}  # fmt: skip
SHAPES: dict[str, tuple[dict[str, Any], object]] = {
    "search": (
        {"limit": 1, "query": "message:m"},
        {
            "events": Some(EVENT), "cursor": Maybe(WORD), "partial": PARTIAL, "took_ms": float,
            "stats": {"matched": Maybe(int), "total": int, "scanned": int, "partitions": int, "skipped": int},
        },
    ),
    "search?stage": ({"query": "| count by level"}, TABLE),
    "histogram": (
        {"from": format_time(TIME_US), "to": format_time(TIME_US + 60_000_000), "buckets": 3},
        {"from": TIME, "to": TIME, "step_ms": int, "series": Some({"key": str, "counts": Some(int)}), "total": int},
    ),
    "facets": (
        {},
        {
            "facets": Some({"field": str, "distinct": int, "values": Some({"value": str, "count": int})}),
            "partial": PARTIAL,
        },
    ),
    "fields": (
        {},
        {"fields": Some({"name": str, "type": OneOf("string", "number", "bool", "object", "mixed"), "count": int})},
    ),
    "patterns": (
        {},
        {
            "patterns": Some(
                {"template": str, "count": int, "share": float, "first": TIME, "last": TIME, "spark": Some(int)}
            ),
            "cursor": Maybe(WORD),
        },
    ),
    "errors": (
        {},
        {
            "errors": Some(
                {
                    "fingerprint": re.compile("[0-9a-f]{16}"), "type": str, "message": str, "where": str, **GROUP,
                    "services": Some(str), "spark": Some(int),
                }
            ),
            "cursor": Maybe(WORD),
        },
    ),
    "sources": ({}, {"sources": Some(SOURCES)}),
}  # fmt: skip
STATS = ("ingest_rate", "disk", "retention", "rss", "subscribers", "drops")
MORE_STATS = ("engine", "uptime_s", "events", "oldest", "newest", "parts", "hot", "received", "damaged")
"""What stats tell besides."""


def check(found: object, shape: object, path: str = "answer") -> None:
    """Hold an answer against a shape."""
    if isinstance(shape, dict):
        assert isinstance(found, dict), path
        keys = list(found)[: len(shape)] if shape is EVENT else list(found)
        assert keys == list(shape), path

        for key, inside in shape.items():
            check(found[key], inside, f"{path}.{key}")

    elif isinstance(shape, Some):
        assert isinstance(found, list), path
        assert found, path

        for each in found:
            check(each, shape.shape, f"{path}[]")

    elif isinstance(shape, Maybe):
        if found is not None:
            check(found, shape.shape, path)

    elif isinstance(shape, OneOf):
        assert found in shape.words, path

    elif isinstance(shape, re.Pattern):
        assert isinstance(found, str), path
        assert shape.fullmatch(found), (path, found)

    elif isinstance(shape, str):
        assert found == shape, path

    else:
        assert isinstance(shape, type), path
        assert isinstance(found, (int, float) if shape is float else shape), (path, found)
        assert not isinstance(found, bool) or shape is object, path


EXCEPTION = {
    "type": "KeyError", "module": "builtins", "message": "x", "notes": ["note"], "fingerprint": "0123456789abcdef",
    "frames": [{"file": "a.py", "line": 1, "function": "f", "source": "x()", "in_app": True}],
}  # fmt: skip
SENDER: dict[str, Any] = {"service": "shop", "hostname": "web", "process": 7}
WHOLE: dict[str, Any] = {
    "timestamp": format_time(TIME_US + 9_000_000), "level": "NOTICE", "levelno": 25, "logger": "app", "message": "m",
    "template": "%s", "service": "shop", "hostname": "web", "process": 7, "thread": "Main", "task": "T-1",
    "module": "a", "function": "f", "file": "a.py", "line": 3, "component": "cart", "request_id": "r", "trace_id": "t",
    "span_id": "s", "zebra": {"b": 1, "a": 2**70}, "apple": [1, "x", None], "exc_info": "Traceback",
    "exception": EXCEPTION, "stack_info": "Stack", "encode_fallback": True, "truncated": ["zebra"],
    "format_error": "e", "args": "(1,)",
}  # fmt: skip
"""An event with all keys, in the order of the line; two of them are free."""


@pytest.fixture(scope="module", params=["memory", "duck", "sealed"])
def hub(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx.Client]:
    is_memory = request.param == "memory"
    store: Store = MemoryStore(1000) if is_memory else DuckStore(tmp_path_factory.mktemp("hub"), keep_us=2**60)

    with (
        closing(store),
        served(create_app(store, Settings(), ingest=True)) as address,
        httpx.Client(base_url=f"http://{address}{API}/") as client,
    ):
        _fill(client)

        if request.param == "sealed" and isinstance(store, DuckStore):
            store.seal_all()

        yield client


def _fill(client: httpx.Client) -> None:
    """Send what the answers are about, the last batch with a gap before it."""
    turned = dict(reversed(WHOLE.items()))
    free = {key: turned.pop(key) for key in ("zebra", "apple")}
    lines = [
        line("m1", **SENDER),
        line("m2", 1, user="x"),
        b"no event\n",
        json.dumps(free | turned).encode() + b"\n",
        line("unwanted", 4),
    ]
    report = write_report(Report(None, 9, 4, 0, 0, 0, 0))
    key = {"Idempotency-Key": f"{SOURCE}:1-5", "Loghub-Sender": report}
    shape = {
        "accepted": int,
        "duplicate": int,
        "quarantined": Some({"line": int, "id": f"{SOURCE}-{3:016x}", "error": str}),
    }
    check(client.post("ingest", content=b"".join(lines), headers=key).json(), shape)
    late = {"Idempotency-Key": f"{SOURCE}:9-9", "Loghub-Sender": report}
    check(client.post("ingest", content=line("m9", 2, **SENDER), headers=late).json(), shape | {"quarantined": list})


@pytest.mark.parametrize("name", SHAPES)
def test_an_answer_has_its_shape(hub: httpx.Client, name: str) -> None:
    parameters, shape = SHAPES[name]
    answer = hub.get(name.partition("?")[0], params=parameters)
    assert answer.status_code == 200, answer.text
    check(answer.json(), shape)


def test_an_event_has_its_place_and_then_the_keys_of_the_line_in_their_order(hub: httpx.Client) -> None:
    (event,) = hub.get("search", params={"query": "levelno:25"}).json()["events"]

    assert list(event) == ["_id", "_received", "_cursor", *WHOLE]
    assert {key: event[key] for key in WHOLE} == WHOLE
    assert [key for key in WHOLE if key not in ("zebra", "apple")] == [*KEYS, *TAIL_KEYS]


def test_the_context_of_an_event_has_its_shape(hub: httpx.Client) -> None:
    (event,) = hub.get("search", params={"query": "user:x"}).json()["events"]
    found = hub.get(f"events/{event['_id']}/context", params={"lane": "all"}).json()
    check(found, {"before": Some(EVENT), "event": EVENT, "after": Some(EVENT)})
    assert found["event"] == event


def test_stats_have_their_keys_and_some_more(hub: httpx.Client) -> None:
    stats = hub.get("stats").json()
    assert sorted(stats) == sorted((*STATS, *MORE_STATS))


def test_a_deletion_tells_how_many_went(hub: httpx.Client) -> None:
    asked = {"query": "unwanted"}
    assert hub.delete("events", params={**asked, "dry_run": "true"}).json() == {"deleted": 0, "matched": 1}
    assert hub.delete("events", params=asked).json() == {"deleted": 1}


class Refusing(MemoryStore):
    """A store whose disk is full."""

    def append(self, batches: Any) -> list[Appended]:
        del batches
        raise OSError(28, "No space left on device")


REFUSALS: dict[int, tuple[str, str, dict[str, Any]]] = {
    400: ("GET", "search", {"params": {"query": "level>="}}),
    401: ("GET", "search", {"headers": {"Authorization": "Bearer another"}}),
    403: ("GET", "search", {"headers": {"Origin": "http://evil.example"}}),
    404: ("GET", "events/nothing/context", {}),
    413: ("POST", "ingest", {"content": b" " * 3000}),
    415: ("POST", "ingest", {"content": b"x", "headers": {"Content-Type": "image/png"}}),
    422: ("POST", "ingest", {"content": b"{}\n{}\n", "headers": {"Idempotency-Key": f"{SOURCE}:1-3"}}),
    503: ("POST", "ingest", {"content": b"{}\n", "headers": {"Loghub-Digest": "crc32=00000000"}}),
    507: ("POST", "ingest", {"content": b"{}\n"}),
}


@pytest.mark.parametrize("status", REFUSALS)
def test_a_refusal_has_a_code_a_message_and_of_a_query_the_position(status: int) -> None:
    method, path, options = REFUSALS[status]
    settings = Settings(limits=Limits(body=2000), token="the-token" if status == 401 else None)

    with served(create_app(Refusing(), settings, ingest=True)) as address:
        answer = httpx.request(method, f"http://{address}{API}/{path}", **options)

    assert answer.status_code == status, answer.text
    position = {"position": 7} if status == 400 else {}
    error = answer.json()["error"]
    assert answer.json() == {"error": {"code": error["code"], "message": error["message"], **position}}
    check(error["code"], re.compile("[a-z_]+"))
    assert len(error["message"]) > len("an error")


def test_who_brings_more_than_there_is_room_for_is_told_to_come_again() -> None:
    app = create_app(MemoryStore(), Settings(), ingest=True)
    app.state.parts.room.take(app.state.parts.settings.limits.waiting)

    with served(app) as address:
        answer = httpx.post(f"http://{address}{API}/ingest", content=line("one"))

    assert answer.status_code == 429
    assert answer.headers["Retry-After"].isdecimal()
    assert list(answer.json()["error"]) == ["code", "message"]
