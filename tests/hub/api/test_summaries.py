import httpx
import pytest
from served_hub import TIME_US, batch, line

from loghub.event.model import format_time
from loghub.hub.store.memory import MemoryStore


def error(kind: str, at: int, message: str = "no", **fields: object) -> bytes:
    frames = [
        {"file": "shop.py", "line": 7, "function": "pay", "in_app": True},
        {"file": "json.py", "line": 9, "function": "loads", "in_app": False},
    ]
    exception = {"type": kind, "message": message, "fingerprint": f"{kind}-print", "frames": frames}
    return line("failed", at, exception=exception, **fields)


def test_facets_have_the_shape_of_the_schema(hub: httpx.Client, memory: MemoryStore) -> None:
    memory.append([batch(line("a", user=1), line("b", user=1), line("c", user=2, level="ERROR"))])
    answer = hub.get("/api/v1/facets", params={"query": "level:info", "fields": "user,host", "limit": 1}).json()

    assert answer == {
        "facets": [
            {"field": "user", "distinct": 1, "values": [{"value": "1", "count": 2}]},
            {"field": "hostname", "distinct": 0, "values": []},
        ],
        "partial": None,
    }


def test_facets_are_of_the_usual_fields_where_none_are_named(hub: httpx.Client) -> None:
    facets = hub.get("/api/v1/facets").json()["facets"]
    assert [facet["field"] for facet in facets] == ["level", "service", "hostname", "logger"]


def test_fields_have_the_shape_of_the_schema(hub: httpx.Client, memory: MemoryStore) -> None:
    memory.append([batch(line("a", user={"id": 1}), line("b"))])
    fields = hub.get("/api/v1/fields", params={"limit": 50}).json()["fields"]

    assert fields[:2] == [
        {"name": name, "type": kind, "count": 2} for name, kind in (("level", "string"), ("levelno", "number"))
    ]
    assert {"name": "user.id", "type": "number", "count": 1} in fields


def test_patterns_group_by_template(hub: httpx.Client, memory: MemoryStore) -> None:
    lines = [line(f"job {number}", number, template="job %d") for number in range(3)]
    memory.append([batch(*lines, line("alone", 9))])
    answer = hub.get("/api/v1/patterns", params={"limit": 1, "buckets": 3}).json()

    assert answer["patterns"] == [
        {
            "template": "job %d",
            "count": 3,
            "share": 0.75,
            "first": format_time(TIME_US),
            "last": format_time(TIME_US + 2_000_000),
            "spark": [3, 0, 0],
        }
    ]
    following = hub.get("/api/v1/patterns", params={"limit": 1, "cursor": answer["cursor"]}).json()
    assert [one["template"] for one in following["patterns"]] == ["alone"]
    assert following["cursor"] is None


def test_errors_group_by_fingerprint(hub: httpx.Client, memory: MemoryStore) -> None:
    shop = [error("KeyError", at, f"try {at}", service=f"shop-{at}") for at in range(2)]
    memory.append([batch(line("fine"), *shop, error("ValueError", 5))])
    answer = hub.get("/api/v1/errors", params={"buckets": 5}).json()

    assert answer["cursor"] is None
    assert answer["errors"][0] == {
        "fingerprint": "KeyError-print",
        "type": "KeyError",
        "message": "try 1",
        "where": "shop.py:7 in pay",
        "count": 2,
        "first": format_time(TIME_US),
        "last": format_time(TIME_US + 1_000_000),
        "services": ["shop-0", "shop-1"],
        "spark": [2, 0, 0, 0, 0],
    }
    assert answer["errors"][1]["type"] == "ValueError"


def test_an_error_without_frames_has_no_place(hub: httpx.Client, memory: MemoryStore) -> None:
    memory.append([batch(line("x", exception={"type": "Odd"}), line("y", exception={"type": "Odd", "frames": [1]}))])
    (found,) = hub.get("/api/v1/errors").json()["errors"]
    assert (found["fingerprint"], found["type"], found["where"], found["count"]) == (None, "Odd", None, 2)


@pytest.mark.parametrize(
    ("path", "parameters", "word"),
    [
        ("facets", {"fields": "a," * 60}, "fields: at most 50"),
        ("facets", {"fields": "exception."}, "fields: expected the name"),
        ("patterns", {"cursor": "x"}, "cursor: give back"),
        ("errors", {"limit": "0"}, "limit: expected a whole number from 1"),
        ("fields", {"from": "never"}, "from: "),
    ],
)
def test_a_wrong_parameter_is_named(hub: httpx.Client, path: str, parameters: dict[str, str], word: str) -> None:
    answer = hub.get(f"/api/v1/{path}", params=parameters)
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "bad_parameter")
    assert answer.json()["error"]["message"].startswith(word)
