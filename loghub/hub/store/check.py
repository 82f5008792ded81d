"""Checking a data directory that no hub has open: whether all that it says of itself is true. It changes nothing.

Rules:
1. Sealed files are read as a whole: that they can be, that they have as many rows as they say, and that their
   arrival numbers are within their name, once each.
2. Of the log each frame is read, with its checksum.
3. No source has rows above its mark, or what it sends again would be stored twice. The log's headers count as marks.
4. What is missing between arrival numbers is told: it was deleted, or kept no longer; nothing else says so.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path

import duckdb
import orjson

from loghub.errors import StoreError
from loghub.hub.store.directory import Directory
from loghub.hub.store.engine import SELECTED, Cursor, open_engine
from loghub.hub.store.marks import Marks
from loghub.hub.store.part_file import attach, read_extent
from loghub.hub.store.part_name import PartName, sealed_files
from loghub.hub.store.wal import Damage, Frame, read_log

_ROWS = (
    f"SELECT count(*), count(DISTINCT arrival), min(arrival), max(arrival), bit_xor(hash({SELECTED}))"  # noqa: S608 (our columns)
    " FROM {name}.rows"
)
_MARKS = "SELECT source, max(seq) FROM {name}.rows GROUP BY source"
_MEMORY = "512MB"


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that was found.

    Attributes:
        path: the file.
        text: what is the matter.
        is_damage: whether events may be lost by it; else it is as it may be.
    """

    path: Path
    text: str
    is_damage: bool


@dataclass(slots=True)
class Checked:
    """What a check found.

    Attributes:
        findings: in order.
        events: rows of sealed files that can be read, and lines of the log that are in none.
        parts: sealed files that can be read.
        frames: readable frames of the log.
        damaged: sealed files that cannot be read as they should, with how many events they had.
        marks: the highest sequence number of each source that was seen.
    """

    findings: list[Finding] = field(default_factory=list)
    events: int = 0
    parts: int = 0
    frames: int = 0
    damaged: dict[Path, int] = field(default_factory=dict)
    marks: dict[str, int] = field(default_factory=dict)

    @property
    def is_sound(self) -> bool:
        """Tell whether nothing is damaged."""
        return not any(finding.is_damage for finding in self.findings)

    def note(self, path: Path, text: str, *, is_damage: bool = False) -> None:
        """Take note of something."""
        self.findings.append(Finding(path, text, is_damage))

    def saw(self, source: str, seq: int) -> None:
        """Take note of a sequence number."""
        self.marks[source] = max(seq, self.marks.get(source, -1))


def hold_existing(data: Path) -> Directory:
    """Hold a directory that a hub has made; as `Directory.hold`.

    Raises:
        StoreError: there is none, or a hub has it.
    """
    if not (data / "meta.json").is_file():
        raise StoreError(f"{data} is no data directory of a hub: give the one that loghub serve has as --data")

    return Directory.hold(data)


def check(data: Path) -> Checked:
    """Look at everything.

    Raises:
        StoreError: a hub has the directory, or there is none.
    """
    directory = hold_existing(data)

    try:
        return check_held(directory)
    finally:
        directory.release()


def check_held(directory: Directory) -> Checked:
    """Look at everything in a directory that is held."""
    found = Checked()

    with open_engine(directory.scratch, _MEMORY) as engine:
        sealed = list(_check_parts(engine, directory.parts, found))

    _check_order(directory.parts, sealed, found)
    in_rows = dict(found.marks)
    in_log = _check_logs(directory.wal, sealed, found)
    _check_marks(directory.marks, in_rows, in_log, found)
    _check_text(directory.ledger, found, lambda path: orjson.loads(path.read_bytes()))
    _check_text(
        directory.quarantine, found, lambda path: [orjson.loads(line) for line in path.read_bytes().splitlines()]
    )

    for path in sorted(directory.damaged.glob("*")):
        found.note(path, f"{path.stat().st_size} bytes that an earlier start or repair set aside")

    return found


def _check_parts(engine: Cursor, folder: Path, found: Checked) -> Iterator[PartName]:
    names: list[PartName] = []

    for name, path in sealed_files(folder):
        if any(other.replaces(name) for other in names):
            found.note(path, "another file is in its place; the next start removes it")
            continue

        names.append(name)
        _check_part(engine, name, path, found)
        yield name


def _check_part(engine: Cursor, named: PartName, path: Path, found: Checked) -> None:
    expected = named.last - named.first + 1

    try:
        name = attach(engine, path, options="(READ_ONLY)")
        expected = read_extent(engine, name, named.first, named.last).count
        rows, different, first, last, _ = engine.execute(_ROWS.format(name=name)).fetchall()[0]
        marks = engine.execute(_MARKS.format(name=name)).fetchall()
        engine.execute(f"DETACH {name}")
    except duckdb.OutOfMemoryException as error:
        raise StoreError(f"{path} needs more memory to be checked than there is: nothing was changed") from error
    except duckdb.Error as error:
        found.damaged[path] = expected
        found.note(path, f"cannot be read, {expected} events at most: {_first_line(error)}", is_damage=True)
        return

    if (rows, different) != (expected, expected) or (rows and not named.first <= first <= last <= named.last):
        found.damaged[path] = expected
        text = (
            f"says that it has {expected} events, and has {rows} rows with {different} arrival numbers {first}-{last}"
        )
        found.note(path, text, is_damage=True)
        return

    found.parts += 1
    found.events += rows

    for source, seq in marks:
        found.saw(source, seq)


def _check_order(folder: Path, names: list[PartName], found: Checked) -> None:
    for before, after in pairwise(sorted(names, key=lambda name: name.first)):
        if after.first <= before.last:
            found.note(folder / str(after), f"overlaps with {before}: events may be there twice", is_damage=True)
        elif after.first > before.last + 1:
            found.note(
                folder / str(after), f"arrival numbers {before.last + 1}-{after.first - 1} are in no file: deleted"
            )


def _check_logs(folder: Path, sealed: list[PartName], found: Checked) -> dict[str, int]:
    """Read the log; gives the marks that its headers tell."""
    told: dict[str, int] = {}
    following = 0

    for path in sorted(folder.glob("*.ndjson")):
        for piece in read_log(path):
            if isinstance(piece, Damage):
                _note_damage(piece, found)
                continue

            header = piece.header
            told[header.source] = max(header.last, told.get(header.source, -1))
            following = _check_frame(path, piece, following, sealed, found)

    return told


def _check_frame(path: Path, frame: Frame, following: int, sealed: list[PartName], found: Checked) -> int:
    header = frame.header
    found.frames += 1

    if header.arrival < following:
        found.note(path, f"arrival number {header.arrival} comes behind {following - 1}", is_damage=True)

    if len(frame.lines) != header.count:
        found.note(path, f"a frame has {len(frame.lines)} lines and says {header.count}", is_damage=True)

    if not any(name.first <= header.arrival <= name.last for name in sealed):
        found.events += header.count

    return header.arrival + header.count


def _note_damage(damage: Damage, found: Checked) -> None:
    size = damage.end - damage.start

    if damage.tail and not damage.whole:
        found.note(damage.path, f"its last {size} bytes are a torn write that was never acknowledged")
    else:
        found.note(damage.path, f"{size} bytes from {damage.start} on are no readable frame", is_damage=True)


def _check_marks(path: Path, in_rows: dict[str, int], in_log: dict[str, int], found: Checked) -> None:
    try:
        marks = Marks(path)
    except (StoreError, OSError) as error:
        found.note(path, str(error), is_damage=True)
        return

    if in_rows and not path.exists():
        found.note(path, "is missing: what is sent again would be stored twice", is_damage=True)

    for source, seq in in_rows.items():
        mark = max(marks.last(source), in_log.get(source, -1))

        if -1 < mark < seq:
            found.note(path, f"{source} has events up to {seq}, and its mark is {mark}", is_damage=True)


def _check_text(path: Path, found: Checked, read: Callable[[Path], object]) -> None:
    try:
        read(path)
    except FileNotFoundError:
        return
    except (OSError, ValueError) as error:
        found.note(path, f"cannot be read: {error}", is_damage=True)


def _first_line(error: duckdb.Error) -> str:
    return str(error).partition("\n")[0]
