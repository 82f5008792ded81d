"""Event ⇄ line. Encoding is total: it never raises, and says in the line what it had to change.

Rules:
1. A line is one JSON object in UTF-8 that ends in a newline and holds no other newline.
2. The fast path is orjson. Where it refuses (integers over 64 bits, keys that are no text,
   cycles, lone surrogates, objects that raise), or would write NaN as null, the values are made
   safe one by one, and a line in which one had to be changed is marked `"encode_fallback": true`.
3. Where a line is over a limit its parts are cut, and their paths stand in `"truncated"`.
4. Decoding keeps integers exact at any length.
"""

import json
import math
import re
from collections.abc import Callable, Mapping
from typing import Any

import orjson

from loghub.event.fit import dump, fit
from loghub.event.limits import UNLIMITED, Limits, exceeds, suspicious
from loghub.event.model import JSONValue
from loghub.event.safe import Safe
from loghub.event.values import known, safe_text

__all__ = ["Limits", "decode", "encode", "is_right", "safe_text"]

_LONG_NUMBER = re.compile(rb"[:,\[]\s*-?[0-9]{19}")  # orjson reads an integer over 64 bits as a float
_CERTAIN = frozenset((str, int, bool, type(None)))
_LAST = ("format_error", "args")
_MAX_FITS = 8


def encode(
    fields: Mapping[str, Any], default: Callable[[Any], Any] | None = None, limits: Limits | None = None
) -> bytes:
    """Write fields as a line, whatever their values are.

    Args:
        fields: the keys of the line.
        default: gives a value that JSON knows for one that it does not.
        limits: what the line may hold; without them only its nesting is bounded.
    """
    bounds = limits or UNLIMITED

    try:
        line = orjson.dumps(fields, default or known, orjson.OPT_APPEND_NEWLINE)
    except Exception:  # noqa: BLE001 (orjson's own errors, and whatever a user's object raises)
        line = b""

    if line and is_right(line, fields, bounds):
        return line

    return _encode_safely(fields, default, bounds, line)


def decode(line: bytes) -> dict[str, JSONValue]:
    """Read a line.

    Raises:
        ValueError: the line is not one JSON object; the text says where.
    """
    value = orjson.loads(line)

    if _LONG_NUMBER.search(line):
        value = json.loads(line)

    if not isinstance(value, dict):
        raise ValueError(f"expected a JSON object, found {type(value).__name__}")  # noqa: TRY004 (bad data, not a bad call)

    return value


def is_right(line: bytes, fields: Mapping[str, Any], limits: Limits = UNLIMITED) -> bool:
    """Tell whether a line as orjson writes it is within the limits and lost no number that is none.

    Args:
        line: as it was written.
        fields: what may hold such numbers.
        limits: what the line may hold.
    """
    if not suspicious(line, limits):
        return True

    try:
        return not exceeds(line, limits) and not (b"null" in line and _may_hold_nan(fields))
    except Exception:  # noqa: BLE001 (a stack that is nearly full)
        return False


def _may_hold_nan(value: Any) -> bool:  # noqa: ANN401 (whatever a user logs)
    """Tell whether a number that is none may be among the values; unknown objects may hold one."""
    kind = type(value)

    if kind is float:
        return not math.isfinite(value)

    if kind in _CERTAIN:
        return False

    if kind is dict:
        return any(map(_may_hold_nan, value.values()))

    return any(map(_may_hold_nan, value)) if kind is list else True


def _encode_safely(fields: Any, default: Callable[[Any], Any] | None, limits: Limits, written: bytes) -> bytes:  # noqa: ANN401 (a hook may give anything)
    safe = Safe(limits, default)
    value = safe.value(fields)

    if written and not safe.changed and not safe.cuts and len(written) <= limits.line_bytes:
        return written

    if not isinstance(value, dict):  # a hook's own idea of a line
        return dump(value) + b"\n"

    room = limits.line_bytes
    fitting = value

    for _ in range(_MAX_FITS):
        line = dump(_marked(fitting, safe)) + b"\n"

        if len(line) <= limits.line_bytes:
            break

        room -= len(line) - limits.line_bytes if fitting is not value else 0
        fitting = fit(value, room, safe.cut)

    return line


def _marked(fields: dict[str, JSONValue], safe: Safe) -> dict[str, JSONValue]:
    """Say what was changed and cut, in the order of the line."""
    marked = {key: value for key, value in fields.items() if key not in _LAST}

    if safe.changed:
        marked["encode_fallback"] = True

    if safe.cuts:
        before = marked.get("truncated")
        marked["truncated"] = [*(before if isinstance(before, list) else ()), *safe.cuts]

    return marked | {key: fields[key] for key in _LAST if key in fields}
