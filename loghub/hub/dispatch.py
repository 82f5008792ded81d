"""Which of many queries events match: what can be looked up is looked up, closures test the rest.

Rules:
1. What a query asks of an event's service, logger and level is decided once for each triple of them that occurs.
   A query that asks for nothing else is decided with it; of others the rest is tested, where the triple fits and
   the event has the field that the rest needs.
2. A query that only an event with a certain value of another field can match (`user.id:42 level>=info`,
   `host:(a OR b)`) stands under these values, one that needs a text in the message under that text. The
   look-up may find too many, never too few: what it finds is tested whole.
3. Equal queries are one: it is tested once, whoever asks.
4. Events are looked at many at a time: one search for a text goes through the messages of all.

Nothing here knows subscribers, threads or stores.
"""

import math
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import accumulate
from typing import Any, Generic, TypeAlias, TypeVar

from loghub.event.model import Event, JSONValue
from loghub.query import tree
from loghub.query.fields import reader
from loghub.query.predicate import Predicate, predicate
from loghub.query.values import fold, number_literal

Probe: TypeAlias = Callable[[Event], Iterable[Hashable]]
Value: TypeAlias = tuple[str, Hashable]
Kind: TypeAlias = tuple[JSONValue, ...]

_T = TypeVar("_T")

_KIND = frozenset(("level", "levelno", "service", "logger"))
_ON_ALL = frozenset(("level", "levelno", "timestamp", "exception"))  # no keys, or keys that every event has
_MOST_KINDS = 10_000  # known at a time
_NOTHING: tuple[Hashable, ...] = ()
_RECOMPILE_US = 10_000_000  # microseconds for which a relative time in a query may stand still


@dataclass(eq=False, slots=True)
class Group(Generic[_T]):
    """All that ask for the same.

    Attributes:
        query: what for.
        matches: tests an event.
        of_kind: tests what it asks of service, logger and level; None where that is nothing.
        rest: tests what else it asks; None where that is nothing.
        needed: a key that an event must have to match; "" where there is none to be told.
        members: who asks.
    """

    query: tree.Query
    matches: Predicate
    of_kind: Predicate | None
    rest: Predicate | None
    needed: str
    members: list[_T] = field(default_factory=list)


Found: TypeAlias = defaultdict[Group[_T], list[int]]


@dataclass(slots=True)
class _Known(Generic[_T]):
    """What is known of events of one service, logger and level.

    Attributes:
        sure: who matches.
        open: who may, with what is left to test, by the key without which it fails; "" where there is none.
    """

    sure: list[Group[_T]]
    open: Mapping[str, Sequence[tuple[Predicate, Group[_T]]]]


class Dispatch(Generic[_T]):
    """Queries, and who asked them.

    Args:
        now_us: what relative times are relative to, in microseconds, until `tick` says otherwise.
    """

    def __init__(self, now_us: int) -> None:
        self._now_us = now_us
        self._groups: dict[tree.Query, Group[_T]] = {}
        self._known: dict[Kind, _Known[_T]] = {}
        self._by_kind: list[Group[_T]] = []
        self._by_value: dict[str, tuple[Probe, dict[Hashable, list[Group[_T]]]]] = {}
        self._by_text: dict[str, list[Group[_T]]] = {}

    def __len__(self) -> int:
        return len(self._groups)

    def tick(self, now_us: int) -> None:
        """Move what is relative to now along with the clock, within seconds."""
        if abs(now_us - self._now_us) < _RECOMPILE_US:
            return

        self._now_us = now_us
        self._known.clear()

        for group in self._groups.values():
            group.matches, group.of_kind, group.rest = self._tests(group.query)

    def add(self, query: tree.Query, member: _T) -> None:
        """Let a member ask for what matches a query.

        Raises:
            MissingExtraError: as `predicate`.
            ValueError: as `predicate`.
        """
        group = self._groups.get(query)

        if group is None:
            group = Group(query, *self._tests(query), _needed(query))
            self._groups[query] = group

            for place in self._places(group):
                place.append(group)

            self._known.clear()

        group.members.append(member)

    def remove(self, query: tree.Query, member: _T) -> None:
        """Let a member go; one that is not there is none."""
        group = self._groups.get(query)

        if group is None or member not in group.members:
            return

        group.members.remove(member)

        if not group.members:
            del self._groups[query]

            for place in self._places(group):
                place.remove(group)

            self._known.clear()
            self._tidy()

    def find(self, events: Sequence[Event]) -> Mapping[Group[_T], Sequence[int]]:
        """Give the groups whose query events match, and the places of these events, in order."""
        found: Found[_T] = defaultdict(list)
        self._find_by_kind(events, found)

        for name, (probe, under) in self._by_value.items():
            _find_by_value(name, probe, under, events, found)

        if self._by_text:
            self._find_by_text(events, found)

        return {group: sorted(set(places)) for group, places in found.items()}

    def _find_by_kind(self, events: Sequence[Event], found: Found[_T]) -> None:
        knowns: list[_Known[_T]] = []

        for place, event in enumerate(events):
            get = event.fields.get
            kind = (event.severity, get("level"), get("service"), get("logger"))
            known = self._known.get(kind) or self._learn(kind, event)
            knowns.append(known)

            for group in known.sure:
                found[group].append(place)

        for key in {group.needed for group in self._by_kind if group.rest is not None}:
            for place, event in enumerate(events):
                if not key or key in event.fields:
                    for rest, group in knowns[place].open.get(key, ()):
                        if rest(event):
                            found[group].append(place)

    def _learn(self, kind: Kind, event: Event) -> _Known[_T]:
        """Decide for an event's kind what can be."""
        fitting = [group for group in self._by_kind if group.of_kind is None or group.of_kind(event)]
        left: defaultdict[str, list[tuple[Predicate, Group[_T]]]] = defaultdict(list)

        for group in fitting:
            if group.rest is not None:
                left[group.needed].append((group.rest, group))

        known = _Known([group for group in fitting if group.rest is None], left)

        if len(self._known) >= _MOST_KINDS:
            self._known.clear()

        self._known[kind] = known
        return known

    def _find_by_text(self, events: Sequence[Event], found: Found[_T]) -> None:
        """Look for each text in all messages at once."""
        texts = list(map(_text, events))
        everything = fold("\n".join(texts))
        starts = list(accumulate((len(text) + 1 for text in texts), initial=0))

        for part, groups in self._by_text.items():
            at = everything.find(part)

            while at >= 0:
                place = bisect_right(starts, at) - 1

                for group in groups:
                    if group.matches(events[place]):  # what was found over the seam of two messages does not
                        found[group].append(place)

                at = everything.find(part, starts[place + 1])

    def _tests(self, query: tree.Query) -> tuple[Predicate, Predicate | None, Predicate | None]:
        """Compile a query as a whole, and in two parts."""
        parts = query.parts if isinstance(query, tree.And) else (query,)
        of_kind = [part for part in parts if _is_of_kind(part)]
        rest = [part for part in parts if not _is_of_kind(part)]

        def compiled(asked: Sequence[tree.Query]) -> Predicate | None:
            return predicate(tree.both(asked), now_us=self._now_us) if asked else None

        return predicate(query, now_us=self._now_us), compiled(of_kind), compiled(rest)

    def _places(self, group: Group[_T]) -> list[list[Group[_T]]]:
        """Give the lists in which a group stands: those of its values or texts, else that of all that go by kind."""
        values = _values_of(group.query)

        if values is not None:
            return [self._under(name).setdefault(value, []) for name, value in values]

        texts = _texts_of(group.query) if group.of_kind is None else None
        return [self._by_kind] if texts is None else [self._by_text.setdefault(text, []) for text in texts]

    def _under(self, name: str) -> dict[Hashable, list[Group[_T]]]:
        if name not in self._by_value:
            self._by_value[name] = (_probe(name), {})

        return self._by_value[name][1]

    def _tidy(self) -> None:
        """Forget values and texts under which nothing stands."""
        self._by_text = {text: groups for text, groups in self._by_text.items() if groups}

        for name, (probe, under) in list(self._by_value.items()):
            left = {value: groups for value, groups in under.items() if groups}
            self._by_value[name] = (probe, left)

            if not left:
                del self._by_value[name]


def _find_by_value(
    name: str,
    probe: Probe,
    under: Mapping[Hashable, Sequence[Group[_T]]],
    events: Sequence[Event],
    found: Found[_T],
) -> None:
    places: Iterable[int] = range(len(events))

    if _is_key(name):
        places = [place for place, event in enumerate(events) if name in event.fields]

    for place in places:
        event = events[place]

        for value in probe(event):
            if value in under:
                for group in under[value]:
                    if group.matches(event):
                        found[group].append(place)


def _text(event: Event) -> str:
    """Give the texts in which a query looks for words."""
    message, trace = event.fields.get("message"), event.fields.get("exc_info")
    text = message if isinstance(message, str) else ""
    return f"{text}\n{trace}" if isinstance(trace, str) else text


def _is_key(name: str) -> bool:
    """Tell whether a field is there only where the line has a key of its name."""
    return "." not in name and name not in _ON_ALL


def _needed(query: tree.Query) -> str:
    """Give a key that an event must have to match; "" where there is none to be told."""
    if isinstance(query, tree.And):
        return next(filter(None, map(_needed, query.parts)), "")

    if isinstance(query, tree.Or):
        keys = set(map(_needed, query.parts))
        return keys.pop() if len(keys) == 1 else ""

    name = "" if isinstance(query, tree.Not) else getattr(query, "field", "")
    return name if _is_key(name) and name not in _KIND else ""


def _is_of_kind(query: tree.Query) -> bool:
    """Tell whether service, logger and level decide a query."""
    if isinstance(query, tree.And | tree.Or):
        return all(map(_is_of_kind, query.parts))

    if isinstance(query, tree.Not):
        return _is_of_kind(query.part)

    return isinstance(query, tree.Everything) or getattr(query, "field", None) in _KIND


def _values_of(query: tree.Query) -> frozenset[Value] | None:
    """Give values of which an event that matches has at least one; None where there are none to be told."""
    if isinstance(query, tree.Equals):
        return _spellings(query)

    if isinstance(query, tree.And):
        return min(filter(None, map(_values_of, query.parts)), key=len, default=None)

    return _of_any(query, _values_of)


def _texts_of(query: tree.Query) -> frozenset[str] | None:
    """Give texts of which an event that matches has at least one in its message or traceback, in lower case."""
    if isinstance(query, tree.Contains):
        return frozenset((fold(max(query.pattern.parts, key=len)),))

    if isinstance(query, tree.And):
        return min(filter(None, map(_texts_of, query.parts)), key=_likely, default=None)

    return _of_any(query, _texts_of)


def _likely(texts: frozenset[str]) -> tuple[int, int]:
    """Put few long texts before many short ones."""
    return len(texts), -min(map(len, texts))


def _of_any(query: tree.Query, told: Callable[[Any], frozenset[Any] | None]) -> frozenset[Any] | None:
    if not isinstance(query, tree.Or):
        return None

    found = [told(part) for part in query.parts]
    return None if None in found else frozenset().union(*filter(None, found))


def _spellings(query: tree.Equals) -> frozenset[Value] | None:
    """Give what may stand in an event for the value of a query: the text, and the number that it says."""
    if len(query.pattern.parts) > 1 or query.field == "timestamp" or query.field in _KIND:
        return None

    text = query.pattern.parts[0]
    number = number_literal(text)

    try:
        values: tuple[Hashable, ...] = (text,) if number is None else (text, float(number))
    except OverflowError:
        return None

    return frozenset((query.field, value) for value in values)


def _probe(name: str) -> Probe:
    """Give the function that tells under which values an event finds its queries."""
    read = reader(name)

    def probe(event: Event) -> Iterable[Hashable]:
        value = read(event)

        if value is None:
            return _NOTHING

        if isinstance(value, str):
            return (value,)

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
