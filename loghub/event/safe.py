"""Makes any values safe to encode, one by one, and remembers what it had to change.

Rules:
1. It never raises: an object of which nothing works becomes "__could_not_encode__".
2. What a value is, is told by its real type, and its parts are read past any method of a
   subclass: one that lies about its length or its items is written as what it holds.
3. `changed` says that a value is not what it was: a number that is none or that no parser would
   take, a key that was no text, a cycle, a lone surrogate, an object that raises.
4. `cuts` are the paths (`payload.items[3].note`) of what was over a limit.
"""

import itertools
import math
from collections.abc import Callable, Iterable
from typing import Any, TypeAlias, cast

from loghub.event.limits import Limits
from loghub.event.model import JSONValue
from loghub.event.values import exact_text, is_json, known, safe_text, type_name

Path: TypeAlias = "tuple[str | int, ...]"

LOST = "__could_not_encode__"
CYCLE = "<cycle>"

_INTEGER_LIMIT = 10**300  # orjson reads 308 digits at most
_WRITABLE_LIMIT = 10**4300  # Python writes 4300 digits at most
_MAX_CUTS = 32
_MAX_KEY = 64


class Safe:
    """One pass over a line's fields."""

    def __init__(self, limits: Limits, default: Callable[[Any], Any] | None = None) -> None:
        self.changed = False
        self.cuts: list[str] = []
        self._limits = limits
        self._default = default

    def value(self, value: Any, path: Path = (), parents: tuple[int, ...] = ()) -> JSONValue:  # noqa: ANN401 (whatever a user logs)
        """Give what JSON can say of a value."""
        kind = type(value)

        if value is None or kind is bool:
            return cast("JSONValue", value)

        try:
            if id(value) in parents:
                return self._change(CYCLE)

            for family, make in self._FAMILIES:
                if issubclass(kind, family):
                    return make(self, value, path, parents)

            return self._unknown(value, path, parents)
        except Exception:  # noqa: BLE001 (a user's object may raise anything, and so may a stack that is nearly full)
            self.changed = True  # here and not in `_change`: there may be no room for one more call
            return LOST

    def _text(self, value: str, path: Path, _: tuple[int, ...]) -> str:
        text = exact_text(value)
        self.changed |= not str.__eq__(text, value)
        room = self._limits.string

        if len(text) <= room:
            return text

        self.cut(path)
        return shortened(text, room)

    def _integer(self, value: int, *_: object) -> JSONValue:
        number = int.__int__(value)

        if -_INTEGER_LIMIT < number < _INTEGER_LIMIT:
            return number

        return self._change(str(number) if -_WRITABLE_LIMIT < number < _WRITABLE_LIMIT else hex(number))

    def _float(self, value: float, *_: object) -> JSONValue:
        number = float.__float__(value)

        if math.isfinite(number):
            return number

        return self._change(_no_number(number))

    def _mapping(self, value: dict[Any, Any], path: Path, parents: tuple[int, ...]) -> JSONValue:
        if len(path) > self._limits.depth:
            return self._too_deep(value, path)

        inside = (*parents, id(value))
        found: dict[str, JSONValue] = {}

        for key, item in self._first(dict.items(value), dict.__len__(value), path):
            name = self._key(key, found)
            found[name] = self.value(item, (*path, name), inside)

        return found

    def _sequence(self, value: list[Any], path: Path, parents: tuple[int, ...]) -> JSONValue:
        if len(path) > self._limits.depth:
            return self._too_deep(value, path)

        inside = (*parents, id(value))
        items = self._first(list.__iter__(value), list.__len__(value), path)
        return [self.value(item, (*path, index), inside) for index, item in enumerate(items)]

    def _unknown(self, value: object, path: Path, parents: tuple[int, ...]) -> JSONValue:
        # What a conversion gives may need another: a chain of them that does not end is a cycle.
        if len(parents) > 2 * self._limits.depth + 8:
            return self._change(CYCLE)

        return self.value(self._converted(value), path, (*parents, id(value)))

    def _converted(self, value: object) -> Any:  # noqa: ANN401 (what JSON may know)
        if self._default is None or is_json(value):
            return known(value)

        try:
            given = self._default(value)
        except Exception:  # noqa: BLE001 (a user's function: the value is still written)
            self.changed = True
            return known(value)

        if given is value:  # `json.dumps` calls this a cycle
            self.changed = True
            return known(value)

        return given

    def _key(self, key: object, found: dict[str, JSONValue]) -> str:
        """Give a key as text, one that the object does not have yet."""
        text = _key_text(key)
        name = text

        if len(name) > self._limits.string:
            self.cut((name,))
            name = shortened(name, self._limits.string)

        unique = name

        for count in itertools.count(2):
            if unique not in found:
                break

            unique = f"{name}~{count}"

        self.changed |= unique != text or not _is_key(key, text)
        return unique

    def _first(self, items: Iterable[Any], length: int, path: Path) -> list[Any]:
        if length > self._limits.items:
            self.cut(path)

        return list(itertools.islice(items, self._limits.items))

    def _too_deep(self, value: object, path: Path) -> str:
        self.cut(path)
        return f"<{type_name(value)}>"

    def _change(self, instead: str) -> str:
        self.changed = True
        return instead

    def cut(self, path: Path) -> None:
        """Remember a path at which something was cut; of very many, the first."""
        shown = "".join(f"[{step}]" if isinstance(step, int) else f".{step[:_MAX_KEY]}" for step in path)
        shown = shown.removeprefix(".") or "*"

        if shown in self.cuts or len(self.cuts) > _MAX_CUTS:
            return

        self.cuts.append(shown if len(self.cuts) < _MAX_CUTS else "…")

    _FAMILIES: tuple[tuple[type, Callable[..., JSONValue]], ...] = (
        (str, _text),
        (int, _integer),
        (float, _float),
        (dict, _mapping),
        (list, _sequence),
    )


def shortened(text: str, room: int) -> str:
    """Keep a text's beginning and a quarter of the room from its end: in a traceback the error stands last."""
    tail = room // 4
    return f"{text[: room - tail]}…[{len(text) - room} characters cut]…{text[len(text) - tail :]}"


def _key_text(key: object) -> str:
    """Give the text that `json.dumps` makes of a key, and of those that it refuses their own."""
    kind = type(key)

    if issubclass(kind, str):
        return exact_text(cast("str", key))

    if key is None or kind is bool:
        return {None: "null", True: "true", False: "false"}[cast("bool | None", key)]

    if issubclass(kind, int):
        return safe_text(int.__int__(cast("int", key)))

    if issubclass(kind, float):
        number = float.__float__(cast("float", key))
        return repr(number) if math.isfinite(number) else _no_number(number)

    return safe_text(key)


def _is_key(key: object, text: str) -> bool:
    """Tell whether a key became the text that any JSON library makes of it."""
    kind = type(key)

    if issubclass(kind, str):
        return str.__eq__(text, cast("str", key))

    return (key is None or issubclass(kind, int | float)) and not text.startswith("<")


def _no_number(number: float) -> str:
    """Write what is no number as the JSON form of Protocol Buffers, and so OTLP, does."""
    return "NaN" if math.isnan(number) else f"{'-' if number < 0 else ''}Infinity"
