"""The formats of an export: each writes events as bytes, page by page.

Rules:
1. NDJSON has the events as the API gives them, with `_id`: who lost the connection goes on behind the last one.
2. CSV has a column for each standard key, and the rest as JSON in `rest`; or the columns that were asked for.
3. A text cell of CSV that a spreadsheet would take for a formula (it begins with = + - @, a tab or a carriage return)
   gets a ' before it. Numbers do not.
4. Text is for reading: control characters are shown as escapes, so that no event forges a line.
"""

import csv
import io
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from loghub.event.encode import encode
from loghub.event.model import KEYS, JSONValue
from loghub.hub.answers import event_json, to_json
from loghub.hub.store.protocol import StoredEvent
from loghub.query.fields import Reader, reader
from loghub.query.texts import value_text
from loghub.readable import visible

_FORMULA = frozenset("=+-@\t\r")
_REST = "rest"
_COLUMNS = ("_id", *KEYS, "exc_info")
_OWN = frozenset((*KEYS, "exc_info"))


class Format(Protocol):
    """One format: a head, then pages."""

    def head(self) -> bytes:
        """Give what stands before the first event."""

    def page(self, events: Sequence[StoredEvent], epoch: str) -> bytes:
        """Write events."""


@dataclass(frozen=True, slots=True)
class Kind:
    """A format as it is asked for: its file's suffix, its media type, and who writes it, given the columns."""

    suffix: str
    media_type: str
    make: Callable[[Sequence[str] | None], Format]


class NDJSON:
    """A JSON object a line: whole events, or the fields that were asked for."""

    def __init__(self, columns: Sequence[str] | None = None) -> None:
        self._readers = None if columns is None else {name: reader(name) for name in columns}

    def head(self) -> bytes:
        """Give nothing."""
        return b""

    def page(self, events: Sequence[StoredEvent], epoch: str) -> bytes:
        """Write events."""
        return b"".join(self._line(stored, epoch) + b"\n" for stored in events)

    def _line(self, stored: StoredEvent, epoch: str) -> bytes:
        if self._readers is None:
            return event_json(stored, epoch)

        return to_json({"_id": stored.id} | {name: read(stored.event) for name, read in self._readers.items()})


class CSV:
    """RFC 4180, in UTF-8."""

    def __init__(self, columns: Sequence[str] | None = None) -> None:
        self._columns = columns
        self._readers: list[Reader] = [reader(name) for name in columns or ()]

    def head(self) -> bytes:
        """Give the names of the columns."""
        return _write([self._columns or (*_COLUMNS, _REST)])

    def page(self, events: Sequence[StoredEvent], epoch: str) -> bytes:
        """Write events."""
        del epoch
        return _write([self._row(stored) for stored in events])

    def _row(self, stored: StoredEvent) -> list[object]:
        if self._columns is not None:
            return [_cell(read(stored.event)) for read in self._readers]

        fields = stored.event.fields
        rest = {key: value for key, value in fields.items() if key not in _OWN}
        known = [_cell(value) if (value := fields.get(key)) is not None else "" for key in _COLUMNS[1:]]
        return [stored.id, *known, encode(rest)[:-1].decode() if rest else ""]


def _write(rows: Sequence[Sequence[object]]) -> bytes:
    text = io.StringIO()
    csv.writer(text).writerows(rows)
    return text.getvalue().encode("utf-8", "backslashreplace")


def _cell(value: JSONValue) -> str:
    if isinstance(value, str):
        return f"'{value}" if value[:1] in _FORMULA else value

    return value_text(value) or ""


class Text:
    """Lines for reading."""

    def __init__(self, columns: Sequence[str] | None = None) -> None:
        self._readers = None if columns is None else [reader(name) for name in columns]

    def head(self) -> bytes:
        """Give nothing."""
        return b""

    def page(self, events: Sequence[StoredEvent], epoch: str) -> bytes:
        """Write events."""
        del epoch
        return "".join(f"{self._text(stored)}\n" for stored in events).encode("utf-8", "backslashreplace")

    def _text(self, stored: StoredEvent) -> str:
        if self._readers is not None:
            return "\t".join(visible(value_text(read(stored.event)) or "") for read in self._readers)

        fields = {key: value_text(value) or "" for key, value in stored.event.fields.items()}
        head = [fields[key] for key in ("timestamp", "level", "service", "logger", "message") if fields.get(key)]
        rest = [f"{key}={value}" for key, value in fields.items() if key not in _OWN and key != "exception"]
        traceback = [f"\n    {visible(line)}" for line in fields.get("exc_info", "").splitlines()]
        return visible(" ".join([*head, *rest])) + "".join(traceback)


KINDS: dict[str, Kind] = {
    "ndjson": Kind("ndjson", "application/x-ndjson", NDJSON),
    "csv": Kind("csv", "text/csv; charset=utf-8", CSV),
    "text": Kind("txt", "text/plain; charset=utf-8", Text),
}
"""What is written event by event; Parquet is made as a whole."""
