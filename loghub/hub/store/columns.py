"""The columns of a row, and the way between a row and an event.

A standard key has a column of its own; every other key of the line is kept in "attributes"
as JSON text, so that a field may be a number today and a text tomorrow.
"""

from collections.abc import Sequence
from typing import Any

from loghub.event.encode import decode, encode
from loghub.event.model import INTEGER_KEYS, KEYS, TAIL_KEYS, Event, JSONValue, format_time
from loghub.hub.store.protocol import StoredEvent

PLACE_COLUMNS = {
    "arrival": "BIGINT",
    "source": "VARCHAR",
    "seq": "BIGINT",
    "received_us": "BIGINT",
    "time_us": "BIGINT",
    "severity": "BIGINT",
}
"""Where the event stands in the store."""

KEY_COLUMNS = {
    key: "BIGINT" if key in INTEGER_KEYS else "VARCHAR"
    for key in (*KEYS, "exc_info")
    if key not in ("timestamp", "levelno")
}
"""A column for each standard key, under its name: NULL where the event lacks it."""

DERIVED_COLUMNS = {"exception_type": "VARCHAR", "fingerprint": "VARCHAR"}
"""Copies out of "exception", for speed: its outermost type and its fingerprint."""

JSON_COLUMNS = {"exception": "VARCHAR", "attributes": "VARCHAR"}
"""JSON text: the exception object or NULL; an object with all other keys of the line, never NULL."""

COLUMNS = PLACE_COLUMNS | KEY_COLUMNS | DERIVED_COLUMNS | JSON_COLUMNS

IN_COLUMNS = frozenset((*KEY_COLUMNS, "timestamp", "exception"))
"""Keys that are not among the attributes."""


def to_row(stored: StoredEvent) -> tuple[object, ...]:
    """Give the values of `COLUMNS`, in order."""
    fields = stored.event.fields
    exception = fields.get("exception")
    inside = exception if isinstance(exception, dict) else None
    told = inside or {}
    attributes = {key: value for key, value in fields.items() if key not in IN_COLUMNS}

    return (
        stored.arrival,
        stored.source,
        stored.seq,
        stored.received_us,
        stored.event.time_us,
        stored.event.severity,
        *map(fields.get, KEY_COLUMNS),
        _text(told.get("type")),
        _text(told.get("fingerprint")),
        None if inside is None else _json(inside),
        _json(attributes),
    )


def _text(value: JSONValue) -> str | None:
    return value if isinstance(value, str) else None


def _json(value: dict[str, JSONValue]) -> str:
    return encode(value)[:-1].decode()


def from_row(row: Sequence[Any]) -> StoredEvent:
    """Read back what `to_row` wrote: the keys in the order of the plain line."""
    text = row[_ATTRIBUTES]
    attributes = decode(text.encode()) if text != "{}" else {}
    fields: dict[str, JSONValue] = {"timestamp": format_time(row[_TIME])}
    fields.update({key: row[index] for key, index in _BEFORE_LEVELNO if row[index] is not None})

    if "levelno" in attributes:
        fields["levelno"] = attributes.pop("levelno")

    fields.update({key: row[index] for key, index in _BEHIND_LEVELNO if row[index] is not None})
    last = {key: attributes.pop(key) for key in TAIL_KEYS if key in attributes} if attributes else {}
    fields.update(attributes)

    if row[_EXC_INFO] is not None:
        fields["exc_info"] = row[_EXC_INFO]

    if row[_EXCEPTION] is not None:
        fields["exception"] = decode(row[_EXCEPTION].encode())

    fields.update(last)
    arrival, source, seq, received_us = row[:_TIME]
    return StoredEvent(arrival, source, seq, received_us, Event(row[_TIME], row[_SEVERITY], fields))


_NAMES = list(COLUMNS)
_TIME, _SEVERITY, _EXC_INFO, _EXCEPTION, _ATTRIBUTES = map(
    _NAMES.index, ("time_us", "severity", "exc_info", "exception", "attributes")
)
_KEY_PLACES = [(key, _NAMES.index(key)) for key in KEYS if key in KEY_COLUMNS]
_LEVELNO = KEYS.index("levelno")
_BEFORE_LEVELNO = [(key, index) for key, index in _KEY_PLACES if KEYS.index(key) < _LEVELNO]
_BEHIND_LEVELNO = [(key, index) for key, index in _KEY_PLACES if KEYS.index(key) > _LEVELNO]
