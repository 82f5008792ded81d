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

import dataclasses
import datetime as dt
import decimal
import enum
import uuid
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from loghub.errors import ConfigError
from loghub.event.encode import safe_text
from loghub.event.findings import BYTES, KEPT, STANDARD, Findings, items_of, key_text
from loghub.event.patterns import MASKED, Pattern, pattern_of
from loghub.event.spellings import Names, check_name
from loghub.event.values import is_json, known, type_name

_REPEATED = frozenset(("logger", "service", "hostname", "thread", "task", "module", "function", "file", "component"))
"""Keys with few values in all: what they become is remembered."""

_PLAIN = (bool, float, dt.date, dt.time, dt.timedelta, uuid.UUID, complex)
_SIMPLE = frozenset((str, int, float, bool, type(None)))
_MAX_DEPTH = 64
_MAX_PARTS = 100_000
_MAX_REMEMBERED = 4_096
_SHORTEST_CARD = 10**12


@dataclasses.dataclass(frozen=True, slots=True)
class _Key:
    """What is known of a top-level key once and for all.

    Attributes:
        name: the key, or what masking makes of it.
        kept: whether its value is never masked.
        hidden: whether its value is always masked.
        repeated: whether it has few values in all.
    """

    name: str
    kept: bool
    hidden: bool
    repeated: bool


class Mask:
    """Replace what the rules name.

    Args:
        rules: names of keys (any case, `*` is a wildcard) and patterns, as [password, "card_*", {pattern: email}].
        default: gives plain data for an object that JSON does not know; else it is that which `encode` takes.

    Raises:
        ConfigError: a rule that names nothing.
    """

    def __init__(self, rules: Sequence[str | Mapping[str, str]], default: Callable[[Any], Any] | None = None) -> None:
        names, self.patterns = _read(rules)
        self.names = Names(names)
        self._default = default
        self._has_names = bool(names)
        self._remembered: dict[str, str] = {}
        self._keys: dict[str, _Key] = {}

    def text(self, text: str) -> str:
        """Give a text without what the rules name."""
        try:
            if self._has_names:
                text = self.names.mask(text)

            if self.patterns:
                length, lowered = len(text), text.lower()

                for pattern in self.patterns:
                    if length >= pattern.shortest and pattern.hint in lowered:
                        text = pattern.regex.sub(pattern.replacement, text)
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
            return self._masked(fields, sources)
        except Exception as error:  # noqa: BLE001 (rather nothing than a secret)
            kept = {key: fields[key] for key in fields if key in KEPT}
            return {**kept, "message": MASKED, "format_error": f"{type(error).__name__} while the line was masked"}

    def number(self, value: Any) -> Any:  # noqa: ANN401 (an integer or a decimal, or a text)
        """Give a number, or what its text becomes where that is masked: the number of a card."""
        if -_SHORTEST_CARD < value < _SHORTEST_CARD or not self.patterns:
            return value

        text = safe_text(value)
        masked = self.text(text)
        return value if masked == text else masked

    def _masked(self, fields: dict[str, Any], sources: tuple[object, ...]) -> dict[str, Any]:
        # The loop is written out for the plain values that most keys have: this runs for each record.
        masked: dict[str, Any] = {}
        copy: _Copy | None = None
        keys = self._keys

        for key, value in fields.items():
            known = keys.get(key) or self._learned(key)
            kind = type(value)

            if known.kept:
                masked[key] = value

            elif known.hidden or kind not in _SIMPLE:
                copy = copy or _Copy(self, self._default)
                masked[known.name] = copy.item(key, value, 0)

            elif kind is str:
                masked[known.name] = self._repeated(value) if known.repeated else self.text(value)

            else:
                masked[known.name] = self.number(value) if kind is int else value

        if copy and copy.is_refused:
            masked["encode_fallback"] = True

        secrets = copy.secrets if copy else Findings(self.names)

        if self._has_names:
            secrets.gather(sources, fields.get("template"))

        return secrets.removed(masked) if secrets.found else masked

    def _learned(self, key: str) -> _Key:
        if len(self._keys) >= _MAX_REMEMBERED:
            self._keys.clear()

        name = key if key in STANDARD else self.text(key)
        known = _Key(name, kept=key in KEPT, hidden=self.names.has(key), repeated=key in _REPEATED)
        self._keys[key] = known
        return known

    def _repeated(self, text: str) -> str:
        """Give a text without what the rules name; what it becomes is looked up the next time."""
        known = self._remembered.get(text)

        if known is None:
            known = self.text(text)

            if len(self._remembered) >= _MAX_REMEMBERED:
                self._remembered.clear()

            self._remembered[text] = known

        return known


class _Copy:
    """One masked copy: what was copied already, and the secrets that were met."""

    def __init__(self, mask: Mask, default: Callable[[Any], Any] | None) -> None:
        self._mask = mask
        self._default = default
        self._done: dict[int, tuple[object, Any]] = {}
        self.secrets = Findings(mask.names)
        self.is_refused = False

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

    def _odd(self, value: Any, depth: int) -> Any:  # noqa: ANN401, PLR0911 (one answer for each kind of type)
        kind = type(value)  # not `isinstance`: an object may have its own idea of its class

        if issubclass(kind, str):
            return self._mask.text(str.__str__(value))

        if self._default is not None and not is_json(value):
            return self._object(value, depth) if depth < _MAX_DEPTH else MASKED

        if issubclass(kind, enum.Enum):
            return self.value(value.value, depth + 1) if depth < _MAX_DEPTH else MASKED

        if issubclass(kind, int) and not issubclass(kind, bool):
            return self._mask.number(int.__int__(value))

        if issubclass(kind, decimal.Decimal):
            return self._mask.number(value) if value.is_finite() else value

        if issubclass(kind, _PLAIN) or _is_array_of_numbers(value):
            return value

        if issubclass(kind, BYTES):
            return self._bytes(value)

        return self._parts(value, depth)

    def _bytes(self, value: bytes | bytearray | memoryview) -> Any:  # noqa: ANN401 (as it came, or a text)
        """Give bytes as they are, or as masked text where they hold what the rules name."""
        text = key_text(value)
        masked = self._mask.text(text)
        return value if masked == text else masked

    def _parts(self, value: Any, depth: int) -> Any:  # noqa: ANN401 (whatever a user logs)
        kind = type(value)
        done = self._done.get(id(value))

        if done is not None:
            return done[1]

        if depth >= _MAX_DEPTH or len(self._done) >= _MAX_PARTS:
            return f"<{type_name(value)}>"

        if issubclass(kind, dict):
            return self._mapping(value, dict.items(value), depth)

        if "__dataclass_fields__" in vars(kind):
            names = [field.name for field in dataclasses.fields(kind) if not field.name.startswith("_")]
            return self._mapping(value, [(name, getattr(value, name)) for name in names], depth)

        if issubclass(kind, list | tuple | set | frozenset):
            return self._sequence(value, items_of(value), depth)

        return self._object(value, depth)

    def _mapping(self, value: object, items: Iterable[tuple[Any, Any]], depth: int) -> dict[Any, Any]:
        copy: dict[Any, Any] = {}
        self._done[id(value)] = (value, copy)

        for key, item in list(items):
            name = key_text(key)
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

    def _sequence(self, value: object, parts: Iterable[Any], depth: int) -> list[Any]:
        copy: list[Any] = []
        self._done[id(value)] = (value, copy)
        items = list(parts)

        # A pair as ("authorization", "…"), of which lists of headers are made.
        if type(value) is tuple and len(items) == 2 and issubclass(type(items[0]), str | bytes):  # noqa: PLR2004
            copy += (self.value(items[0], depth + 1), self.item(key_text(items[0]), items[1], depth + 1))
            return copy

        copy.extend(self.value(item, depth + 1) for item in items)
        return copy

    def _object(self, value: object, depth: int) -> Any:  # noqa: ANN401 (plain data)
        if self._mask.names:
            self.secrets.gather((value,))

        plain = self._plain(value)

        if issubclass(type(plain), dict):
            return self._mapping(value, dict.items(plain), depth)

        if issubclass(type(plain), list | tuple) and plain is not value:
            return self._sequence(value, plain, depth)

        return self._mask.text(safe_text(value)) if plain is value else self.value(plain, depth + 1)

    def _plain(self, value: object) -> Any:  # noqa: ANN401 (plain data)
        """Give what the line would hold for an object."""
        for form in (self._default, known):
            try:
                if form is not None:
                    return form(value)
            except Exception:  # noqa: BLE001 (a user's code may raise anything; the next form will do)
                self.is_refused = True

        return value


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


def _is_array_of_numbers(value: object) -> bool:
    dtype = getattr(value, "dtype", None) if type(value).__module__ == "numpy" else None
    return getattr(dtype, "kind", "") in ("b", "i", "u", "f", "M", "m")
