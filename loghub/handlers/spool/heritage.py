"""What others have in a spool's directory: how much that is, and what the dead among them have left.

A lock that is free belongs to a process that is gone. Its rest is read frame by frame; what is damaged is set aside.
What the dead meant for another address goes along to this one, unless a living process sends there: it is left to
that one, and said, since a directory is for one destination.
"""

import os
from collections.abc import Collection, Iterator
from contextlib import suppress
from pathlib import Path

from loghub.handlers.diagnostics import say
from loghub.handlers.spool import dead, owner
from loghub.handlers.spool.ahead import NEXT
from loghub.handlers.spool.incarnation import Incarnation
from loghub.handlers.spool.segment import ends_in_zeros
from loghub.wire.batch import is_source

FORMAT = "v1"
_MOST = 64  # incarnations that a process has at a time: each holds a descriptor, and the application needs some


def heritage(spool: Path, known: Collection[str], destination: str) -> Iterator[Incarnation]:
    """Take over what the dead have left, oldest first.

    Args:
        spool: the spool's directory.
        known: incarnations that this process has.
        destination: the address that it sends to.
    """
    owner.sweep(spool / FORMAT)
    dead_ones, elsewhere = _claim(spool, known, destination)

    if elsewhere:
        others = ", ".join(sorted(elsewhere))
        sentence = f"another process sends from it to {others}; give each destination a directory of its own"
        say(f"spool {spool}", sentence, subject="destination")

    try:
        while dead_ones:
            claimed, meta = dead_ones.pop(0)

            if meta.destination in elsewhere:
                claimed.release()
            else:
                yield _recovered(spool, Incarnation(claimed, meta))
    finally:
        for claimed, _ in dead_ones:
            claimed.release()


def tidy(spool: Path, known: Collection[str]) -> None:
    """Give back what the dead have allocated and not written; for who leaves the sending to others."""
    for folder in incarnations(spool):
        if folder.name in known or not _is_loose(folder):
            continue

        meta = owner.read_meta(folder)

        if meta.version <= owner.VERSION and (claimed := owner.claim(folder)) is not None:
            lane = Incarnation(claimed, meta)
            lane.recover()
            lane.close()


def _is_loose(folder: Path) -> bool:
    """Tell whether a directory has more on the disk than what is written."""
    last = max(folder.glob("seg-*"), default=None)

    try:
        return (folder / NEXT).exists() or (last is not None and ends_in_zeros(last))
    except OSError:  # it was sent meanwhile
        return False


def _claim(
    spool: Path, known: Collection[str], destination: str
) -> tuple[list[tuple[owner.Claim, owner.Meta]], set[str]]:
    """Claim what the dead have left, and tell where living processes send what they write here."""
    dead_ones: list[tuple[owner.Claim, owner.Meta]] = []
    elsewhere: set[str] = set()

    for folder in incarnations(spool):
        if folder.name in known:
            continue

        meta = owner.read_meta(folder)

        if meta.version > owner.VERSION:
            sentence = f"{folder.name} is of a newer loghub and is left to it"
            say(f"spool {spool}", sentence, subject="version")
        elif (claimed := owner.claim(folder)) is not None:
            if len(known) + len(dead_ones) < _MOST:
                dead_ones.append((claimed, meta))
            else:
                claimed.release()
        elif meta.send and meta.destination not in ("", destination):
            elsewhere.add(meta.destination)

    return dead_ones, elsewhere


def size_of_others(spool: Path, own: str | None) -> int:
    """Add up the bytes of all incarnations but one's own."""
    return sum(_size(folder) for folder in incarnations(spool) if folder.name != own)


def incarnations(spool: Path) -> list[Path]:
    """Give the incarnations, oldest first; what has another name is none of ours."""
    return sorted(Path(entry.path) for entry in _entries(spool / FORMAT) if is_source(entry.name))


def _recovered(spool: Path, lane: Incarnation) -> Incarnation:
    lane.recover()
    size = 0

    for segment, damage in lane.damages:
        size += damage.end - damage.at
        name = f"{lane.source}-{segment.path.name}-{damage.at}"

        with suppress(OSError):
            dead.set_aside(spool, name, segment.open()[damage.at : damage.end])

    if size:
        say(f"spool {spool}", f"{size} damaged bytes of {lane.source} were set aside in dead/", subject="damage")

    return lane


def _size(folder: Path) -> int:
    size = 0

    for entry in _entries(folder):
        with suppress(OSError):  # it was sent and deleted meanwhile
            size += entry.stat().st_size

    return size


def _entries(folder: Path) -> list["os.DirEntry[str]"]:
    """Give what is in a directory; nothing where it has gone meanwhile."""
    try:
        with os.scandir(folder) as entries:
            return list(entries)
    except OSError:
        return []
