"""What a start finds on the disk: sealed files and log files, brought back to parts.

Rules:
1. Of sealed files the one of the highest generation counts for the arrival numbers in its name; others within them
   are removed: the crash came before that (`part_name`).
2. Frames whose arrival numbers are in a sealed file are passed over: the crash came between sealing
   and dropping the log. A log file with no other frames is spent and removed.
3. Every other log file becomes a hot part; the last one is appended to again.
4. What is damaged is set aside in `damaged/` and reported. A start never refuses for it.
"""

import logging
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import duckdb

from loghub.hub.store.books import Books
from loghub.hub.store.directory import Directory
from loghub.hub.store.durable import sync_directory
from loghub.hub.store.engine import Cursor, is_damage
from loghub.hub.store.hot import Hot
from loghub.hub.store.ledger import Sighting
from loghub.hub.store.lines import LineEvents, read_event
from loghub.hub.store.part_name import PartName, remove_drafts, sealed_files
from loghub.hub.store.partitions import Part
from loghub.hub.store.protocol import Incoming
from loghub.hub.store.quick import read_lines
from loghub.hub.store.seal import open_part
from loghub.hub.store.wal import Damage, Frame, read_log

_logger = logging.getLogger(__name__)


@dataclass(slots=True)
class Recovered:
    """What was found.

    Attributes:
        sealed: the sealed parts.
        hot: the hot ones, in order of arrival.
        next: the next arrival number.
        damaged: files in which unreadable pieces were set aside.
        spent: log files whose rows are all sealed, and that are still there.
        leftovers: needless sealed files that could not be removed.
    """

    sealed: list[Part] = field(default_factory=list)
    hot: list[Hot] = field(default_factory=list)
    next: int = 1
    damaged: list[Path] = field(default_factory=list)
    spent: list[Hot] = field(default_factory=list)
    leftovers: list[Path] = field(default_factory=list)


def recover(engine: Cursor, directory: Directory, books: Books) -> Recovered:
    """Bring parts, marks and ledger back from a data directory."""
    found = Recovered()
    remove_drafts(directory.parts)
    _open_sealed(engine, directory, found)

    for path in sorted(directory.wal.glob("*.ndjson")):
        _read_file(engine, path, directory, books, found)

    _remove_spent(books, found)
    return found


def _open_sealed(engine: Cursor, directory: Directory, found: Recovered) -> None:
    opened: list[PartName] = []
    closed: list[PartName] = []  # cannot be read now, and may be read later

    for name, path in sealed_files(directory.parts):
        found.next = max(found.next, name.last + 1)

        if any(other.replaces(name) for other in opened):
            _end(path, found)

        elif not any(other.replaces(name) for other in closed):
            try:
                found.sealed.append(open_part(engine, path))
                opened.append(name)
            except duckdb.Error as error:
                if not _is_moved(directory, path, found, error):
                    closed.append(name)

    found.sealed.sort(key=lambda part: part.extent.first)


def _end(path: Path, found: Recovered) -> None:
    """Remove a file in whose place another one is; where the disk refuses, it is tried again before that one ends."""
    try:
        path.unlink()
        sync_directory(path.parent)
    except OSError as error:
        found.leftovers.append(path)
        _logger.warning("cannot remove %s, which is not needed any more: %s", path, error)


def _is_moved(directory: Directory, path: Path, found: Recovered, error: duckdb.Error) -> bool:
    """Move a damaged file away; one that cannot be read now stays where it is, for the next start."""
    if not is_damage(error):
        found.damaged.append(path)
        _logger.error("%s cannot be opened, its events are missing in answers: %s", path, error)
        return False

    place = directory.damaged / path.name
    directory.damaged.mkdir(mode=0o700, exist_ok=True)
    path.replace(place)
    sync_directory(directory.damaged)
    sync_directory(path.parent)
    found.damaged.append(place)
    _logger.error("%s is damaged (%s) and was moved to %s", path, error, place)
    return True


def _read_file(engine: Cursor, path: Path, directory: Directory, books: Books, found: Recovered) -> None:
    first = int(path.stem)
    found.next = max(found.next, first)
    hot = Hot(engine, path.parent, first)
    for piece in read_log(path):
        if isinstance(piece, Damage):
            _treat_damage(piece, hot, directory, found)
            continue

        header = piece.header
        _enter(books, piece)
        found.next = max(found.next, header.arrival + header.count)

        if not _is_sealed(header.arrival, found.sealed):
            hot.add([_batch(piece)], header.arrival)

            if hot.is_due():
                hot.settle()

    hot.settle()
    (found.hot if hot.count else found.spent).append(hot)


def _enter(books: Books, frame: Frame) -> None:
    header = frame.header
    oldest, newest = (read_event(frame.lines[end], header.received_us) if frame.lines else None for end in (0, -1))
    books.enter(
        Sighting(
            header.source,
            header.first,
            header.last,
            header.received_us,
            oldest,
            newest,
            header.report,
            header.skew_us,
        )
    )


def _is_sealed(arrival: int, sealed: Sequence[Part]) -> bool:
    return any(part.extent.first <= arrival <= part.extent.last for part in sealed)


def _batch(frame: Frame) -> Incoming:
    """Read a batch again, as it was read when it came."""
    header = frame.header
    blocks, odd = read_lines(frame.lines)

    return Incoming(
        source=header.source,
        first=header.first,
        last=header.last,
        received_us=header.received_us,
        seqs=list(header.seqs),
        lines=frame.lines,
        events=LineEvents(frame.lines, header.received_us, odd=odd),
        blocks=blocks,
        odd=odd,
    )


def _treat_damage(damage: Damage, hot: Hot, directory: Directory, found: Recovered) -> None:
    """Cut off a torn tail; set aside what may have been acknowledged."""
    if not damage.tail or damage.whole:
        with damage.path.open("rb") as file:
            file.seek(damage.start)
            piece = file.read(damage.end - damage.start)

        _set_aside(directory, f"{damage.path.stem}-{damage.start}.ndjson", piece, found, "no readable frame")

    if damage.tail:
        hot.log.cut_back(damage.start)


def _set_aside(directory: Directory, name: str, data: bytes, found: Recovered, reason: str) -> None:
    path = directory.damaged / name
    directory.damaged.mkdir(mode=0o700, exist_ok=True)
    path.write_bytes(data)
    sync_directory(directory.damaged)
    found.damaged.append(path)
    _logger.error("%d bytes could not be read (%s) and were set aside in %s", len(data), reason, path)


def _remove_spent(books: Books, found: Recovered) -> None:
    """Remove log files without rows, once their headers' marks are saved."""
    if not found.spent:
        return

    try:
        books.save()
    except OSError as error:  # a full disk; the upkeep tries again, and touches nothing that they have before that
        _logger.warning("cannot save marks and ledger: %s", error)
        found.spent = [hot for hot in found.spent if _is_kept(hot, found.next)]
        return

    for hot in found.spent:
        hot.drop_log()
        hot.part.dispose()

    found.spent = []


def _is_kept(hot: Hot, following: int) -> bool:
    """Let go of the table of a spent log; of the file too, where it is the one that the next events go to."""
    hot.sealed = hot.part  # nothing of it is to be written
    hot.part.dispose()

    if hot.part.extent.first < following:
        return True

    hot.log.close()
    return False
