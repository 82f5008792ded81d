"""The rows of a sealed part in cells of `ROWS`, each with its times and levels: most of a histogram by level.

A cell that lies in one bucket is added up as it is. The rows of the others, at the edges of buckets, are to be counted.
Cells also say between which rows the events of a span are: rows are in the order of a page.
"""

from array import array
from bisect import bisect_left
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from loghub.hub.store.protocol import Span

ROWS = 1024
MOST_LEVELS = 16


@dataclass(frozen=True, slots=True, eq=False)
class Cells:
    """The cells of a part, in order of time.

    Attributes:
        starts: time of the first row of each, in microseconds.
        ends: time of the last one.
        counts: how many rows of each level each cell has.
        levels: the level of each severity; empty where a severity has several.
    """

    starts: "array[int]"
    ends: "array[int]"
    counts: "Mapping[str, array[int]]"
    levels: Mapping[int, str] = field(default_factory=dict)

    @classmethod
    def of(cls, rows: Iterable[tuple[int, str | None, int, int, int, int]]) -> "Cells":
        """Make cells of numbers of cells, in order, each with a level, its severity, first and last time, and rows."""
        starts, ends = array("q"), array("q")
        found: dict[str, dict[int, int]] = {}

        pairs = set()

        for cell, level, severity, first, last, number in rows:
            pairs.add((severity, level or ""))

            if cell == len(starts):
                starts.append(first)
                ends.append(last)

            starts[cell], ends[cell] = min(starts[cell], first), max(ends[cell], last)
            numbers = found.setdefault(level or "", {})
            numbers[cell] = numbers.get(cell, 0) + number

        places = range(len(starts))
        counts = {level: array("I", (numbers.get(cell, 0) for cell in places)) for level, numbers in found.items()}
        levels = dict(pairs)
        return cls(starts, ends, counts, levels if len(levels) == len(pairs) else {})

    def rows_in(self, span: Span) -> range:
        """Give row numbers among which are all rows of a span."""
        return range(bisect_left(self.ends, span.start_us) * ROWS, bisect_left(self.starts, span.end_us) * ROWS)

    def surely_in(self, span: Span) -> range:
        """Give row numbers that all are in a span; the last cell, which may have fewer rows, is not among them."""
        first, end = bisect_left(self.starts, span.start_us), bisect_left(self.ends, span.end_us)
        return range(first * ROWS, min(end, len(self.ends) - 1) * ROWS)


NO_CELLS = Cells(array("q"), array("q"), {})


@dataclass(slots=True)
class Sums:
    """What cells say of a histogram.

    Attributes:
        counts: rows by bucket and level.
        open: ranges of row numbers `[from, to)` that are to be counted.
    """

    counts: dict[tuple[int, str], int] = field(default_factory=dict)
    open: list[tuple[int, int]] = field(default_factory=list)


def add_up(cells: Cells, span: Span, step_us: int) -> Sums:
    """Add up the cells that lie within one bucket of a histogram over a span."""
    sums = Sums()
    closed: dict[int, list[int]] = {}

    for cell, (start, end) in enumerate(zip(cells.starts, cells.ends, strict=True)):
        if end < span.start_us or start >= span.end_us:
            continue

        bucket = (start - span.start_us) // step_us

        if start >= span.start_us and end < span.end_us and (end - span.start_us) // step_us == bucket:
            closed.setdefault(bucket, []).append(cell)
        elif sums.open and sums.open[-1][1] == cell * ROWS:
            sums.open[-1] = (sums.open[-1][0], (cell + 1) * ROWS)
        else:
            sums.open.append((cell * ROWS, (cell + 1) * ROWS))

    for bucket, chosen in closed.items():
        for level, counts in cells.counts.items():
            number = sum(counts[cell] for cell in chosen)

            if number:
                sums.counts[bucket, level] = number

    return sums
