import json
import os
import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loghub.event.encode import decode, encode
from loghub.event.model import Event, JSONValue
from loghub.event.presets import (
    DATADOG_NAMES,
    ECS_NAMES,
    GCP_NAMES,
    LOGSTASH_NAMES,
    OTEL_ATTRIBUTES,
    OTEL_RESOURCE,
    OTEL_TOP,
    PRESETS,
    otel_severity,
)
from loghub.event.reading import Fields, plain_fields

from strategies import json_values, line_objects

GOLDEN = Path(__file__).parent / "golden"
NOW = 1_795_357_041_698_000
_PLACE = {
    "process": 4711,
    "thread": "MainThread",
    "module": "cart",
    "function": "Cart.checkout",
    "file": "/app/shop/cart.py",
    "line": 88,
}
_COMMON: dict[str, Any] = {"service": "shop", "hostname": "web-1", **_PLACE}
_TIME = "2026-11-22T14:17:21.698123Z"
_FRAME = {"file": "/app/shop/cart.py", "line": 88, "function": "Cart.checkout", "source": "pay()", "in_app": True}

EVENTS: dict[str, dict[str, Any]] = {
    "simple": {"timestamp": _TIME, "level": "INFO", "logger": "shop.cart", "message": "checkout", **_COMMON},
    "exception": {
        "timestamp": _TIME,
        "level": "ERROR",
        "logger": "shop.cart",
        "message": "no answer from payments",
        **_COMMON,
        "exc_info": "Traceback (most recent call last):\n  …\nTimeoutError: after 3 s",
        "exception": {
            "type": "TimeoutError", "module": "builtins", "message": "after 3 s",
            "fingerprint": "0123456789abcdef", "frames": [_FRAME],
        },
        "stack_info": "Stack (most recent call last):\n  …",
    },
    "custom level": {
        "timestamp": _TIME,
        "level": "AUDIT",
        "levelno": 25,
        "logger": "shop",
        "message": "role changed",
        **_COMMON,
    },
    "extras": {
        "timestamp": _TIME,
        "level": "WARNING",
        "logger": "shop.cart",
        "message": "3 of 5 in stock",
        "template": "%d of %d in stock",
        **_COMMON,
        "env": "production",
        "version": "1.4.2",
        "sku": "T-1",
        "paid": True,
        "price": 12.5,
        "note": None,
        "items": [{"id": 1, "tags": ["tea", "cup"]}],
        "error": "an extra whose name others use",
        "log.level": "spoofed",
        "extra": {"message": "an extra under a standard name"},
    },
    "trace": {
        "timestamp": _TIME,
        "level": "DEBUG",
        "logger": "shop.http",
        "message": "GET /cart",
        **_COMMON,
        "task": "Task-7",
        "component": "web",
        "request_id": "9f2c6a",
        "trace_id": "4bf92f3577b34da6a3ce929d0e0e4736",
        "span_id": "00f067aa0ba902b7",
    },
}  # fmt: skip


@pytest.mark.parametrize("preset", PRESETS)
def test_events_are_written_as_in_the_golden_file(preset: str) -> None:
    written = {name: decode(encode(PRESETS[preset](dict(fields)))) for name, fields in EVENTS.items()}
    path = GOLDEN / f"{preset}.json"

    if os.environ.get("LOGHUB_WRITE_GOLDEN"):
        path.write_text(json.dumps(written, indent=2, ensure_ascii=False) + "\n")

    assert json.loads(path.read_text()) == written
    assert [list(line) for line in json.loads(path.read_text()).values()] == [list(line) for line in written.values()]


@pytest.mark.parametrize("name", EVENTS)
@pytest.mark.parametrize("preset", PRESETS)
def test_golden_line_is_read_back(preset: str, name: str) -> None:
    line = json.loads((GOLDEN / f"{preset}.json").read_text())[name]

    assert Event.from_mapping(line, now_us=0) == Event.from_mapping(EVENTS[name], now_us=0)


@pytest.mark.parametrize("preset", PRESETS)
def test_preset_does_not_change_its_argument(preset: str) -> None:
    for fields in EVENTS.values():
        before = json.dumps(fields)
        PRESETS[preset](fields)
        assert json.dumps(fields) == before


_TABLES = (ECS_NAMES, OTEL_TOP, OTEL_RESOURCE, OTEL_ATTRIBUTES, GCP_NAMES, DATADOG_NAMES, LOGSTASH_NAMES)
_ROOTS = (
    "event.dataset",
    "event",
    "timestampSeconds",
    "log",
    "error",
    "loghub",
    "severity",
    "loghub.a",
    "ecs",
    "version",
    "id",
    "_x",
    "@version",
    "host",
)
_TAKEN = sorted({name for table in _TABLES for name in table.values()} | set(_ROOTS))


@given(
    line_objects, st.dictionaries(st.sampled_from(_TAKEN), json_values, max_size=4), st.sampled_from(sorted(PRESETS))
)
def test_any_event_comes_back_from_any_preset(fields: Fields, taken: Fields, preset: str) -> None:
    # A line of ours has no key at the top that begins with "_", and the time and the message are always there.
    free = {key: value for key, value in (fields | taken).items() if key[:1] != "_" and key != "short_message"}
    plain: Fields = {"timestamp": NOW, "level": "INFO", "message": "x", **free}
    event = Event.from_mapping(plain, now_us=NOW)
    line = decode(encode(PRESETS[preset](dict(event.fields))))
    again = Event.from_mapping(line, now_us=0)
    expected = dict(event.fields)

    if preset == "gelf" and not expected.get("message"):
        expected["message"] = "-"

    if preset == "gelf" and expected.get("hostname") in ("", "-"):
        del expected["hostname"]

    assert (again.time_us, again.severity) == (event.time_us, event.severity)
    assert dict(again.fields) == expected


@given(
    line_objects | st.dictionaries(st.sampled_from([*_TAKEN, "time", "ddsource", "status"]), json_values, max_size=8)
)
def test_any_object_of_any_shape_is_an_event(line: dict[str, JSONValue]) -> None:
    event = Event.from_mapping(line, now_us=NOW)

    assert {"timestamp", "level"} <= event.fields.keys()
    assert Event.from_mapping(decode(encode(event.fields)), now_us=0).time_us == event.time_us


@pytest.mark.parametrize("preset", ["ecs", "otel", "gcp", "logstash", "gelf", "datadog"])
def test_line_of_others_is_read(preset: str) -> None:
    """Read what Elastic's library for Python writes, and the examples of the other references."""
    case = json.loads((GOLDEN / "of_others.json").read_text())[preset]
    fields = Event.from_mapping(case["line"], now_us=NOW).fields

    assert {"timestamp": fields["timestamp"], **case["fields"]} == fields


@pytest.mark.parametrize(
    "line",
    [
        {"timestamp": _TIME, "level": "INFO", "short_message": "x", "version": "1.1"},
        {"message": "x"},
        {"severity": 5},
        {"@timestamp": "x"},
        {"short_message": "x", "timestamp": 1, "level": 1},
    ],
)
def test_line_of_no_preset_is_left_as_it_is(line: dict[str, JSONValue]) -> None:
    assert plain_fields(line) is line


@pytest.mark.parametrize(
    ("level", "severity"),
    [(0, 1), (5, 4), (10, 5), (20, 9), (25, 12), (30, 13), (40, 17), (50, 21), (90, 24), (-1, 1)],
)
def test_level_has_the_severity_of_opentelemetrys_ranges(level: int, severity: int) -> None:
    assert otel_severity(level) == severity


def test_gelf_is_text_and_numbers_with_allowed_names() -> None:
    fields = EVENTS["extras"] | {"odd name": 1, "id": 2, "loghub_x": 3, "": 4, "nan": float("nan")}

    for line in (PRESETS["gelf"](fields), PRESETS["gelf"]({})):
        for key, value in line.items():
            assert isinstance(value, str | int | float)
            assert not isinstance(value, bool)
            assert re.fullmatch(r"_[\w.-]+|version|host|(short|full)_message|timestamp|level", key)
            assert key != "_id"


def test_ecs_begins_with_the_four_keys_of_its_specification() -> None:
    assert list(PRESETS["ecs"](EVENTS["extras"]))[:4] == ["@timestamp", "log.level", "message", "ecs.version"]
