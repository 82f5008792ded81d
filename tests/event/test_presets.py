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
from loghub.event.reading import plain_fields

from strategies import json_values, line_objects

GOLDEN = Path(__file__).parent / "golden"
NOW = 1_795_357_041_698_000
_PLACE = {"process": 4711, "thread": "MainThread", "module": "cart", "function": "Cart.checkout", "file": "/app/shop/cart.py", "line": 88}
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
    "custom level": {"timestamp": _TIME, "level": "AUDIT", "levelno": 25, "logger": "shop", "message": "role changed", **_COMMON},
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
_TAKEN = sorted({name for table in _TABLES for name in table.values()} | {"log", "error", "loghub", "severity", "short_message", "loghub.a", "ecs", "version", "id", "_x", "@version", "host"})  # fmt: skip


@given(line_objects, st.dictionaries(st.sampled_from(_TAKEN), json_values, max_size=4), st.sampled_from(sorted(PRESETS)))
def test_any_event_comes_back_from_any_preset(fields: dict[str, JSONValue], taken: dict[str, JSONValue], preset: str) -> None:
    # A line of ours has no key at the top that begins with "_", and the time and the message are always there.
    plain = {"timestamp": NOW, "level": "INFO", "message": "x"} | {k: v for k, v in (fields | taken).items() if k[:1] != "_" and k != "short_message"}
    event = Event.from_mapping(plain, now_us=NOW)
    line = decode(encode(PRESETS[preset](dict(event.fields))))
    again = Event.from_mapping(line, now_us=0)
    expected = dict(event.fields)

    if preset == "gelf" and not expected.get("message"):
        expected["message"] = "-"

    assert (again.time_us, again.severity) == (event.time_us, event.severity)
    assert dict(again.fields) == expected


@given(line_objects | st.dictionaries(st.sampled_from([*_TAKEN, "time", "ddsource", "status"]), json_values, max_size=8))
def test_any_object_of_any_shape_is_an_event(line: dict[str, JSONValue]) -> None:
    event = Event.from_mapping(line, now_us=NOW)

    assert {"timestamp", "level"} <= event.fields.keys()
    assert Event.from_mapping(decode(encode(event.fields)), now_us=0).time_us == event.time_us


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        # As Elastic's own library for Python writes it.
        (
            {"@timestamp": _TIME, "log.level": "info", "message": "hi", "ecs": {"version": "1.6.0"},
             "log": {"logger": "app", "origin": {"file": {"line": 14, "name": "x.py"}, "function": "f"}, "original": "hi"},
             "error": {"type": "ValueError", "message": "no"}},
            {"level": "INFO", "message": "hi", "logger": "app", "line": 14, "file": "x.py", "function": "f",
             "log": {"original": "hi"}, "ecs": {"version": "1.6.0"}, "exception": {"type": "ValueError", "message": "no"}},
        ),
        # The example of OpenTelemetry's data model.
        (
            {"Timestamp": "1586960586000000000", "Attributes": {"http.response.status_code": 500}, "Resource": {"service.name": "shop"},
             "TraceId": "f4dbb3edd765f620", "SpanId": "43222c2d51a7abe3", "SeverityNumber": 9, "Body": "20200415T072306-0700 INFO I like donuts"},
            {"timestamp": "2020-04-15T14:23:06.000000Z", "level": "INFO", "service": "shop", "trace_id": "f4dbb3edd765f620",
             "span_id": "43222c2d51a7abe3", "message": "20200415T072306-0700 INFO I like donuts", "http.response.status_code": 500},
        ),
        # As Google's documentation of structured logging has it.
        (
            {"severity": "NOTICE", "message": "hi", "time": _TIME, "httpRequest": {"requestMethod": "GET"},
             "logging.googleapis.com/labels": {"a": "b"}, "logging.googleapis.com/trace": "projects/p/traces/06796866738c859f2f19b7cfb3214824",
             "logging.googleapis.com/sourceLocation": {"file": "a.py", "line": "142", "function": "f"}},
            {"level": "NOTICE", "levelno": 25, "message": "hi", "trace_id": "06796866738c859f2f19b7cfb3214824", "file": "a.py", "line": 142,
             "function": "f", "httpRequest": {"requestMethod": "GET"}, "logging.googleapis.com/labels": {"a": "b"}},
        ),
        # As logstash-logback-encoder writes it.
        (
            {"@timestamp": "2019-11-03T10:15:30.123+01:00", "@version": "1", "message": "hi", "logger_name": "org.Class",
             "thread_name": "main", "level": "TRACE", "level_value": 5000},
            {"timestamp": "2019-11-03T09:15:30.123000Z", "message": "hi", "logger": "org.Class", "thread": "main",
             "level": "TRACE", "levelno": 5},
        ),
        # The example of GELF's specification.
        (
            {"version": "1.1", "host": "example.org", "short_message": "A short message", "full_message": "Backtrace here",
             "timestamp": 1385053862.3072, "level": 1, "_user_id": 9001, "_some_info": "foo", "__id": 3},
            {"timestamp": "2013-11-21T17:11:02.307200Z", "level": "CRITICAL", "hostname": "example.org", "message": "A short message",
             "full_message": "Backtrace here", "user_id": 9001, "some_info": "foo", "extra": {"_id": 3}},
        ),
        (
            {"ddsource": "python", "status": "warn", "host": "h", "message": "hi", "dd": {"trace_id": "7"}, "logger": {"name": "app"}},
            {"level": "WARNING", "hostname": "h", "message": "hi", "trace_id": "7", "logger": "app"},
        ),
    ],
    ids=["ecs", "otel", "gcp", "logstash", "gelf", "datadog"],
)  # fmt: skip
def test_line_of_others_is_read(line: dict[str, JSONValue], expected: dict[str, JSONValue]) -> None:
    fields = Event.from_mapping(line, now_us=NOW).fields

    assert {"timestamp": fields["timestamp"], **expected} == fields
    assert "timestamp" not in expected or fields["timestamp"] == expected["timestamp"]


def test_line_of_no_preset_is_left_as_it_is() -> None:
    for line in ({"timestamp": _TIME, "level": "INFO", "short_message": "x", "version": "1.1"}, {"message": "x"}, {"severity": 5}, {"@timestamp": "x"}, {"short_message": "x", "timestamp": 1, "level": 1}):
        assert plain_fields(line) is line


@pytest.mark.parametrize(("level", "severity"), [(0, 1), (5, 4), (10, 5), (20, 9), (25, 12), (30, 13), (40, 17), (50, 21), (90, 24), (-1, 1)])
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
