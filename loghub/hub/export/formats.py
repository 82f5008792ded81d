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
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from operator import itemgetter
from typing import Protocol

from loghub.event.encode import decode, encode
from loghub.event.model import KEYS, JSONValue, format_time
from loghub.hub.answers import to_json
from loghub.hub.store.columns import COLUMNS, KEY_COLUMNS, from_row
from loghub.hub.store.line import attributes_of, exc_info_of, exception_of, id_of, is_odd, time_of, to_line
from loghub.hub.store.protocol import Row, StoredEvent
from loghub.query.fields import Reader, reader
from loghub.query.texts import value_text
from loghub.readable import visible

_FORMULA = frozenset("=+-@\t\r")
_REST = "rest"
_COLUMNS = ("_id", *KEYS, "exc_info")
_OWN = frozenset((*KEYS, "exc_info"))
_LEVELNO = KEYS.index("levelno") - 1  # behind the time, which has no column of its own name
_NAMES = list(COLUMNS)
_known_of = itemgetter(*(_NAMES.index(key) for key in _COLUMNS if key in KEY_COLUMNS))
_head_of = itemgetter(*map(_NAMES.index, ("level", "service", "logger", "message")))


class Format(Protocol):
    """One format: a head, then pages."""

    def head(self) -> bytes:
        """Give what stands before the first event."""

    def page(self, rows: Sequence[Row], epoch: str) -> bytes:
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

    def page(self, rows: Sequence[Row], epoch: str) -> bytes:
        """Write events."""
        if self._readers is None:
            return b"".join([to_line(row, epoch) + b"\n" for row in rows])

        return b"".join([to_json(_chosen(from_row(row), self._readers)) + b"\n" for row in rows])


def _chosen(stored: StoredEvent, readers: Mapping[str, Reader]) -> dict[str, JSONValue]:
    return {"_id": stored.id} | {name: read(stored.event) for name, read in readers.items()}


class CSV:
    """RFC 4180, in UTF-8."""

    def __init__(self, columns: Sequence[str] | None = None) -> None:
        self._columns = columns
        self._readers: list[Reader] = [reader(name) for name in columns or ()]
        self._row = _csv_row if columns is None else self._chosen

    def head(self) -> bytes:
        """Give the names of the columns."""
        return _write([self._columns or (*_COLUMNS, _REST)])

    def page(self, rows: Sequence[Row], epoch: str) -> bytes:
        """Write events."""
        del epoch
        return _write(map(self._row, rows))

    def _chosen(self, row: Row) -> list[object]:
        event = from_row(row).event
        return [_cell(read(event)) for read in self._readers]


def _csv_row(row: Row) -> list[object]:
    if is_odd(row):
        fields = from_row(row).event.fields
        rest = {key: value for key, value in fields.items() if key not in _OWN}
        return [id_of(row), *(_cell(fields.get(key)) for key in _COLUMNS[1:]), _json(rest) if rest else ""]

    known = [f"'{value}" if type(value) is str and value[:1] in _FORMULA else value for value in _known_of(row)]
    known[_LEVELNO:_LEVELNO] = (None,)
    return [id_of(row), format_time(time_of(row)), *known, _rest(attributes_of(row), exception_of(row))]


def _rest(attributes: str, exception: str | None) -> str:
    """Join what has no column; it is JSON already."""
    if exception is None:
        return attributes if attributes != "{}" else ""

    return f'{attributes[:-1]}{"," if attributes != "{}" else ""}"exception":{exception}}}'


def _json(value: Mapping[str, JSONValue]) -> str:
    return encode(value)[:-1].decode()


def _write(rows: Iterable[Sequence[object]]) -> bytes:
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

    def page(self, rows: Sequence[Row], epoch: str) -> bytes:
        """Write events."""
        del epoch
        return "".join([f"{self._text(row)}\n" for row in rows]).encode("utf-8", "backslashreplace")

    def _text(self, row: Row) -> str:
        if self._readers is not None:
            event = from_row(row).event
            return "\t".join(visible(value_text(read(event)) or "") for read in self._readers)

        return _line(row)


def _line(row: Row) -> str:
    head = [format_time(time_of(row)), *filter(None, _head_of(row))]
    text = attributes_of(row)
    fields = decode(text.encode()) if text != "{}" else {}
    rest = [f"{key}={value_text(value) or ''}" for key, value in fields.items() if key not in _OWN]
    traceback = [f"\n    {visible(line)}" for line in (exc_info_of(row) or "").splitlines()]
    return visible(" ".join([*head, *rest])) + "".join(traceback)


KINDS: dict[str, Kind] = {
    "ndjson": Kind("ndjson", "application/x-ndjson", NDJSON),
    "csv": Kind("csv", "text/csv; charset=utf-8", CSV),
    "text": Kind("txt", "text/plain; charset=utf-8", Text),
}
"""What is written event by event; Parquet is made as a whole."""
