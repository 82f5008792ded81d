"""What a store tells about many events at once: top values, names of fields, groups.

Rules:
1. A value counts under its text (`loghub.query.texts`); an event that lacks the field has none.
2. More comes before less; what is equal in number goes by its text.
3. `partial` says why events may be missing; it is None where none are.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from loghub.query.texts import Text

Kind: TypeAlias = Literal["string", "number", "bool", "object", "mixed"]
Key: TypeAlias = tuple[Text, ...]


@dataclass(frozen=True, slots=True)
class Partial:
    """Why events may be missing.

    Attributes:
        reason: in a sentence.
        scanned_to_us: the time up to which none are, in microseconds; None where that is not known.
    """

    reason: str
    scanned_to_us: int | None = None


@dataclass(frozen=True, slots=True)
class Facet:
    """The values of a field: how many there are, and the most frequent with their counts."""

    field: str
    distinct: int
    values: Sequence[tuple[str, int]]


@dataclass(frozen=True, slots=True)
class Facets:
    """A facet for each field that was asked for, in that order."""

    facets: Sequence[Facet]
    partial: Partial | None = None


@dataclass(frozen=True, slots=True)
class FieldCounts:
    """The names that a query may use, each with the kind of its values and in how many events it is."""

    fields: Mapping[str, tuple[Kind, int]]
    partial: Partial | None = None


@dataclass(frozen=True, slots=True)
class Grouping:
    """How events are grouped.

    Attributes:
        keys: each a choice of fields: the first that an event has is its key.
        limit: how many groups, the largest first.
        offset: how many of them are passed over.
        spark: in how many steps of time each group is counted.
        collect: a field whose values are collected for each group.
    """

    keys: Sequence[Sequence[str]]
    limit: int
    offset: int = 0
    spark: int = 0
    collect: str | None = None


@dataclass(frozen=True, slots=True)
class Group:
    """Events with the same key.

    Attributes:
        key: the texts of its fields; None where they have none.
        count: events.
        first_us: time of the oldest, in microseconds.
        last_us: time of the newest.
        newest: its arrival number; of several at that time, the one that arrived last.
        spark: counts by time, over the part of the span that the store's events take.
        collected: texts of the collected field, in order.
    """

    key: Key
    count: int
    first_us: int
    last_us: int
    newest: int
    spark: Sequence[int] = ()
    collected: Sequence[str] = field(default=())


@dataclass(frozen=True, slots=True)
class Groups:
    """A page of groups; `distinct` and `total` tell of all of them, in groups and in events."""

    groups: Sequence[Group]
    distinct: int
    total: int
    partial: Partial | None = None
