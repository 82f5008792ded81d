"""Which keys the attributes of a part have, and where their values stand.

A sealed part has a column of its own for each frequent key: that key is promoted. Its value stands in the attributes
too, so that the columns of `COLUMNS` are always the whole event.

Rules:
1. A typed column is exact: each value of the key in that part is of its type, and NULL is absent or null.
2. Whatever is mixed, nested, or has a name with a dot is raw JSON text; null is the text `null` there.
3. Rows in memory and files of an older loghub have no such columns, and their keys are not known.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

ColumnKind: TypeAlias = Literal["text", "integer", "float", "boolean", "json"]


@dataclass(frozen=True, slots=True)
class Promoted:
    """The column of a promoted key, and what it has."""

    column: str
    kind: ColumnKind


@dataclass(frozen=True, slots=True, eq=False)
class Shape:
    """The keys of a part's attributes.

    Attributes:
        keys: keys with their columns, or with None where they have none.
        complete: whether there are no others.
    """

    keys: Mapping[str, Promoted | None] = field(default_factory=dict)
    complete: bool = False


UNKNOWN = Shape()
