"""Event ⇄ line. Encoding is total: it never raises, and says in the line what it had to change.

Rules:
1. A line is one JSON object in UTF-8 that ends in a newline and holds no other newline.
2. orjson sees none but Python's own plain values, and runs no code of the application: an enum
   whose value raises, an unfinished dataclass or UUID, a zone without an offset end the process
   there, and so does a list that changes while a `default` runs (seen with orjson 3.13).
   So a line of plain values is written as it is; other values are made plain first (`plain.py`).
3. What that refuses (integers over 64 bits, keys that are no text, cycles, lone surrogates, NaN,
   objects that raise) is made safe one by one (`safe.py`), and a line in which a value had to be
   changed is marked `"encode_fallback": true`.
4. Where a line is over a limit its parts are cut, and their paths stand in `"truncated"`.
5. Decoding keeps integers exact at any length.
"""

import json
import math
import re
from collections.abc import Callable, Mapping
from typing import Any

import orjson

from loghub.event.fit import dump, fit
from loghub.event.limits import UNLIMITED, Limits, exceeds
from loghub.event.model import JSONValue
from loghub.event.plain import PLAIN, plain
from loghub.event.safe import Safe
from loghub.event.values import safe_text

__all__ = ["Limits", "decode", "encode", "fallbacks", "safe_text"]

_LONG_NUMBER = re.compile(rb"[:,\[]\s*-?[0-9]{19}")  # orjson reads an integer over 64 bits as a float
_NEWLINE = orjson.OPT_APPEND_NEWLINE
_OWN = _NEWLINE | orjson.OPT_PASSTHROUGH_DATETIME | orjson.OPT_PASSTHROUGH_DATACLASS
_LAST = ("format_error", "args")
_MAX_FITS = 8
_SPARE = 8


def encode(
    fields: Mapping[str, Any], default: Callable[[Any], Any] | None = None, limits: Limits | None = None
) -> bytes:
    """Write fields as a line, whatever their values are.

    Args:
        fields: the keys of the line.
        default: gives a value that JSON knows for one that it does not.
        limits: what the line may hold. Without them the values are taken for our own, as a hub
            has them out of lines: only their nesting is bounded, and NaN becomes null.
    """
    try:
        line = _encode_fast(fields, default, limits)

        if limits is None or len(line) <= limits.harmless or not exceeds(line, limits):
            return line
    except Exception:  # noqa: BLE001 (orjson's own errors, and whatever a user's object raises)
        line = b""

    return _encode_safely(fields, default, limits or UNLIMITED, line)


def _encode_fast(fields: Mapping[str, Any], default: Callable[[Any], Any] | None, limits: Limits | None) -> bytes:
    if limits is None:
        return orjson.dumps(fields, default, _OWN)

    if PLAIN.issuperset(map(type, fields.values())):
        line = orjson.dumps(fields, None, _NEWLINE)

        # A float that is no number would be written as null.
        return line if b"null" not in line else orjson.dumps(plain(fields, limits), None, _NEWLINE)

    return orjson.dumps(plain(fields, limits, default), None, _NEWLINE)


def fallbacks() -> int:
    """Tell how many lines of this process had a value that had to be changed."""
    return _noted.fallbacks


def decode(line: bytes) -> dict[str, JSONValue]:
    """Read a line.

    Raises:
        ValueError: the line is not one JSON object, or holds a number that is none (NaN, 1e999) or half a character.
    """
    value = _decode_exactly(line) if _LONG_NUMBER.search(line) else orjson.loads(line)

    if not isinstance(value, dict):
        raise ValueError(f"expected a JSON object, found {type(value).__name__}")  # noqa: TRY004 (bad data, not a bad call)

    return value


def _decode_exactly(line: bytes) -> JSONValue:
    """Read a line with integers of any length, and refuse what orjson refuses."""
    try:
        value: JSONValue = json.loads(line.decode(), parse_float=_finite, parse_constant=_finite)
    except RecursionError:
        raise ValueError("nested too deeply") from None

    if b"\\u" in line:
        json.dumps(value, ensure_ascii=False).encode()  # half a character, a lone surrogate, does not encode

    return value


def _finite(text: str) -> float:
    number = float(text)

    if not math.isfinite(number):
        raise ValueError(f"{text} is no number that JSON knows")

    return number


def _encode_safely(fields: Any, default: Callable[[Any], Any] | None, limits: Limits, written: bytes) -> bytes:  # noqa: ANN401 (a hook may give anything)
    safe = Safe(limits, default)
    value = safe.value(fields)
    _noted.fallbacks += safe.changed

    if written and not safe.changed and not safe.cuts and len(written) <= limits.line_bytes:
        return written

    if not isinstance(value, dict):
        return _of_no_object(value, fields)

    room = limits.line_bytes
    fitting = value
    cuts = len(safe.cuts)

    for turn in range(_MAX_FITS):
        line = dump(_marked(fitting, safe)) + b"\n"

        if len(line) <= limits.line_bytes:
            break

        # What says where a cut is may be longer the next time: each turn leaves it more room.
        room -= len(line) - limits.line_bytes + _SPARE * turn if fitting is not value else 0
        del safe.cuts[cuts:]
        fitting = fit(value, room, safe.cut)

    return line


def _of_no_object(value: JSONValue, fields: Any) -> bytes:  # noqa: ANN401 (as above)
    """Write what fits where the stack is nearly full, or a hook's own idea of a line."""
    if type(fields) is not dict:
        return dump(value) + b"\n"

    least = {key: item for key, item in fields.items() if type(key) is str and type(item) in PLAIN}
    return orjson.dumps({**least, "encode_fallback": True}, None, _NEWLINE)


def _marked(fields: dict[str, JSONValue], safe: Safe) -> dict[str, JSONValue]:
    """Say what was changed and cut, in the order of the line."""
    marked = {key: value for key, value in fields.items() if key not in _LAST}

    if safe.changed:
        marked["encode_fallback"] = True

    if safe.cuts:
        before = marked.get("truncated")
        marked["truncated"] = [*(before if isinstance(before, list) else ()), *safe.cuts]

    return marked | {key: fields[key] for key in _LAST if key in fields}


class _Noted:
    """What is counted; no lock, as a signal handler may encode while another line is counted."""

    fallbacks = 0


_noted = _Noted()
