"""The files of a rotated log: their names and their order.

A log `app.jsonl` is written under its own name. When it is rolled over it becomes a segment
`app-20261122T141722-0001.jsonl`: the time of the roll in UTC, then a number that tells apart
the rolls of one second, of four digits or more. So the order of time and number is the order of
the lines, and nothing but these names is ever touched: `app.errors.jsonl` or `app-old.jsonl` belong to somebody else.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path


@dataclass(frozen=True, slots=True, order=True)
class Segment:
    """A rolled-over file; segments sort from the oldest to the newest.

    Attributes:
        rolled: when it was rolled over, in UTC.
        number: tells apart the rolls of one second, from 1.
        path: the file.
    """

    rolled: datetime
    number: int
    path: Path


def parse_name(log: Path, name: str) -> Segment | None:
    """Read a file's name; None where it is no segment of this log."""
    pattern = rf"{re.escape(log.stem)}-([0-9]{{8}}T[0-9]{{6}})-([0-9]{{4,}}){re.escape(log.suffix)}"
    match = re.fullmatch(pattern, name)

    if match is None:
        return None

    try:
        rolled = datetime.strptime(match[1], "%Y%m%dT%H%M%S").replace(tzinfo=UTC)
    except ValueError:
        return None

    return Segment(rolled, int(match[2]), log.with_name(name))


def next_path(log: Path, rolled: datetime, names: Iterable[str]) -> Path:
    """Give the name for a segment rolled over at `rolled`, behind all of `names`.

    A clock that was set back does not bring the names out of order: the segment takes the
    time of the newest one and the next number.
    """
    rolled = rolled.astimezone(UTC).replace(microsecond=0)
    newest = max((found for name in names if (found := parse_name(log, name))), default=None)
    number = 1

    if newest is not None and newest.rolled >= rolled:
        rolled, number = newest.rolled, newest.number + 1

    return log.with_name(f"{log.stem}-{rolled:%Y%m%dT%H%M%S}-{number:04d}{log.suffix}")


def segments(log: Path) -> list[Segment]:
    """List the segments of a log, oldest first; symbolic links are not followed."""
    if not log.parent.is_dir():
        return []

    found = (parse_name(log, path.name) for path in log.parent.iterdir() if path.is_file() and not path.is_symlink())
    return sorted(segment for segment in found if segment is not None)
