"""Presets: the shapes in which other systems want their events.

Rules:
1. A preset takes the fields of the plain line and gives those of its own line; the caller's are not changed.
2. A table says which standard key has which name there. A standard key without a name, and a free key whose
   name is taken there, stands under "loghub": nothing is lost, and nothing of ours can be spoofed by an `extra`.
3. `loghub.event.reading` reads each of them back by the same tables.

Each table names the reference that it was checked against.
"""

import json
import math
from collections.abc import Callable, Collection, Mapping
from typing import Any

from loghub.event.encode import decode, encode
from loghub.event.model import INTEGER_KEYS, KEYS, LEVELS, PRESET_SIGNS, TAIL_KEYS, TEXT_KEYS, parse_time

Preset = Callable[[dict[str, Any]], dict[str, Any]]

OWN = "loghub"
"""The key under which stands what a preset has no name for."""

FREE = "fields"
"""The key below it for free keys whose name the preset uses for something else."""

STANDARD = frozenset((*KEYS, *TAIL_KEYS, *TEXT_KEYS, *INTEGER_KEYS, "extra"))

ECS_VERSION = "8.16.0"
ECS_DATASET = "event.dataset"
"""The service's name again, which Elastic's anomaly detection groups by; an extra of this name says another."""

ECS_NAMES = {
    "timestamp": "@timestamp",
    "level": "log.level",
    "message": "message",
    "logger": "log.logger",
    "service": "service.name",
    "env": "service.environment",
    "version": "service.version",
    "hostname": "host.name",
    "process": "process.pid",
    "thread": "process.thread.name",
    "function": "log.origin.function",
    "file": "log.origin.file.name",
    "line": "log.origin.file.line",
    "request_id": "http.request.id",
    "trace_id": "trace.id",
    "span_id": "span.id",
    "exc_info": "error.stack_trace",
}

OTEL_TOP = {
    "timestamp": "Timestamp",
    "level": "SeverityText",
    "message": "Body",
    "trace_id": "TraceId",
    "span_id": "SpanId",
}
OTEL_RESOURCE = {
    "service": "service.name",
    "env": "deployment.environment.name",
    "version": "service.version",
    "hostname": "host.name",
    "process": "process.pid",
}
_OTEL_PLACED = frozenset((*OTEL_TOP, *OTEL_RESOURCE, "logger"))
OTEL_ATTRIBUTES = {
    "thread": "thread.name",
    "function": "code.function.name",
    "file": "code.file.path",
    "line": "code.line.number",
    "exc_info": "exception.stacktrace",
}

GCP_PREFIX = "logging.googleapis.com/"
GCP_NAMES = {
    "timestamp": "time",
    "message": "message",
    "logger": "logger",
    "hostname": "hostname",
    "process": "process",
    "thread": "thread",
    "component": "component",
    "request_id": "request_id",
    "trace_id": GCP_PREFIX + "trace",
    "span_id": GCP_PREFIX + "spanId",
    "exc_info": "stack_trace",
}
_GCP_TIMES = ("timestamp", "timestampSeconds", "timestampNanos")  # other ways to say the time
GCP_PLACE = {"file": "file", "line": "line", "function": "function"}
GCP_SEVERITIES = ((50, "CRITICAL"), (40, "ERROR"), (30, "WARNING"), (25, "NOTICE"), (20, "INFO"), (1, "DEBUG"))

DATADOG_NAMES = {
    "timestamp": "timestamp",
    "level": "status",
    "message": "message",
    "service": "service",
    "env": "env",
    "version": "version",
    "hostname": "host",
    "logger": "logger.name",
    "thread": "logger.thread_name",
    "function": "logger.method_name",
    "request_id": "http.request_id",
    "trace_id": "dd.trace_id",
    "span_id": "dd.span_id",
    "exc_info": "error.stack",
}

LOGSTASH_NAMES = {
    "timestamp": "@timestamp",
    "message": "message",
    "logger": "logger_name",
    "thread": "thread_name",
    "level": "level",
    "hostname": "host",
    "service": "service",
    "process": "process",
    "module": "module",
    "function": "caller_method_name",
    "file": "caller_file_name",
    "line": "caller_line_number",
    "component": "component",
    "request_id": "request_id",
    "trace_id": "trace_id",
    "span_id": "span_id",
    "exc_info": "stack_trace",
}

SYSLOG_LEVELS = ((50, 2), (40, 3), (30, 4), (25, 5), (20, 6))
GELF_NO_HOST = "-"
"""Graylog refuses a message without a host."""

GELF_JSON = "_loghub_json"
"""Names of the additional fields whose text is JSON: GELF knows text and numbers only."""


def plain(fields: dict[str, Any]) -> dict[str, Any]:
    """Give the plain line as it is."""
    return fields


def ecs(fields: dict[str, Any]) -> dict[str, Any]:
    """Give an event of the Elastic Common Schema, its names with dots.

    References: ECS 8.16, https://www.elastic.co/docs/reference/ecs/ecs-field-reference, and for the order of the
    first four keys, `log.level` with its dot and `event.dataset` https://github.com/elastic/ecs-logging/tree/main/spec
    """
    line = {ECS_NAMES[key]: fields[key] for key in ("timestamp", "level", "message") if key in fields}
    line["ecs.version"] = ECS_VERSION
    derived = _error(fields, "error.type", "error.message")
    service = fields.get("service")

    if service and "event" not in fields and fields.get(ECS_DATASET, service) == service:
        derived[ECS_DATASET] = service

    return _named(line, fields, ECS_NAMES, derived)


def otel(fields: dict[str, Any]) -> dict[str, Any]:
    """Give a log record of OpenTelemetry's data model, as its specification writes examples in JSON.

    References: https://opentelemetry.io/docs/specs/otel/logs/data-model/ and the semantic conventions
    https://opentelemetry.io/docs/specs/semconv/registry/attributes/code/ (exception, thread, service, host)
    """
    line = {name: fields[key] for key, name in OTEL_TOP.items() if key in fields}
    line["SeverityNumber"] = otel_severity(level_number_of(fields))
    time_us = parse_time(fields.get("timestamp"))

    if time_us is not None:
        line["Timestamp"] = str(time_us * 1000)

    if "logger" in fields:
        line["InstrumentationScope"] = {"Name": fields["logger"]}

    line["Resource"] = {name: fields[key] for key, name in OTEL_RESOURCE.items() if key in fields}
    rest = {key: value for key, value in fields.items() if key not in _OTEL_PLACED}
    derived = _error(fields, "exception.type", "exception.message")

    if derived:
        derived["exception.type"] = _full_name(fields["exception"])

    attributes = _named({}, rest, OTEL_ATTRIBUTES, derived)
    own = attributes.pop(OWN, {})
    line["Attributes"] = attributes | {f"{OWN}.{key}": value for key, value in own.items()}
    return line


def _full_name(error: Mapping[str, Any]) -> object:
    """Give a class with its module, as OpenTelemetry's SDK for Python writes it: `decimal.InvalidOperation`."""
    name, module = error.get("type", ""), error.get("module", "builtins")
    return name if module == "builtins" else f"{module}.{name}"


def otel_severity(number: int) -> int:
    """Give OpenTelemetry's severity: 5 DEBUG, 9 INFO, 13 WARN, 17 ERROR, 21 FATAL, and three steps after each."""
    step = max(0, min(number, 53))
    return max(1, 1 + 4 * (step // 10) + min(3, step % 10))


def gcp(fields: dict[str, Any]) -> dict[str, Any]:
    """Give a structured line of Google Cloud Logging, with what Error Reporting reads.

    References: https://cloud.google.com/logging/docs/structured-logging#structured_logging_special_fields,
    https://cloud.google.com/logging/docs/reference/v2/rest/v2/LogEntry#logseverity and
    https://cloud.google.com/error-reporting/docs/formatting-error-messages
    """
    number = level_number_of(fields)
    line: dict[str, Any] = {"severity": next((name for least, name in GCP_SEVERITIES if number >= least), "DEFAULT")}
    done = {"service", "version", *GCP_PLACE}
    rest = {key: value for key, value in fields.items() if key not in done}

    if LEVELS.get(str(fields.get("level"))) == number:
        rest.pop("level", None)

    context = {key: fields[key] for key in ("service", "version") if key in fields}
    place = {name: str(fields[key]) for key, name in GCP_PLACE.items() if key in fields}
    taken = {"severity", "serviceContext", "httpRequest", GCP_PREFIX + "sourceLocation", *_GCP_TIMES}
    line = _named(line, rest, GCP_NAMES, {}, taken)
    line |= {"serviceContext": context} if context else {}
    return line | ({GCP_PREFIX + "sourceLocation": place} if place else {})


def datadog(fields: dict[str, Any]) -> dict[str, Any]:
    """Give a line with Datadog's reserved and standard attributes.

    References: https://docs.datadoghq.com/logs/log_configuration/attributes_naming_convention/ and
    https://docs.datadoghq.com/tracing/other_telemetry/connect_logs_and_traces/
    """
    line = {DATADOG_NAMES[key]: fields[key] for key in ("timestamp", "level", "message") if key in fields}
    line["ddsource"] = "python"
    return _named(line, fields, DATADOG_NAMES, _error(fields, "error.kind", "error.message"), {"level"})


def logstash(fields: dict[str, Any]) -> dict[str, Any]:
    """Give a line as logstash-logback-encoder does: version 1 of Logstash's format.

    Reference: https://github.com/logfellow/logstash-logback-encoder#standard-fields; its `level_value` is a
    thousand times the number that `logging` has for the level.
    """
    line = {"@timestamp": fields.get("timestamp"), "@version": "1"}
    rest = {key: value for key, value in fields.items() if key != "levelno"}
    return _named(line, rest, LOGSTASH_NAMES, {"level_value": level_number_of(fields) * 1000})


def gelf(fields: dict[str, Any]) -> dict[str, Any]:
    """Give a GELF 1.1 message: text and numbers only, all else as JSON text in additional fields.

    Reference: https://go2docs.graylog.org/current/getting_in_log_data/gelf_format.html#GELFPayloadSpecification
    """
    message = str(fields.get("message", ""))
    time_us = parse_time(fields.get("timestamp"))
    host = fields.get("hostname") or GELF_NO_HOST
    line: dict[str, Any] = {"version": "1.1", "host": host, "short_message": message or "-"}

    if "exc_info" in fields:
        line["full_message"] = fields["exc_info"]

    if time_us is not None:
        line["timestamp"] = time_us / 1_000_000

    number = level_number_of(fields)
    line["level"] = next((level for least, level in SYSLOG_LEVELS if number >= least), 7)
    line["_level_name"] = fields.get("level", "INFO")
    done = {"timestamp", "level", "message", "hostname", "exc_info"}
    return line | _additional({key: value for key, value in fields.items() if key not in done})


PRESETS: dict[str, Preset] = {
    "plain": plain,
    "ecs": ecs,
    "otel": otel,
    "gcp": gcp,
    "datadog": datadog,
    "logstash": logstash,
    "gelf": gelf,
}
"""Each preset by the name that a configuration has for it."""

TEXT_ONLY = frozenset(("gelf",))
"""Presets that write objects and lists as text: what cannot be in a line is to be made safe before that."""


def level_number_of(fields: Mapping[str, Any]) -> int:
    """Give the number of a plain line's level."""
    number = fields.get("levelno")
    return number if isinstance(number, int) else LEVELS.get(str(fields.get("level")), LEVELS["INFO"])


def _named(
    line: dict[str, Any],
    fields: Mapping[str, Any],
    names: Mapping[str, str],
    derived: Mapping[str, Any],
    taken: Collection[str] = (),
) -> dict[str, Any]:
    """Add fields to a line under their names there; what has none, or one that is taken, goes under "loghub"."""
    refused = {
        *PRESET_SIGNS,
        *names.values(),
        *taken,
        *line,
        *derived,
        OWN,
        *(name.split(".")[0] for name in names.values()),
    }
    free: dict[str, Any] = {}
    own: dict[str, Any] = {}
    clashing: dict[str, Any] = {}

    for key, value in fields.items():
        if key in names:
            line[names[key]] = value

        elif key in STANDARD:
            own[key] = value

        else:
            (clashing if key in refused or key.startswith((f"{OWN}.", "_")) else free)[key] = value

    if clashing:
        own[FREE] = clashing

    line.update(derived)
    line.update(free)
    return line | ({OWN: own} if own else {})


def _error(fields: Mapping[str, Any], kind: str, message: str) -> dict[str, Any]:
    """Give type and message of the exception under a preset's names for them."""
    error = fields.get("exception")

    if not isinstance(error, dict):
        return {}

    return {kind: error.get("type", ""), message: error.get("message", "")}


def _additional(fields: Mapping[str, Any]) -> dict[str, Any]:
    """Give additional fields: "_" before the name, and JSON text for what is neither text nor number."""
    refused = {key: value for key, value in fields.items() if not _is_gelf_name(key)}
    named = {key: value for key, value in fields.items() if key not in refused}
    as_json = [key for key, value in named.items() if not _is_gelf_value(value)]
    line = {f"_{key}": value if key not in as_json else json_text(value) for key, value in named.items()}

    if refused:
        line[f"_{OWN}_{FREE}"] = json_text(refused)

    if as_json:
        line[GELF_JSON] = " ".join(as_json)

    return line


def _is_gelf_value(value: object) -> bool:
    if isinstance(value, float):
        return math.isfinite(value)

    return isinstance(value, str | int) and not isinstance(value, bool)


def _is_gelf_name(key: str) -> bool:
    allowed = key.replace("_", "a").replace(".", "a").replace("-", "a")
    return allowed.isascii() and allowed.isalnum() and key not in ("id", "level_name") and not key.startswith(OWN)


def json_text(value: object) -> str:
    """Write any value as JSON text."""
    return json.dumps(decode(encode({"": value}))[""], ensure_ascii=False, separators=(",", ":"))
