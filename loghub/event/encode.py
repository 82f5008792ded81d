"""Event ⇄ line. Encoding is total: it never raises, and says in the line what it had to change.

Rules:
1. A line is one JSON object in UTF-8 that ends in a newline and holds no other newline.
2. The fast path is orjson. Where it refuses (integers over 64 bits, keys that are no text,
   cycles, lone surrogates, objects it does not know), the values are made safe one by one
   and the line is marked with `"encode_fallback": true`.
3. Decoding keeps integers exact at any length.
"""

import json
import math
import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import orjson

from loghub.event.model import JSONValue

_OPTIONS = orjson.OPT_APPEND_NEWLINE | orjson.OPT_UTC_Z
_LONG_NUMBER = re.compile(rb"[0-9]{19}")  # orjson reads an integer over 64 bits as a float
_MAX_DEPTH = 32
_MAX_ITEMS = 10_000


def encode(fields: Mapping[str, Any], default: Callable[[Any], Any] | None = None) -> bytes:
    """Write fields as a line, whatever their values are.

    Args:
        fields: the keys of the line.
        default: gives a value that JSON knows for one that it does not; the rest is written as text.
    """
    try:
        return orjson.dumps(fields, default or _default, _OPTIONS)
    except Exception:  # noqa: BLE001 (orjson's own errors, and whatever a user's object raises)
        return _encode_safely(fields)


def decode(line: bytes) -> dict[str, JSONValue]:
    """Read a line.

    Raises:
        ValueError: the line is not one JSON object; the text says where.
    """
    try:
        value = json.loads(line, parse_constant=_refuse) if _LONG_NUMBER.search(line) else orjson.loads(line)
    except RecursionError:
        raise ValueError("nested too deeply") from None

    if not isinstance(value, dict):
        raise ValueError(f"expected a JSON object, found {type(value).__name__}")  # noqa: TRY004 (bad data, not a bad call)

    return value


def _refuse(constant: str) -> JSONValue:
    raise ValueError(f"{constant} is not JSON")


def _default(value: Any) -> Any:  # noqa: ANN401 (any object that a user logs)
    """Give orjson something it knows for an object it does not know; raise to leave the fast path."""
    if isinstance(value, set | frozenset | tuple):
        return list(value)

    if isinstance(value, BaseException):
        return f"{type(value).__name__}: {value}"

    return str(value)


def _encode_safely(fields: Mapping[str, Any]) -> bytes:
    safe = {safe_text(key): _safe(value, 0, ()) for key, value in fields.items()}
    safe["encode_fallback"] = True
    return json.dumps(safe, ensure_ascii=True, separators=(",", ":")).encode() + b"\n"


def _safe(value: Any, depth: int, parents: tuple[int, ...]) -> JSONValue:  # noqa: ANN401 (any object that a user logs)
    plain = _SAFE_SCALARS.get(type(value))

    if plain is not None:
        return plain(value)

    if depth >= _MAX_DEPTH or id(value) in parents:
        return f"<{type(value).__name__}>"

    inside = (*parents, id(value))

    if isinstance(value, dict):
        return {safe_text(key): _safe(item, depth + 1, inside) for key, item in _first(value.items())}

    if isinstance(value, list | tuple | set | frozenset):
        return [_safe(item, depth + 1, inside) for item in _first(value)]

    return safe_text(value)


def _safe_int(value: int) -> JSONValue:
    try:
        str(value)
    except ValueError:  # Python writes at most 4300 digits
        return hex(value)

    return value


def _safe_float(value: float) -> JSONValue:
    return value if math.isfinite(value) else repr(value)


def _first(items: Iterable[Any]) -> list[Any]:
    return [item for item, _ in zip(items, range(_MAX_ITEMS), strict=False)]


def safe_text(value: object) -> str:
    """Give a text that encodes: lone surrogates as backslash escapes, a failing `__str__` as the type's name."""
    try:
        text = value if type(value) is str else str(value)
        return text.encode("utf-8", "backslashreplace").decode()
    except Exception:  # noqa: BLE001 (a user's __str__ may raise anything)
        return f"<{type(value).__name__}>"


_SAFE_SCALARS: dict[type, Callable[[Any], JSONValue]] = {
    type(None): lambda value: value,
    bool: lambda value: value,
    str: safe_text,
    int: _safe_int,
    float: _safe_float,
}
