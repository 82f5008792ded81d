"""Each field of the golden files stands in the published reference, with its type; what is ours says so.

The tables are copied from the references that docs/reference/presets.md names, as far as our lines use them.
"""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from loghub.event.presets import PRESETS

GOLDEN = Path(__file__).parent / "golden"
EXTRAS = {"sku", "paid", "price", "note", "items"}  # of the golden events; "error" too where nobody else has it
Check = Callable[[Any], bool]


def text(value: Any) -> bool:
    return isinstance(value, str) and value != ""


def number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def integer(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def anything(_: Any) -> bool:
    return True


def matching(pattern: str) -> Check:
    return lambda value: isinstance(value, str) and re.fullmatch(pattern, value) is not None


DATE = matching(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z")
HEX = matching("[0-9a-f]{16}|[0-9a-f]{32}")
FREE: dict[str, Check] = dict.fromkeys((*EXTRAS, "loghub"), anything)

# ECS 8.16: keyword and match_only_text are texts, long is an integer. "error" is an object there.
ECS: dict[str, Check] = FREE | {
    "@timestamp": DATE,
    "log.level": text,
    "message": text,
    "ecs.version": matching(r"\d+\.\d+\.\d+"),
    "event.dataset": text,
    "log.logger": text,
    "log.origin.file.line": integer,
    "log.origin.file.name": text,
    "log.origin.function": text,
    "service.name": text,
    "service.environment": text,
    "service.version": text,
    "host.name": text,
    "process.pid": integer,
    "process.thread.name": text,
    "http.request.id": text,
    "trace.id": HEX,
    "span.id": HEX,
    "error.type": text,
    "error.message": text,
    "error.stack_trace": text,
}

OTEL: dict[str, Check] = {
    "Timestamp": matching(r"\d{19}"),
    "SeverityText": text,
    "SeverityNumber": lambda value: integer(value) and 1 <= value <= 24,
    "Body": anything,
    "TraceId": HEX,
    "SpanId": HEX,
    "InstrumentationScope": lambda value: list(value) == ["Name"],
    "Resource": lambda value: isinstance(value, dict),
    "Attributes": lambda value: isinstance(value, dict),
}
OTEL_RESOURCE: dict[str, Check] = {
    "service.name": text,
    "service.version": text,
    "deployment.environment.name": text,
    "host.name": text,
    "process.pid": integer,
}
OTEL_ATTRIBUTES: dict[str, Check] = {
    "code.function.name": text,
    "code.file.path": text,
    "code.line.number": integer,
    "thread.name": text,
    "exception.type": text,
    "exception.message": text,
    "exception.stacktrace": text,
}

_SEVERITIES = "DEFAULT|DEBUG|INFO|NOTICE|WARNING|ERROR|CRITICAL|ALERT|EMERGENCY"
GCP: dict[str, Check] = FREE | {
    "severity": matching(_SEVERITIES),
    "message": text,
    "time": DATE,
    "logging.googleapis.com/trace": HEX,
    "logging.googleapis.com/spanId": HEX,
    # The number is an int64, which Protocol Buffers write as text.
    "logging.googleapis.com/sourceLocation": lambda value: (
        list(value) == ["file", "line", "function"] and value["line"].isdigit()
    ),
    "serviceContext": lambda value: value.keys() <= {"service", "version"},
    "stack_trace": matching(r"(?s)Traceback .*"),
    # Fields of the payload that have no special meaning.
    **dict.fromkeys(("logger", "hostname", "process", "thread", "component", "request_id", "env", "level"), anything),
}

DATADOG: dict[str, Check] = FREE | {
    "ddsource": matching("python"),
    "host": text,
    "service": text,
    "status": text,
    "message": text,
    "timestamp": DATE,
    "env": text,
    "version": text,
    "dd.trace_id": HEX,
    "dd.span_id": HEX,
    "http.request_id": text,
    "logger.name": text,
    "logger.thread_name": text,
    "logger.method_name": text,
    "error.kind": text,
    "error.message": text,
    "error.stack": text,
}

LOGSTASH: dict[str, Check] = FREE | {
    "@timestamp": DATE,
    "@version": matching("1"),
    "message": text,
    "logger_name": text,
    "thread_name": text,
    "level": text,
    "level_value": integer,
    "stack_trace": text,
    "caller_method_name": text,
    "caller_file_name": text,
    "caller_line_number": integer,
    # Any further field of an event.
    **dict.fromkeys(("host", "service", "module", "component", "request_id", "trace_id", "span_id"), text),
    **dict.fromkeys(("process", "env", "version", "error"), anything),
}

GELF: dict[str, Check] = {
    "version": matching(r"1\.1"),
    "host": text,
    "short_message": text,
    "full_message": text,
    "timestamp": number,
    "level": lambda value: integer(value) and 0 <= value <= 7,
}

REFERENCES = {"ecs": ECS, "otel": OTEL, "gcp": GCP, "datadog": DATADOG, "logstash": LOGSTASH, "gelf": GELF}
REQUIRED = {
    "ecs": ("@timestamp", "log.level", "message", "ecs.version"),
    "otel": ("Timestamp", "SeverityNumber", "Body"),
    "gcp": ("severity", "message", "time"),
    "datadog": ("ddsource", "host", "service", "status", "message", "timestamp"),
    "logstash": ("@timestamp", "@version", "message"),
    "gelf": ("version", "host", "short_message"),
}


def golden(preset: str) -> dict[str, dict[str, Any]]:
    lines: dict[str, dict[str, Any]] = json.loads((GOLDEN / f"{preset}.json").read_text())
    return lines


def wrong(fields: dict[str, Any], reference: dict[str, Check]) -> list[str]:
    return [key for key, value in fields.items() if key not in reference or not reference[key](value)]


@pytest.mark.parametrize("preset", REFERENCES)
def test_each_field_of_the_golden_lines_is_one_of_the_reference(preset: str) -> None:
    reference = REFERENCES[preset] | ({"error": text} if preset in ("gcp", "logstash") else {})
    additional = re.compile(r"_[\w.-]+")

    for line in golden(preset).values():
        fields = {key: value for key, value in line.items() if preset != "gelf" or not additional.fullmatch(key)}
        wrong_ones = wrong(fields, reference)

        # An extra may have any name there that is not the system's own.
        assert set(wrong_ones) <= ({"log.level"} if preset in ("gcp", "datadog") else set())
        assert line.keys() >= set(REQUIRED[preset])


def test_each_attribute_of_the_golden_lines_is_a_convention_of_opentelemetry() -> None:
    for line in golden("otel").values():
        attributes = {key: value for key, value in line["Attributes"].items() if not key.startswith("loghub.")}

        assert wrong(line["Resource"], OTEL_RESOURCE) == []
        assert set(wrong(attributes, OTEL_ATTRIBUTES)) <= {*EXTRAS, "error"}


def test_each_additional_field_of_the_golden_lines_is_allowed_by_gelf() -> None:
    for line in golden("gelf").values():
        for key in line.keys() - GELF.keys():
            assert re.fullmatch(r"_[\w.-]+", key)
            assert key != "_id"
            assert isinstance(line[key], str) or number(line[key])


def test_gelf_has_a_host_where_nobody_said_one() -> None:
    assert PRESETS["gelf"]({"message": "x", "level": "INFO"})["host"] == "-"


def test_exception_of_a_module_has_its_full_name_in_opentelemetry() -> None:
    error = {"type": "InvalidOperation", "module": "decimal", "message": "x"}
    line = PRESETS["otel"]({"message": "x", "level": "ERROR", "exception": error})

    assert line["Attributes"]["exception.type"] == "decimal.InvalidOperation"


@pytest.mark.parametrize(
    ("extra", "dataset"),
    [({}, "shop"), ({"event.dataset": "shop.audit"}, "shop.audit"), ({"event": {"dataset": "shop.audit"}}, None)],
)
def test_dataset_is_the_service_unless_an_extra_says_another(extra: dict[str, Any], dataset: str | None) -> None:
    line = PRESETS["ecs"]({"message": "x", "level": "INFO", "service": "shop", **extra})

    assert line.get("event.dataset") == dataset


def test_no_extra_says_another_time_to_google_cloud() -> None:
    line = PRESETS["gcp"]({"message": "x", "level": "INFO", "timestampSeconds": 0, "timestampNanos": 0})

    assert line["loghub"]["fields"] == {"timestampSeconds": 0, "timestampNanos": 0}
    assert "timestampSeconds" not in line
