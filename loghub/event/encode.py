"""Event ⇄ line. Encoding is total: it never raises, and says in the line what it had to change.

Rules:
1. A line is one JSON object in UTF-8 that ends in a newline and holds no other newline.
2. The fast path is orjson. Where it refuses (integers over 64 bits, keys that are no text,
   cycles, lone surrogates, objects that raise), the values are made safe one by one, and a
   line in which one had to be changed is marked with `"encode_fallback": true`.
3. Decoding keeps integers exact at any length.
"""

import itertools
import json
import math
import re
from collections.abc import Callable, Collection, Mapping
from typing import Any, cast

import orjson

from loghub.event.model import JSONValue

_OPTIONS = orjson.OPT_APPEND_NEWLINE | orjson.OPT_UTC_Z
_LONG_NUMBER = re.compile(rb"[:,\[]\s*-?[0-9]{19}")  # orjson reads an integer over 64 bits as a float
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


def _default(value: Any) -> Any:  # noqa: ANN401 (any object that a user logs)
    """Give orjson something it knows for an object it does not know; raise to leave the fast path."""
    if isinstance(value, set | frozenset | tuple):
        return list(value)

    if isinstance(value, BaseException):
        return f"{type(value).__name__}: {value}"

    return str(value)


def safe_text(value: object) -> str:
    """Give a text that encodes: lone surrogates as backslash escapes, a failing `__str__` as the type's name."""
    try:
        text = value if type(value) is str else str(value)
        return text.encode("utf-8", "backslashreplace").decode()
    except Exception:  # noqa: BLE001 (a user's __str__ may raise anything)
        return f"<{type(value).__name__}>"


def _encode_safely(fields: Mapping[str, Any]) -> bytes:
    slow = _Slow()
    safe = slow.mapping(fields, 0, ())

    if slow.changed:
        safe["encode_fallback"] = True

    return json.dumps(safe, ensure_ascii=True, separators=(",", ":")).encode() + b"\n"


class _Slow:
    """Makes values safe one by one, and remembers whether it had to change one."""

    def __init__(self) -> None:
        self.changed = False

    def value(self, value: Any, depth: int, parents: tuple[int, ...]) -> JSONValue:  # noqa: ANN401 (whatever a user logs)
        kind = type(value)

        if value is None or kind is bool:
            return cast("JSONValue", value)

        if kind in (str, int, float):
            return self._scalar(value)

        if depth < _MAX_DEPTH and id(value) not in parents:
            if isinstance(value, dict):
                return self.mapping(value, depth + 1, (*parents, id(value)))

            if isinstance(value, list | tuple | set | frozenset):
                inside = (*parents, id(value))
                return [self.value(item, depth + 1, inside) for item in self._first(value)]

        self.changed = True
        return f"<{kind.__name__}>" if isinstance(value, dict | list | tuple | set | frozenset) else safe_text(value)

    def mapping(self, value: Mapping[Any, Any], depth: int, parents: tuple[int, ...]) -> dict[str, JSONValue]:
        return {self._key(key): self.value(item, depth, parents) for key, item in self._first(value.items())}

    def _key(self, key: object) -> str:
        safe = safe_text(key)
        self.changed |= type(key) is not str or safe != key
        return safe

    def _scalar(self, value: str | float) -> JSONValue:
        safe: JSONValue = value

        if isinstance(value, str):
            safe = safe_text(value)

        elif isinstance(value, int):
            safe = _writable(value)

        elif not math.isfinite(value):
            safe = repr(value)

        self.changed |= safe is not value and safe != value
        return safe

    def _first(self, items: Collection[Any]) -> list[Any]:
        self.changed |= len(items) > _MAX_ITEMS
        return list(itertools.islice(items, _MAX_ITEMS))


def _writable(value: int) -> JSONValue:
    try:
        str(value)
    except ValueError:  # Python writes at most 4300 digits
        return hex(value)

    return value
