"""From a row to what is written of its event, without making the event: for exports, by the million."""

import re
from operator import itemgetter

import orjson

from loghub.event.model import KEYS, TAIL_KEYS, format_time
from loghub.hub.answers import event_json, tail_cursor
from loghub.hub.store.columns import COLUMNS, KEY_COLUMNS, from_row
from loghub.hub.store.protocol import Row

_NAMES = list(COLUMNS)
_PLACES = [(key, _NAMES.index(key)) for key in KEYS if key in KEY_COLUMNS]
_ARRIVAL, _SOURCE, _SEQ, _RECEIVED, _TIME, _MESSAGE, _EXC_INFO, _EXCEPTION, _ATTRIBUTES = map(
    _NAMES.index,
    ("arrival", "source", "seq", "received_us", "time_us", "message", "exc_info", "exception", "attributes"),
)
_ODD = re.compile(f'"(?:{"|".join(("levelno", *TAIL_KEYS, "_id", "_received", "_cursor"))})":')
"""Among the attributes, keys that do not stand there in a line, or at a place of their own."""

arrival_of = itemgetter(_ARRIVAL)
time_of = itemgetter(_TIME)
attributes_of = itemgetter(_ATTRIBUTES)
exc_info_of = itemgetter(_EXC_INFO)
exception_of = itemgetter(_EXCEPTION)
_long_texts = itemgetter(_MESSAGE, _EXC_INFO, _EXCEPTION, _ATTRIBUTES)


def size_of(row: Row) -> int:
    """Give about the bytes of the line."""
    return 400 + sum(map(len, filter(None, _long_texts(row))))


def is_odd(row: Row) -> bool:
    """Tell whether keys among the attributes belong elsewhere: then its event is made after all."""
    return _ODD.search(row[_ATTRIBUTES]) is not None


def id_of(row: Row) -> str:
    """Write its id."""
    return f"{row[_SOURCE]}-{row[_SEQ]:016x}"


def to_line(row: Row, epoch: str) -> bytes:
    """Write a row as `event_json` writes its event."""
    if is_odd(row):
        return event_json(from_row(row), epoch)

    attributes: str = row[_ATTRIBUTES]
    known = orjson.dumps({key: row[index] for key, index in _PLACES if row[index] is not None})
    parts = [
        f'{{"_id":"{id_of(row)}","_received":"{format_time(row[_RECEIVED])}"'
        f',"_cursor":"{tail_cursor(epoch, row[_ARRIVAL])}","timestamp":"{format_time(row[_TIME])}"'.encode()
    ]
    parts += [known[1:-1]] if len(known) > len(b"{}") else []
    parts += [attributes[1:-1].encode()] if attributes != "{}" else []
    parts += [b'"exc_info":' + orjson.dumps(row[_EXC_INFO])] if row[_EXC_INFO] is not None else []
    parts += [b'"exception":' + row[_EXCEPTION].encode()] if row[_EXCEPTION] is not None else []
    return b",".join(parts) + b"}"
