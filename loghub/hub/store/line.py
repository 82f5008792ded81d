"""From a row to the JSON that the API gives of its event, without making the event: for exports, by the million."""

import re
from collections.abc import Sequence
from typing import Any

import orjson

from loghub.event.model import KEYS, TAIL_KEYS, format_time
from loghub.hub.answers import event_json, tail_cursor
from loghub.hub.store.columns import COLUMNS, KEY_COLUMNS, from_row
from loghub.hub.store.protocol import Line

_NAMES = list(COLUMNS)
_PLACES = [(key, _NAMES.index(key)) for key in KEYS if key in KEY_COLUMNS]
_ARRIVAL, _SOURCE, _SEQ, _RECEIVED, _TIME, _EXC_INFO, _EXCEPTION, _ATTRIBUTES = map(
    _NAMES.index, ("arrival", "source", "seq", "received_us", "time_us", "exc_info", "exception", "attributes")
)
_ODD = re.compile(f'"(?:{"|".join(("levelno", *TAIL_KEYS, "_id", "_received", "_cursor"))})":')
"""Among the attributes, keys that do not stand there in a line, or at a place of their own."""


def to_line(row: Sequence[Any], epoch: str) -> Line:
    """Write a row as `event_json` writes its event."""
    return Line(row[_ARRIVAL], row[_TIME], _text(row, epoch))


def _text(row: Sequence[Any], epoch: str) -> bytes:
    attributes: str = row[_ATTRIBUTES]

    if _ODD.search(attributes):
        return event_json(from_row(row), epoch)

    known = orjson.dumps({key: row[index] for key, index in _PLACES if row[index] is not None})
    parts = [
        f'{{"_id":"{row[_SOURCE]}-{row[_SEQ]:016x}","_received":"{format_time(row[_RECEIVED])}"'
        f',"_cursor":"{tail_cursor(epoch, row[_ARRIVAL])}","timestamp":"{format_time(row[_TIME])}"'.encode()
    ]
    parts += [known[1:-1]] if len(known) > len(b"{}") else []
    parts += [attributes[1:-1].encode()] if attributes != "{}" else []
    parts += [b'"exc_info":' + orjson.dumps(row[_EXC_INFO])] if row[_EXC_INFO] is not None else []
    parts += [b'"exception":' + row[_EXCEPTION].encode()] if row[_EXCEPTION] is not None else []
    return b",".join(parts) + b"}"
