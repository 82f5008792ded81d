"""Reading presets back: from the line of another system's shape to the keys of the plain line.

A line is known by keys that only its preset has; one of no known shape is left as it is. What we wrote comes back
as it was (of GELF an empty message as "-"). A line that others wrote in these shapes is read by the same tables,
with dots or nested; what has no place among the standard keys stays a free key, and a key that would begin with
"_", or that the line has twice, goes under "extra".
"""

import json
from collections.abc import Callable, Mapping

from loghub.event.model import LEVELS, PRESET_SIGNS, JSONValue, format_time, parse_time
from loghub.event.presets import (
    DATADOG_NAMES,
    ECS_DATASET,
    ECS_NAMES,
    FREE,
    GCP_NAMES,
    GCP_PLACE,
    GCP_PREFIX,
    GELF_JSON,
    GELF_NO_HOST,
    LOGSTASH_NAMES,
    OTEL_ATTRIBUTES,
    OTEL_RESOURCE,
    OTEL_TOP,
    OWN,
    STANDARD,
)

Fields = dict[str, JSONValue]

_SYSLOG_LEVELS = {7: 10, 6: 20, 5: 25, 4: 30, 3: 40, 2: 50, 1: 50, 0: 50}
_OTEL_LEVELS = (5, 10, 20, 30, 40, 50)


def plain_fields(mapping: Mapping[str, JSONValue]) -> Mapping[str, JSONValue]:
    """Give the keys of the plain line for a line of any preset; another mapping as it is."""
    if PRESET_SIGNS.isdisjoint(mapping) or ("timestamp" in mapping and isinstance(mapping.get("level"), str)):
        return mapping

    for keys, read in _SHAPES:
        if keys <= mapping.keys():
            return read(dict(mapping))

    return mapping


def _ecs(line: Fields) -> Fields:
    dropped = ("ecs.version", *((ECS_DATASET,) if line.get(ECS_DATASET) == line.get("service.name") else ()))
    fields = _named(line, ECS_NAMES, dropped)
    return _with_error(fields, "error.type", "error.message")


def _otel(line: Fields) -> Fields:
    resource = _mapping(line.pop("Resource", None))
    attributes = _mapping(line.pop("Attributes", None))
    fields = _named(line, OTEL_TOP, ())
    fields |= _named(resource, OTEL_RESOURCE, ())
    own = {key.removeprefix(f"{OWN}."): attributes.pop(key) for key in list(attributes) if key.startswith(f"{OWN}.")}
    fields |= _named({**attributes, OWN: own}, OTEL_ATTRIBUTES, ())
    scope = fields.pop("InstrumentationScope", None)

    if isinstance(scope, dict) and "Name" in scope:
        fields["logger"] = scope["Name"]

    number = fields.pop("SeverityNumber", None)

    if "level" not in fields and isinstance(number, int) and 0 < number <= 4 * len(_OTEL_LEVELS):
        fields.setdefault("levelno", _OTEL_LEVELS[(number - 1) // 4])

    _read_nanoseconds(fields)
    return _with_error(fields, "exception.type", "exception.message")


def _read_nanoseconds(fields: Fields) -> None:
    """Bring a time that stands as a text of digits, as 64 bits do in JSON, into the line's form."""
    text = fields.get("timestamp")

    if isinstance(text, str) and text.isascii() and text.removeprefix("-").isdigit() and len(text) < 24:  # noqa: PLR2004
        time_us = parse_time(int(text) // 1000 if len(text) < 18 else int(text))  # noqa: PLR2004 (before 1973)
        fields["timestamp"] = text if time_us is None else format_time(int(text) // 1000)


def _gcp(line: Fields) -> Fields:
    severity = line.pop("severity")
    place = _mapping(line.pop(f"{GCP_PREFIX}sourceLocation", None))
    context = _mapping(line.pop("serviceContext", None))
    fields = _named(line, GCP_NAMES, ())
    fields |= {key: place[name] for key, name in GCP_PLACE.items() if name in place}
    fields |= context
    number = fields.get("line")

    if isinstance(number, str) and number.removeprefix("-").isdigit():
        fields["line"] = int(number)

    if isinstance(severity, str):
        fields.setdefault("level", severity)

    else:
        _add_extra(fields, "severity", severity)

    trace = fields.get("trace_id")

    if isinstance(trace, str) and trace.startswith("projects/"):
        fields["trace_id"] = trace.rpartition("/")[2]

    return fields


def _datadog(line: Fields) -> Fields:
    return _with_error(_named(line, DATADOG_NAMES, ("ddsource",)), "error.kind", "error.message")


def _logstash(line: Fields) -> Fields:
    fields = _named(line, LOGSTASH_NAMES, ("@version",))
    value = fields.pop("level_value", None)

    if isinstance(value, int) and value % 1000 == 0 and LEVELS.get(str(fields.get("level"))) != value // 1000:
        fields["levelno"] = value // 1000

    return fields


def _gelf(line: Fields) -> Fields:
    is_ours = "_level_name" in line
    as_json = str(line.pop(GELF_JSON, "")).split(" ")
    own = _read_json(line.pop(f"_{OWN}_{FREE}", None))
    syslog = line.pop("level", None)
    top = {"message": "short_message", "hostname": "host"} | ({"exc_info": "full_message"} if is_ours else {})
    fields: Fields = {key: line.pop(name) for key, name in top.items() if name in line}
    line.pop("version", None)
    additional = {key: value for key, value in line.items() if not key.startswith("_")}

    for key, value in line.items():
        if key.startswith("_") and key != "_level_name":
            additional[key[1:]] = _read_json(value) if key[1:] in as_json else value

    _add_free(fields, additional)
    _add_free(fields, _mapping(own))

    if fields.get("hostname") in ("", GELF_NO_HOST):
        fields.pop("hostname", None)

    if is_ours:
        fields["level"] = line["_level_name"]

    elif isinstance(syslog, int):
        fields.setdefault("levelno", _SYSLOG_LEVELS.get(syslog, LEVELS["INFO"]))

    return fields


_SHAPES: tuple[tuple[frozenset[str], Callable[[Fields], Fields]], ...] = (
    (frozenset(("@timestamp", "log.level")), _ecs),
    (frozenset(("@timestamp", "ecs")), _ecs),
    (frozenset(("@timestamp", "@version")), _logstash),
    (frozenset(("SeverityNumber",)), _otel),
    (frozenset(("SeverityText", "Body")), _otel),
    (frozenset(("ddsource", "status")), _datadog),
    (frozenset(("short_message", "version")), _gelf),
    (frozenset(("severity", "message")), _gcp),
    (frozenset(("severity", "time")), _gcp),
)
"""The keys by which each shape is known."""


def _named(line: Fields, names: Mapping[str, str], dropped: tuple[str, ...]) -> Fields:
    """Give standard keys for a preset's names, then what stands under "loghub", then the free keys."""
    rest = {key: value for key, value in line.items() if key not in dropped}
    own = _mapping(rest.pop(OWN, None))
    fields: Fields = {}

    for key, name in names.items():
        if name in rest:
            fields[key] = rest.pop(name)

        elif "." in name:
            _take_nested(rest, name, fields, key)

    clashing = _mapping(own.pop(FREE, None))
    fields |= {key: value for key, value in own.items() if key in STANDARD and key not in fields}
    _add_free(fields, rest)
    _add_free(fields, clashing)
    return fields


def _take_nested(line: Fields, name: str, fields: Fields, key: str) -> None:
    """Move a value that stands nested, as `{"log": {"logger": …}}`; the caller's objects are not changed."""
    first, _, below = name.partition(".")
    inside = line.get(first)

    if not isinstance(inside, dict):
        return

    copy = dict(inside)

    if below in copy:
        fields[key] = copy.pop(below)

    elif "." in below:
        _take_nested(copy, below, fields, key)

    if copy != inside:
        line[first] = copy

        if not copy:
            del line[first]


def _add_free(fields: Fields, free: Mapping[str, JSONValue]) -> None:
    """Add free keys; one that is there already, or that might be taken for one of the hub's own, under "extra"."""
    for key, value in free.items():
        if key in fields or key.startswith("_"):
            _add_extra(fields, key, value)

        else:
            fields[key] = value


def _add_extra(fields: Fields, key: str, value: JSONValue) -> None:
    fields["extra"] = {**_mapping(fields.get("extra")), key: value}


def _with_error(fields: Fields, kind: str, message: str) -> Fields:
    """Take away what was derived from the exception, or make one of it where that is all there is."""
    found: Fields = {}

    for key, name in (("type", kind), ("message", message)):
        if name in fields:
            found[key] = fields.pop(name)

        else:
            _take_nested(fields, name, found, key)

    if found and "exception" not in fields:
        fields["exception"] = found

    return fields


def _mapping(value: JSONValue) -> Fields:
    return dict(value) if isinstance(value, dict) else {}


def _read_json(value: JSONValue) -> JSONValue:
    try:
        read: JSONValue = json.loads(value) if isinstance(value, str) else value
    except (ValueError, RecursionError):
        return value

    return read
