"""Tree → a function that tells whether an event matches, out of small closures.

What is asked for is decided here; how a field is found stands in `fields`, how values compare in `values`.
`loghub.hub.store.sql` gives the same answers in SQL: a property test holds them together.
"""

from collections.abc import Callable
from typing import Any, TypeAlias

from loghub.event.model import Event, level_number
from loghub.query import tree
from loghub.query.fields import reader
from loghub.query.regex import regex_search
from loghub.query.times import parse_moment
from loghub.query.values import ORDER, Test, equals, fold, number_literal, on_text, ordered, wildcard

Predicate: TypeAlias = Callable[[Event], bool]


def predicate(query: tree.Query, *, now_us: int) -> Predicate:
    """Compile a query.

    Args:
        query: the tree.
        now_us: what relative times are relative to, in microseconds.

    Raises:
        MissingExtraError: the query has a regular expression and google-re2 is not installed.
        ValueError: a tree that was not parsed has a wrong time, number or regular expression.
    """
    return _COMPILERS[type(query)](query, now_us)


def severity_of(text: str) -> str:
    """Give the number that a query means by a level's name; any other text as it is."""
    known = level_number(text)
    return text if known is None else str(known)


def _everything(_query: tree.Everything, _now_us: int) -> Predicate:
    return lambda _event: True


def _contains(query: tree.Contains, _now_us: int) -> Predicate:
    parts = tuple(map(fold, query.pattern.parts))
    whole = wildcard(tree.Pattern(("", *parts, "")))
    only = parts[0]

    def found(text: object) -> bool:
        if not isinstance(text, str):
            return False

        return only in fold(text) if len(parts) == 1 else whole(fold(text))

    def matches(event: Event) -> bool:
        return found(event.fields.get("message")) or found(event.fields.get("exc_info"))

    return matches


def _equals(query: tree.Equals, now_us: int) -> Predicate:
    if query.field == "level":
        return _equals_level(query.pattern)

    if query.field == "timestamp":
        moment = parse_moment("*".join(query.pattern.parts), now_us)
        return lambda event: event.time_us == moment

    if query.field == "logger" and len(query.pattern.parts) == 1:
        return _in_logger(query.pattern.parts[0])

    return _any_value(query.field, equals(query.pattern))


def _equals_level(pattern: tree.Pattern) -> Predicate:
    text = severity_of(pattern.parts[0]) if len(pattern.parts) == 1 else ""

    if number_literal(text) is not None:
        same_number = equals(tree.Pattern((text,)))
        return lambda event: same_number(event.severity)

    same = equals(tree.Pattern(tuple(map(fold, pattern.parts))))
    return lambda event: same(fold(str(event.fields.get("level", ""))))


def _in_logger(name: str) -> Predicate:
    children = name + "."

    def matches(event: Event) -> bool:
        logger = event.fields.get("logger")
        return isinstance(logger, str) and (logger == name or logger.startswith(children))

    return matches


def _present(query: tree.Present, _now_us: int) -> Predicate:
    if query.field == "exception":
        return lambda event: bool(event.fields.get("exception"))

    read = reader(query.field)
    return lambda event: read(event) is not None


def _matches(query: tree.Matches, _now_us: int) -> Predicate:
    if query.field == "timestamp":
        raise ValueError("a time has no text for a regular expression: compare it, as in timestamp>-15m")

    return _any_value(query.field, on_text(regex_search(query.regex)))


def _compare(query: tree.Compare, now_us: int) -> Predicate:
    if query.field == "timestamp":
        moment = parse_moment(query.value, now_us)
        lies = ORDER[query.operator]
        return lambda event: lies(event.time_us, moment)

    if query.field == "level":
        test = ordered(query.operator, float(severity_of(query.value)))
        return lambda event: test(event.severity)

    return _any_value(query.field, ordered(query.operator, float(query.value)))


def _any_value(field: str, test: Test) -> Predicate:
    """Test the value of a field; of a list, whether any element passes."""
    read = reader(field)

    def matches(event: Event) -> bool:
        value = read(event)
        return any(map(test, value)) if isinstance(value, list) else test(value)

    return matches


def _not(query: tree.Not, now_us: int) -> Predicate:
    part = predicate(query.part, now_us=now_us)
    return lambda event: not part(event)


def _and(query: tree.And, now_us: int) -> Predicate:
    parts = tuple(predicate(part, now_us=now_us) for part in query.parts)

    def matches(event: Event) -> bool:
        for part in parts:  # noqa: SIM110 (a loop is twice as fast as all() over a generator)
            if not part(event):
                return False

        return True

    return matches


def _or(query: tree.Or, now_us: int) -> Predicate:
    parts = tuple(predicate(part, now_us=now_us) for part in query.parts)

    def matches(event: Event) -> bool:
        for part in parts:  # noqa: SIM110 (a loop is twice as fast as any() over a generator)
            if part(event):
                return True

        return False

    return matches


_COMPILERS: dict[type, Callable[[Any, int], Predicate]] = {
    tree.Everything: _everything,
    tree.Contains: _contains,
    tree.Equals: _equals,
    tree.Present: _present,
    tree.Matches: _matches,
    tree.Compare: _compare,
    tree.Not: _not,
    tree.And: _and,
    tree.Or: _or,
}
