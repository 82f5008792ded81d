"""The files of a rotated log: their names, their order, and which of them hold the same lines.

A log `app.jsonl` is written under its own name. When it is rolled over it becomes a segment
`app-20261122T141722-0001.jsonl`: the time of the roll in UTC, then a number that tells apart
the rolls of one second, of four digits or more. Nothing but these names is ever touched:
`app.errors.jsonl` or `app-old.jsonl` belong to somebody else.

Rules:
1. Time and number are the segment's identity: they name lines, not a file, and their order is the order of the lines.
2. A compressed segment has `.gz` or `.zst` behind its name. It has that name only when it is whole and on the disk;
   until then it is written under a hidden name that is no segment's (`compressing`).
3. While the old form is being removed, or after a crash in that moment, several forms of one segment stand side by
   side. All of them are whole and hold the same lines, so exactly one is read: the plain one where there is one.
4. A form may vanish between the listing and the opening, because it was compressed: `open_segment` takes the next one.
"""

import gzip
import io
import os
import re
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from stat import S_ISREG
from typing import BinaryIO, cast

from loghub.errors import require

FORMS = ("", ".zst", ".gz")
"""What stands behind a segment's name, by preference: nothing where it is not compressed."""


@dataclass(frozen=True, slots=True, order=True)
class Segment:
    """A rolled-over file; segments sort from the oldest to the newest, and are equal where they name the same lines.

    Attributes:
        rolled: when it was rolled over, in UTC.
        number: tells apart the rolls of one second, from 1.
        path: the file to read.
        form: how that is compressed: "", ".zst" or ".gz".
        others: other forms of the same lines, which are not to be read.
        size: bytes that all its forms take; 0 where only its name was read.
    """

    rolled: datetime
    number: int
    path: Path = field(compare=False)
    form: str = field(default="", compare=False)
    others: tuple[Path, ...] = field(default=(), compare=False)
    size: int = field(default=0, compare=False)

    @property
    def plain(self) -> Path:
        """The name that it has when it is not compressed."""
        return self.path.with_name(self.path.name.removesuffix(self.form))


def parse_name(log: Path, name: str) -> Segment | None:
    """Read a file's name; None where it is no segment of this log."""
    match = _pattern(log.stem, log.suffix).fullmatch(name)

    if match is None:
        return None

    try:
        # No strptime: it imports a module at its first use, and the child of a fork in that moment waits for ever.
        rolled = datetime(*map(int, match.groups()[1:7]), tzinfo=UTC)  # type: ignore[misc, arg-type]  # six of them
    except ValueError:
        return None

    return Segment(rolled, int(match["number"]), log.with_name(name), match["form"])


def next_path(log: Path, rolled: datetime, names: Iterable[str]) -> Path:
    """Give the name for a segment rolled over at `rolled`, behind all of `names`.

    A clock that was set back does not bring the names out of order: the segment takes the
    time of the newest one and the next number.
    """
    rolled = rolled.astimezone(UTC).replace(microsecond=0)
    newest = _newest(log, names)
    number = 1

    if newest is not None and newest.rolled >= rolled:
        rolled, number = newest.rolled, newest.number + 1

    return log.with_name(f"{log.stem}-{rolled:%Y%m%dT%H%M%S}-{number:04d}{log.suffix}")


def _newest(log: Path, names: Iterable[str]) -> Segment | None:
    """Give the newest segment; others wait while it is looked for, so hardly any name is read."""
    fullmatch = _pattern(log.stem, log.suffix).fullmatch
    found = sorted((match[1], int(match["number"]), match[0]) for name in names if (match := fullmatch(name)))

    for *_, name in reversed(found):
        if (segment := parse_name(log, name)) is not None:  # else there is no such date
            return segment

    return None


def segments(log: Path) -> list[Segment]:
    """List the segments of a log, oldest first; symbolic links are not followed."""
    found: dict[Segment, list[Segment]] = {}

    for name, size in _files(log.parent):
        if (segment := parse_name(log, name)) is not None:
            found.setdefault(segment, []).append(replace(segment, size=size))

    return sorted(map(_united, found.values()))


def open_segment(segment: Segment) -> BinaryIO:
    """Open a segment for reading its lines, whatever its form.

    Raises:
        FileNotFoundError: no form of it is there any more; retention has removed it.
        MissingExtraError: it is a .zst, and zstandard is not installed.
    """
    plain = segment.plain

    for path in (segment.path, *(plain.with_name(plain.name + form) for form in FORMS)):
        try:
            return open_lines(path)
        except FileNotFoundError:
            continue

    raise FileNotFoundError(f"{plain}: the segment is gone, in every form")


def open_lines(path: Path) -> BinaryIO:
    """Open a log or a segment for reading its lines; a name that ends in .gz or .zst is decompressed."""
    if path.name.endswith(".gz"):
        return cast("BinaryIO", gzip.open(path, "rb"))

    if path.name.endswith(".zst"):
        zstandard = require("zstandard", f"reading {path.name}", "zst")
        reader = zstandard.ZstdDecompressor().stream_reader(path.open("rb"), read_across_frames=True)
        return cast("BinaryIO", io.BufferedReader(reader))

    return path.open("rb")


def compressing(log: Path) -> Path:
    """Give the hidden name under which one segment of this log at a time is compressed."""
    return log.with_name(f".{log.name}.compressing")


@cache
def _pattern(stem: str, suffix: str) -> re.Pattern[str]:
    forms = "|".join(map(re.escape, FORMS))
    two = "([0-9]{2})"
    time = f"(([0-9]{{4}}){two}{two}T{two}{two}{two})"
    return re.compile(rf"{re.escape(stem)}-{time}-(?P<number>[0-9]{{4,}}){re.escape(suffix)}(?P<form>{forms})")


def _files(folder: Path) -> Iterable[tuple[str, int]]:
    """Give name and size of the regular files; one that vanishes meanwhile is passed over."""
    try:
        entries = os.scandir(folder)
    except FileNotFoundError:
        return

    with entries:
        for entry in entries:
            try:
                status = entry.stat(follow_symlinks=False)
            except FileNotFoundError:
                continue

            if S_ISREG(status.st_mode):
                yield entry.name, status.st_size


def _united(forms: list[Segment]) -> Segment:
    """Make one segment of all forms that it is there in."""
    forms.sort(key=lambda segment: FORMS.index(segment.form))
    first, *rest = forms
    return replace(first, others=tuple(other.path for other in rest), size=sum(form.size for form in forms))
