"""Which of many queries an event matches: a look-up by values that they ask for, and closures behind it.

Rules:
1. A query that only an event with a certain value of a field can match (`service:api level>=error`,
   `service:(api OR web)`) stands under these values. An event is tested with what it finds under its own.
2. The look-up may find too many queries, never too few: what it finds is tested whole. A query without
   such a value is tested with each event.
3. Equal queries are one: it is tested once, whoever asks.

Nothing here knows subscribers, threads or stores.
"""

import math
from collections.abc import Callable, Hashable, Iterable
from dataclasses import dataclass, field
from typing import Any, Generic, TypeAlias, TypeVar

from loghub.event.model import Event, JSONValue
from loghub.query import tree
from loghub.query.fields import reader
from loghub.query.predicate import Predicate, predicate, severity_of
from loghub.query.values import number_literal

Probe: TypeAlias = Callable[[Event], Iterable[Hashable]]
Value: TypeAlias = tuple[str, Hashable]

_T = TypeVar("_T")

_SEVERITY = "levelno"
_FIRST_CHOICE = frozenset(("request_id", "trace_id", "span_id"))  # few events have the same
_LAST_CHOICE = frozenset((_SEVERITY, "logger"))
_NOTHING: tuple[Hashable, ...] = ()
_RECOMPILE_US = 10_000_000  # microseconds for which a relative time in a query may stand still


@dataclass(eq=False, slots=True)
class Group(Generic[_T]):
    """All that ask for the same.

    Attributes:
        query: what for.
        values: one of these an event must have; None where any may match.
        matches: tests an event.
        members: who asks.
    """

    query: tree.Query
    values: frozenset[Value] | None
    matches: Predicate
    members: list[_T] = field(default_factory=list)


class Dispatch(Generic[_T]):
    """Queries, and who asked them.

    Args:
        now_us: what relative times are relative to, in microseconds, until `tick` says otherwise.
    """

    def __init__(self, now_us: int) -> None:
        self._now_us = now_us
        self._groups: dict[tree.Query, Group[_T]] = {}
        self._under: dict[str, dict[Hashable, list[Group[_T]]]] = {}
        self._probes: list[tuple[Probe, dict[Hashable, list[Group[_T]]]]] = []
        self._rest: list[Group[_T]] = []

    def __len__(self) -> int:
        return len(self._groups)

    def tick(self, now_us: int) -> None:
        """Move what is relative to now along with the clock, within seconds."""
        if abs(now_us - self._now_us) < _RECOMPILE_US:
            return

        self._now_us = now_us

        for group in self._groups.values():
            group.matches = predicate(group.query, now_us=now_us)

    def add(self, query: tree.Query, member: _T) -> None:
        """Let a member ask for what matches a query.

        Raises:
            MissingExtraError: as `predicate`.
            ValueError: as `predicate`.
        """
        group = self._groups.get(query)

        if group is None:
            group = Group(query, _values_of(query), predicate(query, now_us=self._now_us))
            self._groups[query] = group
            self._enter(group)

        group.members.append(member)

    def remove(self, query: tree.Query, member: _T) -> None:
        """Let a member go; one that is not there is none."""
        group = self._groups.get(query)

        if group is None or member not in group.members:
            return

        group.members.remove(member)

        if not group.members:
            del self._groups[query]
            self._strike(group)

    def find(self, event: Event) -> list[Group[_T]]:
        """Give the groups whose query an event matches, each once."""
        found = [group for group in self._rest if group.matches(event)]

        for probe, under in self._probes:
            for value in probe(event):
                groups = under.get(value)

                if groups is not None:
                    found += [group for group in groups if group not in found and group.matches(event)]

        return found

    def _enter(self, group: Group[_T]) -> None:
        if group.values is None:
            self._rest.append(group)
            return

        for name, value in group.values:
            if name not in self._under:
                self._under[name] = {}
                self._probes.append((_probe(name), self._under[name]))

            self._under[name].setdefault(value, []).append(group)

    def _strike(self, group: Group[_T]) -> None:
        if group.values is None:
            self._rest.remove(group)
            return

        for name, value in group.values:
            under = self._under[name]
            under[value].remove(group)

            if not under[value]:
                del under[value]

            if not under:
                del self._under[name]
                self._probes = [(probe, values) for probe, values in self._probes if values is not under]


def _values_of(query: tree.Query) -> frozenset[Value] | None:
    """Give values of which an event that matches has at least one; None where there are none to be told."""
    return _VALUES.get(type(query), _no_values)(query)


def _no_values(_query: tree.Query) -> None:
    """Tell nothing of what asks for more than an equal value."""


def _of_equals(query: tree.Equals) -> frozenset[Value] | None:
    if len(query.pattern.parts) > 1 or query.field == "timestamp":
        return None

    text = query.pattern.parts[0]

    if query.field == "level":
        text = severity_of(text)
        return _spellings(_SEVERITY, text) if number_literal(text) is not None else None

    return _spellings(query.field, text)


def _spellings(name: str, text: str) -> frozenset[Value] | None:
    """Give what may stand in an event for a value of a query: the text, and the number that it says."""
    number = number_literal(text)

    try:
        return frozenset([(name, text)] if number is None else [(name, text), (name, float(number))])
    except OverflowError:
        return None


def _of_and(query: tree.And) -> frozenset[Value] | None:
    """Choose the part that the fewest events are likely to match."""
    known = [values for part in query.parts if (values := _values_of(part)) is not None]
    return min(known, key=_likely, default=None)


def _likely(values: frozenset[Value]) -> tuple[int, int]:
    names = {name for name, _ in values}
    return 0 if names <= _FIRST_CHOICE else 2 if names & _LAST_CHOICE else 1, len(values)


def _of_or(query: tree.Or) -> frozenset[Value] | None:
    found: set[Value] = set()

    for part in query.parts:
        values = _values_of(part)

        if values is None:
            return None

        found |= values

    return frozenset(found)


_VALUES: dict[type, Callable[[Any], frozenset[Value] | None]] = {
    tree.Equals: _of_equals,
    tree.And: _of_and,
    tree.Or: _of_or,
}


def _probe(name: str) -> Probe:
    """Give the function that tells under which values an event finds its queries."""
    return _SPECIAL.get(name) or _of_field(name)


def _of_field(name: str) -> Probe:
    read = reader(name)

    def probe(event: Event) -> Iterable[Hashable]:
        value = read(event)

        if isinstance(value, str):
            return (value,)

        if value is None:
            return _NOTHING

        return {key for item in value if (key := _key(item)) is not None} if isinstance(value, list) else (_key(value),)

    return probe


def _key(value: JSONValue) -> Hashable:
    if isinstance(value, str):
        return value

    if isinstance(value, bool):
        return "true" if value else "false"

    if not isinstance(value, int | float):
        return None

    try:
        return float(value)
    except OverflowError:
        return math.inf if value > 0 else -math.inf


def _loggers(event: Event) -> Iterable[Hashable]:
    """Give a logger and those that it is a child of."""
    name = event.fields.get("logger")

    if not isinstance(name, str):
        return _NOTHING

    names = [name]

    while (end := name.rfind(".")) >= 0:
        name = name[:end]
        names.append(name)

    return names


def _severities(event: Event) -> Iterable[Hashable]:
    return (float(event.severity),)


_SPECIAL: dict[str, Probe] = {"logger": _loggers, _SEVERITY: _severities}
