"""Masking: secrets are replaced by `***` before a byte leaves the process.

Rules:
1. A value under a masked name is replaced whole, whatever its type, at any depth.
2. What was found there is then taken out of every other text of the line as well: a message that was rendered
   from it, an exception that quotes it, the frames' locals; as it stands, and escaped as Python, JSON and URLs do.
   Values of fewer than 6 characters stay there: `no` as a password would take holes into every message.
3. In each text, the values behind a masked name (`password=…`) and the masked patterns are replaced.
4. The caller's objects are read and never changed; cycles stay cycles; nothing raises. Where masking fails, the
   value is masked.
"""

import ast
import dataclasses
import datetime
import decimal
import enum
import json
import urllib.parse
import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

from loghub.errors import ConfigError
from loghub.event.encode import safe_text
from loghub.event.model import KEYS, TAIL_KEYS
from loghub.event.patterns import MASKED, Pattern, pattern_of
from loghub.event.spellings import Names, check_name

_KEPT = frozenset(("timestamp", "level", "levelno"))
"""Keys without which a line is none: masked by nothing."""

_STANDARD = frozenset((*KEYS, *TAIL_KEYS, "extra"))
_REPEATED = frozenset(("logger", "service", "hostname", "thread", "task", "module", "function", "file", "component"))
"""Keys with few values in all: what they become is remembered."""

_PLAIN = (bool, float, decimal.Decimal, datetime.date, datetime.time, datetime.timedelta, uuid.UUID, complex)
_BYTES = (bytes, bytearray, memoryview)
_SHORTEST_SECRET = 6
_MAX_DEPTH = 64
_MAX_OBJECT_DEPTH = 4
_MAX_SECRETS = 1_000
_MAX_VISITS = 10_000
_MAX_REMEMBERED = 4_096
_SHORTEST_CARD = 10**12


class Mask:
    """Replace what the rules name.

    Args:
        rules: names of keys (any case, `*` is a wildcard) and patterns, as [password, "card_*", {pattern: email}].
        default: gives plain data for an object that JSON does not know; without it, its text is taken.

    Raises:
        ConfigError: a rule that names nothing.
    """

    def __init__(self, rules: Sequence[str | Mapping[str, str]], default: Callable[[Any], Any] | None = None) -> None:
        names, self._patterns = _read(rules)
        self.names = Names(names)
        self._default = default
        self._remembered: dict[str, str] = {}

    def text(self, text: str) -> str:
        """Give a text without what the rules name."""
        try:
            if self.names:
                text = self.names.mask(text)

            for pattern in self._patterns:
                text = pattern.mask(text)
        except Exception:  # noqa: BLE001 (rather nothing than a secret)
            return MASKED

        return text

    def fields(self, fields: dict[str, Any], *sources: object) -> dict[str, Any]:
        """Give a masked copy of the fields; never raises, and never changes the caller's objects.

        Args:
            fields: of the plain line.
            sources: what the texts were made of, as the record's message, args and exception: values at masked
                keys in there are taken out of the texts too.
        """
        try:
            copy = _Copy(self, self._default)
            masked = {self._name(key): self._field(key, value, copy) for key, value in fields.items()}

            if self.names:
                template = fields.get("template")
                copy.secrets.gather(sources, template if isinstance(template, str) else "")

            return copy.secrets.removed(masked) if copy.secrets.found else masked
        except Exception as error:  # noqa: BLE001 (rather nothing than a secret)
            kept = {key: fields[key] for key in fields if key in _KEPT}
            return {**kept, "message": MASKED, "format_error": f"{type(error).__name__} while the line was masked"}

    def remembered(self, text: str) -> str:
        """Give a text without what the rules name; what it becomes is looked up the next time."""
        known = self._remembered.get(text)

        if known is None:
            known = self.text(text)

            if len(self._remembered) >= _MAX_REMEMBERED:
                self._remembered.clear()

            self._remembered[text] = known

        return known

    def number(self, value: int) -> int | str:
        """Give a number, or what its text becomes where that is masked: the number of a card."""
        if -_SHORTEST_CARD < value < _SHORTEST_CARD or not self._patterns:
            return value

        text = safe_text(value)
        masked = self.text(text)
        return value if masked == text else masked

    def _name(self, key: str) -> str:
        return key if key in _STANDARD else self.remembered(key)

    def _field(self, key: str, value: Any, copy: "_Copy") -> Any:  # noqa: ANN401 (whatever a user logs)
        if key in _KEPT:
            return value

        if type(value) is str and key in _REPEATED and not self.names.has(key):
            return self.remembered(value)

        return copy.item(key, value, 0)


class _Copy:
    """One masked copy: what was copied already, and the secrets that were met."""

    def __init__(self, mask: Mask, default: Callable[[Any], Any] | None) -> None:
        self._mask = mask
        self._default = default
        self._done: dict[int, tuple[object, Any]] = {}
        self.secrets = _Secrets(mask.names)

    def item(self, key: str, value: Any, depth: int) -> Any:  # noqa: ANN401 (whatever a user logs)
        """Give the value of a key."""
        if self._mask.names.has(key):
            self.secrets.add(value)
            return MASKED if value is not None else None

        return self.value(value, depth)

    def value(self, value: Any, depth: int) -> Any:  # noqa: ANN401 (whatever a user logs)
        kind = type(value)

        if kind is str:
            return self._mask.text(value)

        if value is None or kind is bool or kind is float:
            return value

        if kind is int:
            return self._mask.number(value)

        try:
            return self._odd(value, depth)
        except Exception:  # noqa: BLE001 (rather nothing than a secret)
            return MASKED

    def _odd(self, value: Any, depth: int) -> Any:  # noqa: ANN401, PLR0911 (a table of types by isinstance)
        if isinstance(value, str):
            return self._mask.text(str.__str__(value))

        if isinstance(value, enum.Enum):
            return self.value(value.value, depth + 1) if depth < _MAX_DEPTH else MASKED

        if isinstance(value, int) and not isinstance(value, bool):
            return self._mask.number(int.__int__(value))

        if isinstance(value, _PLAIN) or _is_array_of_numbers(value):
            return value

        if isinstance(value, _BYTES):
            return self._bytes(value)

        return self._parts(value, depth)

    def _bytes(self, value: bytes | bytearray | memoryview) -> Any:  # noqa: ANN401 (as it came, or a text)
        """Give bytes as they are, or as masked text where they hold what the rules name."""
        text = _key_text(value)
        masked = self._mask.text(text)
        return value if masked == text else masked

    def _parts(self, value: Any, depth: int) -> Any:  # noqa: ANN401 (whatever a user logs)
        done = self._done.get(id(value))

        if done is not None:
            return done[1]

        if depth >= _MAX_DEPTH:
            return f"<{type(value).__name__}>"

        if isinstance(value, dict):
            return self._mapping(value, dict.items(value), depth)

        if dataclasses.is_dataclass(value) and not isinstance(value, type):
            names = [field.name for field in dataclasses.fields(value) if not field.name.startswith("_")]
            return self._mapping(value, [(name, getattr(value, name)) for name in names], depth)

        if isinstance(value, list | tuple | set | frozenset):
            return self._sequence(value, depth)

        return self._object(value, depth)

    def _mapping(self, value: object, items: Iterable[tuple[Any, Any]], depth: int) -> dict[Any, Any]:
        copy: dict[Any, Any] = {}
        self._done[id(value)] = (value, copy)

        for key, item in list(items):
            name = _key_text(key)
            copy[self._free_key(copy, key, name)] = self.item(name, item, depth + 1)

        return copy

    def _free_key(self, copy: dict[Any, Any], key: object, name: str) -> Any:  # noqa: ANN401 (a key)
        """Give the key, or what masking makes of it where that differs: numbered, so that no two are one."""
        masked = self._mask.text(name)

        if masked == name:
            return key

        number = 2
        unique = masked

        while unique in copy:
            unique = f"{masked}{number}"
            number += 1

        return unique

    def _sequence(self, value: Iterable[Any], depth: int) -> list[Any]:
        copy: list[Any] = []
        self._done[id(value)] = (value, copy)
        items = list(value)

        # A pair as ("authorization", "…"), of which lists of headers are made.
        if type(value) is tuple and len(items) == 2 and isinstance(items[0], str | bytes):  # noqa: PLR2004
            copy += (self.value(items[0], depth + 1), self.item(_key_text(items[0]), items[1], depth + 1))
            return copy

        copy.extend(self.value(item, depth + 1) for item in items)
        return copy

    def _object(self, value: object, depth: int) -> Any:  # noqa: ANN401 (plain data)
        if self._mask.names:
            self.secrets.gather((value,))

        plain: Any = value

        if self._default is not None:
            try:
                plain = self._default(value)
            except Exception:  # noqa: BLE001 (the text will do)
                plain = value

        if plain is not value:
            return self.value(plain, depth + 1)

        text = safe_text(value)
        return self._mask.text(f"{type(value).__name__}: {text}" if isinstance(value, BaseException) else text)


class _Secrets:
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

        if isinstance(value, str | int | float | bytes | bytearray) and not isinstance(value, bool):
            self._remember(_key_text(value))
            return

        for _, item in _parts_of(value):
            self.add(item, depth + 1)

    def gather(self, values: Iterable[object], template: str = "") -> None:
        """Look for masked names in what a text was made of."""
        for value in values:
            if template and type(value) is tuple:
                for index in self._names.arguments(template, len(value)):
                    self.add(value[index])

            self._look(value, 0, set())

    def removed(self, value: Any) -> Any:  # noqa: ANN401 (our own copy)
        """Give our copy without the secrets, in keys and in texts."""
        forms = sorted({form for secret in self.found for form in _forms(secret)}, key=len, reverse=True)
        return _without(value, forms, {}, top=True)

    def _look(self, value: object, depth: int, seen: set[int]) -> None:
        if isinstance(value, str | bytes | int | float) or value is None or depth > _MAX_OBJECT_DEPTH:
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


def _read(rules: object) -> tuple[list[str], list[Pattern]]:
    if isinstance(rules, str | Mapping) or not isinstance(rules, Sequence):
        raise ConfigError("JSONFormatter", "mask", rules, "give a list, as [password, 'card_*', {pattern: email}]")

    names: list[str] = []
    patterns: list[Pattern] = []

    for index in range(len(rules)):
        rule = rules[index]  # by index: a configuration's ext:// and cfg:// values are resolved by [] only

        if isinstance(rule, str):
            names.append(check_name(rule, rule))

        elif isinstance(rule, Mapping) and set(rule) == {"pattern"}:
            patterns.append(pattern_of(rule["pattern"], rule))

        else:
            raise ConfigError("JSONFormatter", "mask", rule, "a rule is a name, as password, or {pattern: email}")

    return names, patterns


def _key_text(key: object) -> str:
    """Give a key as the text by which rules know it."""
    if isinstance(key, str):
        return str.__str__(key)

    return bytes(key).decode("utf-8", "backslashreplace") if isinstance(key, _BYTES) else safe_text(key)


def _unquoted(text: str) -> str:
    """Give the text that a `repr` shows: locals are such."""
    try:
        value = ast.literal_eval(text) if text[:1] in "'\"b" and text[-1:] in "'\"" else text
    except Exception:  # noqa: BLE001 (no repr of a text)
        return text

    return _key_text(value)


def _parts_of(value: object) -> Iterator[tuple[str | None, object]]:
    """Give the named and the nameless parts of a container, an exception or an object; never raises."""
    try:
        if isinstance(value, dict):
            yield from [(_key_text(key), item) for key, item in dict.items(value)]

        elif isinstance(value, tuple) and len(value) == 2 and isinstance(value[0], str | bytes):  # noqa: PLR2004 (a pair)
            yield _key_text(value[0]), value[1]

        elif isinstance(value, list | tuple | set | frozenset):
            yield from [(None, item) for item in list(value)]

        else:
            yield from _attributes_of(value)
    except Exception:  # noqa: BLE001 (an object that cannot be looked into has nothing to tell)
        return


def _attributes_of(value: object) -> Iterator[tuple[str | None, object]]:
    if isinstance(value, type):
        return

    if isinstance(value, BaseException):
        yield from [(None, value.args), (None, value.__cause__), (None, value.__context__)]

        if isinstance(value, BaseExceptionGroup):
            yield None, value.exceptions

    slots = [name for kind in type(value).__mro__ for name in _slots_of(kind)]
    yield from [(name, getattr(value, name)) for name in slots if hasattr(value, name)]
    named = getattr(value, "__dict__", None)

    if isinstance(named, dict):
        yield from [(str(name), item) for name, item in list(named.items())]


def _slots_of(kind: type) -> tuple[str, ...]:
    slots = kind.__dict__.get("__slots__", ())
    return (slots,) if isinstance(slots, str) else tuple(slots)


def _is_array_of_numbers(value: object) -> bool:
    dtype = getattr(value, "dtype", None) if type(value).__module__ == "numpy" else None
    return getattr(dtype, "kind", "") in ("b", "i", "u", "f", "M", "m")


def _forms(secret: str) -> set[str]:
    """Give a secret as it may stand in texts: as it is, and escaped by Python, JSON and URLs."""
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
        return MASKED if str(abs(value)) in forms else value

    if kind in _BYTES:
        text = _key_text(value)
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
        name = _without_forms(key, forms) if type(key) is str and not (top and key in _STANDARD) else key
        copy[name] = item if top and key in _KEPT else _without(item, forms, done)

    return copy


def _without_forms(text: str, forms: list[str]) -> str:
    for form in forms:
        if form in text:
            text = text.replace(form, MASKED)

    return text
