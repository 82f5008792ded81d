"""Which segments of a log have had their time: a pure rule, and the thin deed.

All limits hold at once, and each takes the oldest segments first. The log itself is never deleted, nor is
a segment that a process still writes to: it would lose lines, and free no room before that process lets go.
"""

import sys
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from shutil import disk_usage

from loghub.errors import ConfigError
from loghub.handlers.hold import NoLocksError, alone, let_go
from loghub.options import count, duration, size
from loghub.segments import Segment, segments


@dataclass(frozen=True, slots=True)
class Room:
    """What the limits in bytes are measured by.

    Attributes:
        current: bytes of the log itself.
        free: bytes that are free on its disk.
    """

    current: int = 0
    free: float = float("inf")


@dataclass(frozen=True, slots=True)
class Retention:
    """What is kept of the rolled-over segments.

    Attributes:
        seconds: the age, counted from the roll, up to which a segment is kept; None for any.
        files: how many segments are kept; None for any number.
        total: bytes that the log and its segments may take together; None for any.
        free: bytes of the disk that stay free; None for none.
    """

    seconds: float | None = None
    files: int | None = None
    total: int | None = None
    free: int | None = None

    def __bool__(self) -> bool:
        return self != Retention()

    def expired(self, found: Sequence[Segment], now: datetime, room: Room = Room()) -> list[Segment]:
        """Give those of `found` (oldest first) that are not kept, oldest first."""
        by_age = 0

        if self.seconds is not None:
            oldest = now.timestamp() - self.seconds
            by_age = sum(segment.rolled.timestamp() < oldest for segment in found)

        by_count = 0 if self.files is None else max(0, len(found) - self.files)
        return list(found[: max(by_age, by_count, _surplus(found, self._excess(found, room)))])

    def _excess(self, found: Sequence[Segment], room: Room) -> float:
        """Give the bytes that have to go."""
        taken = room.current + sum(segment.size for segment in found)
        over = 0 if self.total is None else taken - self.total
        lacking = 0 if self.free is None else self.free - room.free
        return max(over, lacking)


def _surplus(found: Sequence[Segment], excess: float) -> int:
    """Give how many of the oldest segments take so many bytes."""
    for place, segment in enumerate(found):
        if excess <= 0:
            return place

        excess -= segment.size

    return len(found)


def parse_retention(
    keep: object, keep_files: object, owner: str, *, keep_total: object = None, keep_free: object = None
) -> Retention:
    """Read the options `keep` ("14 days"), `keep_files` (30), `keep_total` ("5 GB") and `keep_free` ("1 GB").

    Raises:
        ConfigError: names the option.
    """
    return Retention(
        seconds=None if keep is None else _age(keep, owner),
        files=None if keep_files is None else count(keep_files, owner, "keep_files", least=0),
        total=None if keep_total is None else size(keep_total, owner, "keep_total"),
        free=None if keep_free is None else size(keep_free, owner, "keep_free"),
    )


def _age(keep: object, owner: str) -> float:
    """Read an age; a bare number is refused, since who writes `keep: 14` means days and would get seconds."""
    seconds = duration(keep, owner, "keep")

    if not isinstance(keep, str) or not keep.strip().strip("0123456789."):
        raise ConfigError(owner, "keep", keep, f'give a unit, as "{keep} days"')

    return seconds


def expired(log: Path, retention: Retention, now: float) -> list[Segment]:
    """List the segments of a log that are not kept, oldest first: nothing is deleted.

    Raises:
        OSError: the directory cannot be listed.
    """
    current = log.stat().st_size if log.is_file() else 0
    free = float("inf") if retention.free is None else disk_usage(log.parent).free
    return retention.expired(segments(log), datetime.fromtimestamp(now, UTC), Room(current, free))


def prune(log: Path, retention: Retention, now: float) -> list[Path]:
    """Delete the segments that are not kept and say which; one that is gone or held is passed over."""
    gone: list[Path] = []

    if not retention:
        return gone

    with suppress(OSError):  # a directory that cannot be listed, or is not there
        for segment in expired(log, retention, now):
            with suppress(OSError):
                gone.extend(_delete(segment))

    return gone


def _delete(segment: Segment) -> list[Path]:
    """Delete every form of a segment that nobody holds; what is read goes last."""
    return [path for path in (*segment.others, segment.path) if _delete_alone(path)]


def _delete_alone(path: Path) -> bool:
    try:
        with alone(path) as descriptor:
            if descriptor is None:
                return False

            if sys.platform == "win32":  # what is open there cannot be deleted
                let_go(descriptor)

            path.unlink()
    except NoLocksError:
        path.unlink()

    return True
