"""The event: one structured log entry, with the keys of the plain line.

An event holds its fields as the line has them, and beside them the two values that
everything compares: its time and its severity as numbers. `Event.from_mapping` brings
any JSON object into this shape; what does not fit a standard key is kept under "extra".
It refuses nothing but a value that is no object.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import TypeAlias

JSONValue: TypeAlias = "bool | int | float | str | list[JSONValue] | dict[str, JSONValue] | None"

LEVELS = {"DEBUG": 10, "INFO": 20, "WARNING": 30, "ERROR": 40, "CRITICAL": 50}
LEVEL_ALIASES = {
    "TRACE": 5,
    "NOTICE": 25,
    "WARN": 30,
    "ERR": 40,
    "FATAL": 50,
    "ALERT": 50,
    "EMERG": 50,
    "CRIT": 50,
} | LEVELS
LEVEL_NAMES = {number: name for name, number in LEVELS.items()}

TEXT_KEYS = (
    "level",
    "logger",
    "message",
    "template",
    "service",
    "hostname",
    "thread",
    "task",
    "module",
    "function",
    "file",
    "component",
    "request_id",
    "trace_id",
    "span_id",
    "exc_info",
    "stack_info",
)
"""Standard keys whose value is text."""

INTEGER_KEYS = ("levelno", "process", "line")
"""Standard keys whose value is an integer of at most 63 bits."""

KEYS = (
    "timestamp",
    "level",
    "levelno",
    "logger",
    "message",
    "template",
    "service",
    "hostname",
    "process",
    "thread",
    "task",
    "module",
    "function",
    "file",
    "line",
    "component",
    "request_id",
    "trace_id",
    "span_id",
)
"""Standard keys that stand before the free ones, in the order of the line."""

TAIL_KEYS = (
    "exc_info",
    "exception",
    "stack_info",
    "encode_fallback",
    "truncated",
    "format_error",
    "args",
)
"""Standard keys that stand behind the free ones."""

PRESET_SIGNS = frozenset(
    ("@timestamp", "log.level", "ecs", "SeverityNumber", "SeverityText", "severity", "ddsource", "short_message")
)
"""Keys by which a preset's line is known. In each preset, a free key of such a name stands under "loghub"."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_FIRST_US = -62_135_596_800_000_000  # 0001-01-01T00:00:00Z, the first time that RFC 3339 can write
_LAST_US = 253_402_300_799_999_999  # 9999-12-31T23:59:59.999999Z, the last one
_INTEGER_LIMIT = 2**63


@dataclass(frozen=True, slots=True)
class Event:
    """One structured log entry.

    Attributes:
        time_us: microseconds since 1970-01-01 UTC.
        severity: the level as `logging` numbers it.
        fields: the keys of the plain line, "timestamp" and "level" among them.
    """

    time_us: int
    severity: int
    fields: Mapping[str, JSONValue]

    @classmethod
    def from_mapping(cls, mapping: Mapping[str, JSONValue], *, now_us: int) -> "Event":
        """Read an event from a decoded line: a plain one, or one of any preset.

        A missing time becomes `now_us`, a missing level INFO. A standard key with a value
        of another type is kept under "extra", so that nothing is lost.

        Args:
            mapping: a decoded JSON object.
            now_us: the time of receipt, in microseconds.
        """
        # A plain line has both keys; of the presets only GELF has them too.
        if "timestamp" not in mapping or "level" not in mapping or "short_message" in mapping:
            mapping = _read_preset(mapping)

        fields: dict[str, JSONValue] = dict(mapping)

        if _is_small_int(fields.get("level")):
            fields.setdefault("levelno", fields.pop("level"))

        odd = _take_odd(fields)
        time_us = _read_time(fields.get("timestamp"), odd, now_us)
        severity = _read_level(fields)
        fields["timestamp"] = format_time(time_us)

        if odd:
            extra = fields.get("extra")
            fields["extra"] = {**odd, **extra} if isinstance(extra, dict) else odd

        return cls(time_us, severity, _in_order(fields))


def _read_preset(mapping: Mapping[str, JSONValue]) -> Mapping[str, JSONValue]:
    if PRESET_SIGNS.isdisjoint(mapping):
        return mapping

    from loghub.event.reading import plain_fields  # noqa: PLC0415 (the presets' tables are made of this module's)

    return plain_fields(mapping)


def format_time(time_us: int) -> str:
    """Write a time as RFC 3339 in UTC with six digits and Z.

    >>> format_time(1_790_000_000_000_001)
    '2026-09-21T14:13:20.000001Z'
    """
    second, microsecond = divmod(time_us, 1_000_000)
    return f"{_second(second)}.{microsecond:06d}Z"


@lru_cache(maxsize=1024)
def _second(second: int) -> str:
    """Write a second, which many events share."""
    return (_EPOCH + timedelta(seconds=second)).replace(tzinfo=None).isoformat()


def parse_time(value: JSONValue) -> int | None:
    """Read a time: RFC 3339 text, or a unix number in s, ms, µs or ns by its magnitude.

    Returns:
        Microseconds since 1970-01-01 UTC, or None where the value is no time. A text
        without a zone is UTC.
    """
    time_us: int | None = None

    if isinstance(value, str):
        time_us = _rfc_3339(value)

    elif isinstance(value, int | float) and not isinstance(value, bool):
        time_us = _unix_time(value)

    return time_us if time_us is not None and _FIRST_US <= time_us <= _LAST_US else None


def level_number(name: str) -> int | None:
    """Give the number of a level's name in any case, or None for an unknown one."""
    return LEVEL_ALIASES.get(name.upper())


def _rfc_3339(value: str) -> int | None:
    try:
        moment = datetime.fromisoformat(value)
        zoned = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment
        return (zoned - _EPOCH) // _MICROSECOND
    except (ValueError, OverflowError):  # no time, or one whose zone puts it outside of the years 1 to 9999
        return None


def _unix_time(value: float) -> int | None:
    if not abs(value) < _LAST_US * 1000:  # NaN and the infinities too
        return None

    # A time in the years 1973 to 5138 has 9 to 11 digits in seconds and three more for each smaller unit.
    for limit, factor in ((1e11, 1_000_000), (1e14, 1_000), (1e17, 1)):
        if abs(value) < limit:
            return round(value * factor)

    return int(value // 1000)


def _take_odd(fields: dict[str, JSONValue]) -> dict[str, JSONValue]:
    """Remove the standard keys whose value has the wrong type, and nulls; give back what was removed."""
    odd: dict[str, JSONValue] = {}

    for key in TEXT_KEYS:
        value = fields.get(key)

        if value is not None and not isinstance(value, str):
            odd[key] = fields.pop(key)

    for key in INTEGER_KEYS:
        value = fields.get(key)

        if value is not None and not _is_small_int(value):
            odd[key] = fields.pop(key)

    if not isinstance(fields.get("exception", {}), dict):
        odd["exception"] = fields.pop("exception")

    for key in [key for key, value in fields.items() if value is None and key in _ALL_KEYS]:
        del fields[key]

    return odd


_ALL_KEYS = frozenset((*KEYS, *TAIL_KEYS))


_FREE_RANK = len(KEYS)
_RANK = {key: rank for rank, key in enumerate(KEYS)} | {key: _FREE_RANK + rank for rank, key in enumerate(TAIL_KEYS, 1)}


def _in_order(fields: dict[str, JSONValue]) -> dict[str, JSONValue]:
    """Bring the keys into the order of the line; a line of ours has it already."""
    ordered = sorted(fields, key=lambda key: _RANK.get(key, _FREE_RANK))
    return {key: fields[key] for key in ordered}


def _is_small_int(value: JSONValue) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and -_INTEGER_LIMIT <= value < _INTEGER_LIMIT


def _read_time(value: JSONValue, odd: dict[str, JSONValue], now_us: int) -> int:
    if value is None:
        return now_us

    time_us = parse_time(value)

    if time_us is None:
        odd["timestamp"] = value
        return now_us

    return time_us


def _read_level(fields: dict[str, JSONValue]) -> int:
    """Bring "level" and "levelno" into the line's form and give the number."""
    number = fields.pop("levelno", None)
    name = fields.get("level")
    known = level_number(name) if isinstance(name, str) else None

    if not isinstance(number, int):
        number = known if known is not None else LEVELS["INFO"]

    if not isinstance(name, str):
        fields["level"] = LEVEL_NAMES.get(number, f"Level {number}")

    elif known is not None and known == number and known in LEVEL_NAMES:
        fields["level"] = LEVEL_NAMES[known]

    if LEVELS.get(str(fields["level"])) != number:
        fields["levelno"] = number

    return number
