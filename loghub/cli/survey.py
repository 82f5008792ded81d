"""What is in the files of a log: when their first and last events happened, and how many lines they have."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from zlib import error as ZlibError  # noqa: N812 (a class)

from loghub.event.encode import decode
from loghub.event.model import Event
from loghub.segments import Segment, open_lines, open_segment, segments


@dataclass(frozen=True, slots=True)
class Surveyed:
    """One file of a log.

    Attributes:
        path: the file.
        rolled: when it was rolled over; None for the log itself.
        first_us: time of the first event in it, in microseconds; None where there is none.
        last_us: time of the last one.
        size: bytes on the disk.
        lines: how many there are; up to the damage where it is damaged.
        damage: why the rest of it cannot be read; "" where it can.
    """

    path: Path
    rolled: datetime | None
    first_us: int | None
    last_us: int | None
    size: int
    lines: int
    damage: str


def survey(log: Path) -> Iterator[Surveyed]:
    """Read every file of a log, oldest first, and the log itself last."""
    for segment in segments(log):
        yield _read(segment.path, segment)

    if log.is_file():
        yield _read(log, None)


def _read(path: Path, segment: Segment | None) -> Surveyed:
    count, damage = 0, ""
    first_us: int | None = None
    last = before = b""

    try:
        with open_lines(path) if segment is None else open_segment(segment) as lines:
            for line in lines:
                count += 1
                before, last = last, line

                if first_us is None:
                    first_us = _time_of(line)
    except (OSError, EOFError, ZlibError, _zstd_error()) as error:
        damage = str(error) or type(error).__name__

    last_us = _time_of(last) or _time_of(before)  # a crash may have torn the last one
    size = segment.size if segment is not None else path.stat().st_size
    rolled = None if segment is None else segment.rolled
    return Surveyed(path, rolled, first_us, last_us or first_us, size, count, damage)


def _time_of(line: bytes) -> int | None:
    try:
        return Event.from_mapping(decode(line), now_us=0).time_us or None
    except ValueError:
        return None


def _zstd_error() -> type[Exception]:
    """Give what zstandard raises; where it is not installed nothing raises it."""
    try:
        from zstandard import ZstdError  # noqa: PLC0415 (an extra)
    except ModuleNotFoundError:
        return EOFError

    return ZstdError
