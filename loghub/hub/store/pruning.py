"""Whether an event of a part can match a query, by what is known of the part: False is certain.

Rules:
1. AND needs all of its parts, OR one of them. NOT is not looked into: what is ruled out without it may match with it.
2. A value is looked for under each text that equals it: `42.0` may be 42.
3. What is not known may match.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from loghub.hub.store.field_sql import INTEGER_COLUMNS, TEXT_COLUMNS, locate
from loghub.hub.store.outline import Outline, token
from loghub.hub.store.shape import Shape
from loghub.query import tree
from loghub.query.predicate import severity_of
from loghub.query.values import EXACT, fold, number_literal, wildcard

_ALWAYS_THERE = ("timestamp", "level", "levelno")


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of a part.

    Attributes:
        shape: its keys.
        outline: the values of its fields.
        hashes: the engine's hash of each of `tokens(query)`.
    """

    shape: Shape
    outline: Outline
    hashes: Mapping[str, int]


def may_match(query: tree.Query, known: Known) -> bool:
    """Tell whether an event of the part may match."""
    test = _TESTS.get(type(query))
    return test is None or test(query, known)


def tokens(query: tree.Query) -> Iterator[str]:
    """Give what `may_match` needs the hashes of."""
    if isinstance(query, tree.And | tree.Or):
        for part in query.parts:
            yield from tokens(part)

    elif isinstance(query, tree.Equals) and len(query.pattern.parts) == 1:
        for text in _texts(query.field, query.pattern.parts[0]):
            yield token(query.field, text)


def _texts(field: str, text: str) -> Iterator[str]:
    """Give the texts of the values that equal a query's text, those of floats apart."""
    yield text
    number = None if field in TEXT_COLUMNS else number_literal(text)

    if number is not None and abs(number) < EXACT and number == int(number):
        yield str(int(number))


def _equals(query: tree.Equals, known: Known) -> bool:
    parts = query.pattern.parts
    values = known.outline.values.get(query.field)

    if query.field == "level":
        return _equals_level(query.pattern, known.outline)

    if query.field == "timestamp":
        return True

    if len(parts) > 1:
        test = wildcard(query.pattern)
        return _is_there(query.field, known) and (values is None or any(map(test, values)))

    if query.field == "logger":
        return values is None or any(name == parts[0] or name.startswith(parts[0] + ".") for name in values)

    return _is_there(query.field, known) and _equals_plain(query.field, parts[0], known)


def _equals_level(pattern: tree.Pattern, outline: Outline) -> bool:
    number = number_literal(severity_of(pattern.parts[0])) if len(pattern.parts) == 1 else None
    found = outline.values.get("level" if number is None else "levelno")

    if found is None:
        return True

    if number is not None:
        return any(int(text) == number for text in found)

    test = wildcard(tree.Pattern(tuple(map(fold, pattern.parts)))) if len(pattern.parts) > 1 else None
    return any(test(fold(text)) if test else fold(text) == fold(pattern.parts[0]) for text in found)


def _equals_plain(field: str, text: str, known: Known) -> bool:
    number = None if field in TEXT_COLUMNS else number_literal(text)

    if number is not None and (abs(number) >= EXACT or field in known.outline.filter.floats):
        return True

    return known.outline.may_equal(field, list(_texts(field, text)), known.hashes)


def _is_there(field: str, known: Known) -> bool:
    if field in _ALWAYS_THERE:
        return True

    if field in TEXT_COLUMNS or field in INTEGER_COLUMNS:
        return known.outline.values.get(field) != {}

    return locate(field, known.shape).kind != "absent"


def _present(query: tree.Present, known: Known) -> bool:
    return query.field == "exception" or _is_there(query.field, known)


def _matches(query: tree.Matches, known: Known) -> bool:
    return _is_there(query.field, known)


def _compare(query: tree.Compare, known: Known) -> bool:
    return _is_there(query.field, known)


def _and(query: tree.And, known: Known) -> bool:
    return all(may_match(part, known) for part in query.parts)


def _or(query: tree.Or, known: Known) -> bool:
    return any(may_match(part, known) for part in query.parts)


_TESTS: Mapping[type, Callable[[Any, Known], bool]] = {
    tree.Equals: _equals,
    tree.Present: _present,
    tree.Matches: _matches,
    tree.Compare: _compare,
    tree.And: _and,
    tree.Or: _or,
}
