"""Counts over all rows of a hot part, kept: rows only ever join it, so what was counted stays true.

What is kept covers the rows up to an arrival number. A read counts those behind it, and keeps the sum: while records
come in, it looks at the newest alone. A part that is sealed, or written again, begins anew.
"""

from collections.abc import Callable, Mapping
from typing import TypeVar

from loghub.hub.store.condition import Where
from loghub.hub.store.partitions import Counted, Part
from loghub.hub.store.source import Source

_V = TypeVar("_V")
_MOST_KINDS = 200  # of counts that are kept of one part


def kept_counts(
    source: Source,
    part: Part,
    kind: str,
    count: Callable[[Where], Mapping[str, _V]],
    add: Callable[[Mapping[str, _V], Mapping[str, _V]], Mapping[str, _V]],
    most: int,
) -> Mapping[str, _V] | None:
    """Give what is counted over the rows of a hot part, at least those that it has now.

    Args:
        source: what is read.
        part: where the rows are.
        kind: what is counted.
        count: counts over the rows that meet a condition.
        add: gives the sum of two counts, and changes neither.
        most: names that are kept; of more none is.

    Returns:
        The counts; None where they are too much to keep, or it took too long.
    """
    until = part.extent.last
    known = part.kept.get(kind)

    if known is None and len(part.kept) >= _MOST_KINDS:
        return None

    if known is None or (known.counts is not None and known.until < until):
        part.settle()  # those rows are in the table then, and whoever added them has said which keys they have
        first = part.extent.first - 1 if known is None else known.until
        fresh = count(Where("arrival > ? AND arrival <= ?", (first, until)))

        if source.late:
            return None

        if known is not None and known.counts is not None:
            fresh = add(known.counts, fresh)

        known = part.kept[kind] = Counted(until, fresh if len(fresh) <= most else None)

    return known.counts
