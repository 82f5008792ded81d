"""Repairing a data directory: what is damaged is set aside in `damaged/`, and what is lost by it is said.

Rules:
1. Nothing is deleted. A sealed file that cannot be read as it should is moved as it is.
2. Marks that cannot be read are made anew from the rows and the log: of sources whose rows are all gone, the mark
   is lost, and what they send again is stored again.
3. The rest is what each start does: torn tails are cut off, unreadable frames are set aside. What else is in a log
   with such a frame is sealed, so that no later start finds the frame again.
"""

from dataclasses import dataclass
from pathlib import Path

from loghub.errors import StoreError
from loghub.hub.store.check import Checked, check_held, hold_existing
from loghub.hub.store.directory import Directory
from loghub.hub.store.duck import DuckStore
from loghub.hub.store.durable import sync_directory
from loghub.hub.store.marks import Marks
from loghub.hub.store.wal import Frame, read_log

FOR_EVER = 2**61


@dataclass(frozen=True, slots=True)
class Repaired:
    """What was done.

    Attributes:
        aside: what was set aside, each with how many events it had at most; None where that is not known.
        events: events that the store has now.
    """

    aside: dict[Path, int | None]
    events: int


def repair(data: Path) -> Repaired:
    """Set aside what is damaged.

    Raises:
        StoreError: a hub has the directory, or there is none.
        OSError: the disk refused.
    """
    directory = hold_existing(data)

    try:
        found = check_held(directory)
        aside: dict[Path, int | None] = {
            _move(directory, path): events for path, events in found.damaged.items() if path.exists()
        }
        aside |= _renew_marks(directory, found)
    finally:
        directory.release()

    store = open_as_it_is(data)

    try:
        if store.damaged:
            store.seal_all()  # ends the log files that have the unreadable pieces

        return Repaired(aside | dict.fromkeys(store.damaged), store.count())
    finally:
        store.close()


def open_as_it_is(data: Path) -> DuckStore:
    """Open a store that lets go of nothing."""
    return DuckStore(data, keep_us=FOR_EVER, keep_bytes=FOR_EVER, keep_sources_us=FOR_EVER)


def _move(directory: Directory, path: Path) -> Path:
    place = directory.damaged / path.name
    directory.damaged.mkdir(mode=0o700, exist_ok=True)
    path.replace(place)
    sync_directory(directory.damaged)
    sync_directory(path.parent)
    return place


def _renew_marks(directory: Directory, found: Checked) -> dict[Path, int | None]:
    aside: dict[Path, int | None] = {}

    try:
        Marks(directory.marks)
    except StoreError:
        aside[_move(directory, directory.marks)] = None

    if directory.marks.exists():
        return aside

    marks = Marks(directory.marks)

    for source, seq in found.marks.items():
        marks.raise_to(source, seq, 0)

    for path in sorted(directory.wal.glob("*.ndjson")):
        for frame in read_log(path):
            if isinstance(frame, Frame):
                marks.raise_to(frame.header.source, frame.header.last, frame.header.received_us)

    marks.save()
    return aside
