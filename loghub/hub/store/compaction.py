"""Merging small parts: a quiet hub seals one each hour, and each of them costs a look and some disk.

Rules:
1. Only parts that lie side by side in the order of arrival are merged: the name of a sealed file is a range.
2. At least `_FEWEST` at a time, and none that is larger than the others together: so a row is written again a few
   times in its life, not each hour.
3. What comes of it has no more rows than a part that is sealed because it is full, and its events came within a
   part of the time for which the shortest-lived are kept: a part goes as a whole.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise

from loghub.hub.store.engine import SELECTED
from loghub.hub.store.house import House
from loghub.hub.store.keep import Keep
from loghub.hub.store.partitions import Part

DAY_US = 86_400_000_000

_FEWEST = 4
_MOST = 64
_SHARE = 4  # of the shortest time for which something is kept
_ROWS = f"SELECT {SELECTED} FROM {{table}}"  # noqa: S608 (our columns)
_SINCE = "SELECT min(received_us) FROM {table}"


@dataclass(frozen=True, slots=True)
class Largest:
    """How large a merged part may be.

    Attributes:
        rows: at most so many.
        size: at most so many bytes.
        span_us: between the receipt of its first event and of its last one, in microseconds.
    """

    rows: int
    size: int
    span_us: int

    @classmethod
    def by(cls, rows: int, size: int, keep: Keep) -> "Largest":
        """Derive the time from what is kept."""
        shortest = min((keep.age_us, *(rule.age_us for rule in keep.rules)))
        return cls(rows, size, min(DAY_US, shortest // _SHARE))


class Compaction:
    """Merges the small parts of a store.

    Args:
        house: the store's.
        largest: how large they may become.
    """

    def __init__(self, house: House, largest: Largest) -> None:
        self._house = house
        self._largest = largest
        self._since: dict[Part, int] = {}
        self._looked_at: list[Part] = []

    def merge_some(self) -> bool:
        """Merge one group of parts; tell whether there was one.

        Raises:
            OSError: the disk refused; nothing is merged.
            duckdb.Error: the engine did.
        """
        with self._house.lock:
            parts = self._house.finished

            if parts == self._looked_at:
                return False

            self._since = {part: self._since.get(part) or self._read_since(part) for part in parts}
            chosen = choose(parts, self._largest, self._since.__getitem__)

            if not chosen:
                self._looked_at = parts
                return False

            self._house.shelf.replace(chosen, " UNION ALL ".join(_ROWS.format(table=part.table) for part in chosen), [])
            return True

    def _read_since(self, part: Part) -> int:
        with self._house.queries.cursor(limited=False) as cursor:
            row = cursor.execute(_SINCE.format(table=part.table)).fetchone()

        return int(row[0]) if row and row[0] is not None else part.extent.received_us


def choose(parts: Sequence[Part], largest: Largest, since: Callable[[Part], int]) -> Sequence[Part]:
    """Give parts to merge; none where there are none.

    Args:
        parts: sealed parts, in order of arrival.
        largest: how large the outcome may be.
        since: gives the receipt of a part's first event.
    """
    for start in range(len(parts) - _FEWEST + 1):
        run = _run(parts[start : start + _MOST], largest, since)

        while len(run) >= _FEWEST and not _is_even(run):
            run = run[:-1]

        if len(run) >= _FEWEST:
            return run

    return ()


def _run(parts: Sequence[Part], largest: Largest, since: Callable[[Part], int]) -> Sequence[Part]:
    """Give the first parts that are side by side and together not too large."""
    rows, size, end = parts[0].extent.count, parts[0].size, 1

    for before, part in pairwise(parts):
        rows += part.extent.count
        size += part.size
        span_us = part.extent.received_us - since(parts[0])
        is_beside = part.extent.first == before.extent.last + 1

        if not is_beside or rows > largest.rows or size > largest.size or span_us > largest.span_us:
            break

        end += 1

    return parts[:end]


def _is_even(run: Sequence[Part]) -> bool:
    counts = [part.extent.count for part in run]
    return 2 * max(counts) <= sum(counts)
