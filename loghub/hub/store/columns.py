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
    inside = exception if isinstance(exception, dict) else {}
    attributes = {key: value for key, value in fields.items() if key not in IN_COLUMNS}

    return (
        stored.arrival,
        stored.source,
        stored.seq,
        stored.received_us,
        stored.event.time_us,
        stored.event.severity,
        *map(fields.get, KEY_COLUMNS),
        _text(inside.get("type")),
        _text(inside.get("fingerprint")),
        _json(inside) if inside else None,
        _json(attributes),
    )


def _text(value: JSONValue) -> str | None:
    return value if isinstance(value, str) else None


def _json(value: dict[str, JSONValue]) -> str:
    return encode(value)[:-1].decode()


def from_row(row: Sequence[Any]) -> StoredEvent:
    """Read back what `to_row` wrote: the keys in the order of the plain line."""
    arrival, source, seq, received_us, time_us, severity, *rest = row
    values = dict(zip((*KEY_COLUMNS, *DERIVED_COLUMNS, *JSON_COLUMNS), rest, strict=True))
    attributes = decode(values["attributes"].encode())
    fields: dict[str, JSONValue] = {"timestamp": format_time(time_us)}

    for key in KEYS:
        value = values.get(key, attributes.pop(key, None))

        if value is not None:
            fields[key] = value

    fields.update((key, value) for key, value in attributes.items() if key not in TAIL_KEYS)

    if values["exc_info"] is not None:
        fields["exc_info"] = values["exc_info"]

    if values["exception"] is not None:
        fields["exception"] = decode(values["exception"].encode())

    fields.update((key, attributes[key]) for key in TAIL_KEYS if key in attributes)
    return StoredEvent(arrival, source, seq, received_us, Event(time_us, severity, fields))
