"""The values that were met at masked names, and how they are taken out of every other text of a line.

A secret may stand in a text as it is, or escaped as Python, JSON and URLs do. How much is looked at is bounded: a
record may hold an object from which the whole application can be reached.
"""

import json
import re
import urllib.parse
from collections.abc import Iterable, Iterator
from typing import Any

from loghub.event.encode import safe_text
from loghub.event.model import KEYS, TAIL_KEYS
from loghub.event.patterns import MASKED
from loghub.event.spellings import Names

KEPT = frozenset(("timestamp", "level", "levelno"))
"""Keys without which a line is none: masked by nothing."""

STANDARD = frozenset((*KEYS, *TAIL_KEYS, "extra"))

BYTES = (bytes, bytearray, memoryview)
_SCALARS = frozenset((str, int, float, bool, type(None), bytes))
_ESCAPE = re.compile(r"\\(?:(x[0-9a-f]{2}|u[0-9a-f]{4})|(.))", re.DOTALL)
_ESCAPED = {"n": "\n", "r": "\r", "t": "\t"}
_NEVER_ESCAPED = re.compile(r"[A-Za-z0-9_.~-]*")
_SHORTEST_SECRET = 6
_MAX_DEPTH = 64
_MAX_OBJECT_DEPTH = 4
_MAX_SECRETS = 1_000
_MAX_VISITS = 2_000


class Findings:
    """The values that were found at masked names."""

    def __init__(self, names: Names) -> None:
        self._names = names
        self._visits = 0
        self.found: set[str] = set()

    def add(self, value: object, depth: int = 0) -> None:
        """Remember each text and number in a value."""
        if self._visits >= _MAX_VISITS or len(self.found) >= _MAX_SECRETS or depth > _MAX_DEPTH:
            return

        self._visits += 1

        if issubclass(type(value), str | int | float | bytes | bytearray) and type(value) is not bool:
            self._remember(key_text(value))
            return

        for _, item in _parts_of(value):
            self.add(item, depth + 1)

    def gather(self, values: Iterable[object], template: object = None) -> None:
        """Look for masked names in what a text was made of, and in the %-template that made it of them."""
        for value in values:
            if type(value) is tuple and type(template) is str:
                for index in self._names.arguments(template):
                    self.add(value[index] if index < len(value) else None)

            kinds = map(type, value) if type(value) is tuple else (type(value),)

            if not _SCALARS.issuperset(kinds):
                self._look(value, 0, set())

    def removed(self, value: Any) -> Any:  # noqa: ANN401 (our own copy)
        """Give our copy without the secrets, in keys and in texts."""
        forms = sorted({form for secret in self.found for form in _forms(secret)}, key=len, reverse=True)
        return _without(value, forms, {}, top=True)

    def _look(self, value: object, depth: int, seen: set[int]) -> None:
        if value is None or issubclass(type(value), str | bytes | int | float) or depth > _MAX_OBJECT_DEPTH:
            return

        if id(value) in seen or self._visits >= _MAX_VISITS:
            return

        seen.add(id(value))

        for key, item in _parts_of(value):
            self._visits += 1

            if key is not None and self._names.has(key):
                self.add(item)

            else:
                self._look(item, depth + 1, seen)

    def _remember(self, text: str) -> None:
        for part in {text, *text.splitlines(), _unquoted(text)}:
            if len(part) >= _SHORTEST_SECRET and part.strip("*"):
                self.found.add(part)


def key_text(key: Any) -> str:  # noqa: ANN401 (any key)
    """Give a key as the text by which rules know it."""
    if issubclass(type(key), str):
        return str.__str__(key)

    return bytes(key).decode("utf-8", "backslashreplace") if issubclass(type(key), BYTES) else safe_text(key)


def items_of(value: Any) -> list[Any]:  # noqa: ANN401 (a list, tuple or set)
    """Give the items that a container holds, whatever its class says of them."""
    for kind in (list, tuple, set, frozenset):
        if issubclass(type(value), kind):
            return list(kind.__iter__(value))

    return []


def _unquoted(text: str) -> str:
    """Give the text that a `repr` shows: locals are such."""
    quoted = text.removeprefix("b")

    if len(quoted) < 2 or quoted[0] not in "'\"" or quoted[-1] != quoted[0]:  # noqa: PLR2004 (two quotes)
        return text

    return _ESCAPE.sub(
        lambda found: _ESCAPED.get(found[2], found[2]) if found[2] else chr(int(found[1][1:], 16)), quoted[1:-1]
    )


def _parts_of(value: Any) -> Iterator[tuple[str | None, object]]:  # noqa: ANN401 (whatever a user logs)
    """Give the named and the nameless parts of a container, an exception or an object; never raises."""
    try:
        if issubclass(type(value), dict):
            yield from [(key_text(key), item) for key, item in dict.items(value)]

        elif issubclass(type(value), tuple) and tuple.__len__(value) == 2 and issubclass(type(value[0]), str | bytes):  # noqa: PLR2004
            yield key_text(value[0]), value[1]

        elif issubclass(type(value), list | tuple | set | frozenset):
            yield from [(None, item) for item in items_of(value)]

        else:
            yield from _attributes_of(value)
    except Exception:  # noqa: BLE001 (an object that cannot be looked into has nothing to tell)
        return


def _attributes_of(value: Any) -> Iterator[tuple[str | None, object]]:  # noqa: ANN401 (as above)
    if issubclass(type(value), type):
        return

    if issubclass(type(value), BaseException):
        yield from [(None, value.args), (None, value.__cause__), (None, value.__context__)]

        if issubclass(type(value), BaseExceptionGroup):
            yield None, value.exceptions

    slots = [name for kind in type(value).__mro__ for name in _slots_of(kind)]
    yield from [(name, getattr(value, name)) for name in slots if hasattr(value, name)]
    named = getattr(value, "__dict__", None)

    if isinstance(named, dict):
        yield from [(str(name), item) for name, item in list(named.items())]


def _slots_of(kind: type) -> tuple[str, ...]:
    slots = kind.__dict__.get("__slots__", ())
    return (slots,) if isinstance(slots, str) else tuple(slots)


def _forms(secret: str) -> set[str]:
    """Give a secret as it may stand in texts: as it is, and escaped by Python, JSON and URLs."""
    if _NEVER_ESCAPED.fullmatch(secret):
        return {secret}

    return {
        secret,
        safe_text(secret),
        repr(secret)[1:-1],
        ascii(secret)[1:-1],
        repr(secret.encode("utf-8", "surrogatepass"))[2:-1],
        json.dumps(secret)[1:-1],
        json.dumps(secret, ensure_ascii=False)[1:-1],
        urllib.parse.quote(secret, errors="replace"),
        urllib.parse.quote(secret, safe="", errors="replace"),
        urllib.parse.quote_plus(secret, errors="replace"),
    }


def _without(value: Any, forms: list[str], done: dict[int, Any], *, top: bool = False) -> Any:  # noqa: ANN401 (our own copy)
    kind = type(value)

    if kind is str:
        return _without_forms(value, forms)

    if kind is int:
        return MASKED if safe_text(abs(value)) in forms else value

    if kind in BYTES:
        text = key_text(value)
        cleaned = _without_forms(text, forms)
        return value if cleaned == text else cleaned

    if kind not in (dict, list) or id(value) in done:
        return done.get(id(value), value)

    if kind is list:
        copies: list[Any] = []
        done[id(value)] = copies
        copies.extend(_without(item, forms, done) for item in value)
        return copies

    copy: dict[Any, Any] = {}
    done[id(value)] = copy

    for key, item in value.items():
        name = _without_forms(key, forms) if type(key) is str and not (top and key in STANDARD) else key
        copy[name] = item if top and key in KEPT else _without(item, forms, done)

    return copy


def _without_forms(text: str, forms: list[str]) -> str:
    for form in forms:
        if form in text:
            text = text.replace(form, MASKED)

    return text
