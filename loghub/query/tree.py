"""The tree of a query: what a filter expression says, as data.

Each node is frozen and prints, by `str`, as a query that parses to the same tree. The
parser builds canonical trees only: `both`, `either` and `negated` flatten what is nested
and drop what changes nothing. A tree knows nothing of events or of SQL.

A later stage (`| count by service`) wraps a tree; it is never a part of one.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal, TypeAlias

Operator: TypeAlias = Literal["<", "<=", ">", ">="]

KEYWORDS = frozenset(("AND", "OR", "NOT"))

ALIASES = {"ts": "timestamp", "host": "hostname"}
"""Short names that a query may use; a tree has the long ones. In quotes, the name is meant literally."""

_ESCAPES = {'"': '\\"', "\\": "\\\\", "\n": "\\n", "\r": "\\r", "\t": "\\t"}
_ESCAPED_OR_SLASH = re.compile(r"\\.|/", re.DOTALL)
_NAME_MARKS = "_.-@/"
_VALUE_MARKS = "_.-@/:,+"


@dataclass(frozen=True, slots=True)
class Pattern:
    """A text with wildcards: `parts` are the texts between them.

    One part is a plain text; `("web-", "")` is `web-*`.
    """

    parts: tuple[str, ...]

    def __str__(self) -> str:
        return "*".join(_print_value(part) if part or len(self.parts) == 1 else "" for part in self.parts)


@dataclass(frozen=True, slots=True)
class Everything:
    """Matches every event: the empty query."""

    def __str__(self) -> str:
        return "*"


@dataclass(frozen=True, slots=True)
class Contains:
    """The message or the exception text has this in it, in any case."""

    pattern: Pattern

    def __str__(self) -> str:
        return "*".join(_print_word(part) for part in self.pattern.parts)


@dataclass(frozen=True, slots=True)
class Equals:
    """A field has this value: `service:api`, `host:web-*`."""

    field: str
    pattern: Pattern

    def __str__(self) -> str:
        return f"{print_name(self.field)}:{self.pattern}"


@dataclass(frozen=True, slots=True)
class Present:
    """A field is there: `field:*`."""

    field: str

    def __str__(self) -> str:
        return f"{print_name(self.field)}:*"


@dataclass(frozen=True, slots=True)
class Matches:
    """A regular expression in RE2's syntax is found in a field: `message:/job [0-9]+/`."""

    field: str
    regex: str

    def __str__(self) -> str:
        return f"{print_name(self.field)}:/{_print_regex(self.regex)}/"


@dataclass(frozen=True, slots=True)
class Compare:
    """A field is ordered: by number, `timestamp` by time, `level` by severity.

    Attributes:
        field: its name.
        operator: the side on which it lies.
        value: as it was written, so that `-15m` stays relative.
    """

    field: str
    operator: Operator
    value: str

    def __str__(self) -> str:
        return f"{print_name(self.field)}{self.operator}{_print_value(self.value)}"


@dataclass(frozen=True, slots=True)
class Not:
    """The part does not match."""

    part: "Query"

    def __str__(self) -> str:
        return f"-{_print_part(self.part)}"


@dataclass(frozen=True, slots=True)
class And:
    """All parts match; two or more."""

    parts: "tuple[Query, ...]"

    def __str__(self) -> str:
        return " ".join(map(_print_part, self.parts))


@dataclass(frozen=True, slots=True)
class Or:
    """At least one part matches; two or more."""

    parts: "tuple[Query, ...]"

    def __str__(self) -> str:
        return " OR ".join(map(_print_part, self.parts))


Query: TypeAlias = Everything | Contains | Equals | Present | Matches | Compare | Not | And | Or


def both(queries: Iterable[Query]) -> Query:
    """Join queries that must all match."""
    parts: list[Query] = []

    for query in queries:
        if isinstance(query, And):
            parts.extend(query.parts)

        elif not isinstance(query, Everything):
            parts.append(query)

    if not parts:
        return Everything()

    return And(tuple(parts)) if len(parts) > 1 else parts[0]


def either(queries: Iterable[Query]) -> Query:
    """Join queries of which one must match; at least one is given."""
    parts: list[Query] = []

    for query in queries:
        parts.extend(query.parts if isinstance(query, Or) else (query,))

    return Or(tuple(parts)) if len(parts) > 1 else parts[0]


def negated(query: Query) -> Query:
    """Turn a query around."""
    return query.part if isinstance(query, Not) else Not(query)


def is_name_mark(character: str) -> bool:
    """Tell whether a field's name may have this character without quotes."""
    return character.isalnum() or character in _NAME_MARKS


def _print_part(query: Query) -> str:
    return f"({query})" if isinstance(query, And | Or) else str(query)


def print_name(name: str) -> str:
    """Write the name of a field, in quotes where it needs them."""
    plain = name and all(map(is_name_mark, name)) and name[0] != "-" and name not in ALIASES
    return name if plain else _quote(name)


def _print_value(text: str) -> str:
    plain = text and all(c.isalnum() or c in _VALUE_MARKS for c in text) and text[0] != "/"
    return text if plain else _quote(text)


def _print_word(text: str) -> str:
    plain = text and all(map(is_name_mark, text)) and text[0] != "-" and text not in KEYWORDS
    return text if plain else _quote(text)


def _quote(text: str) -> str:
    return f'"{"".join(_ESCAPES.get(character, character) for character in text)}"'


def _print_regex(regex: str) -> str:
    return _ESCAPED_OR_SLASH.sub(lambda found: "\\/" if found[0] == "/" else found[0], regex)
