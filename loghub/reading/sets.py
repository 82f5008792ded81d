"""The files of one log, in the order of their lines: rotated by us, by the standard library or by logrotate.

| whose | names behind `app.jsonl`, each also with `.gz` or `.zst` |
|---|---|
| loghub | `app-20261122T141722-0001.jsonl` |
| `RotatingFileHandler`, logrotate | `app.jsonl.1`, `app.jsonl.2`, the highest number is the oldest |
| `TimedRotatingFileHandler` | `app.jsonl.2026-11-22`, `app.jsonl.2026-11-22_14-17` |
| logrotate with `dateext` | `app.jsonl-20261122` |

Symbolic links among the rotated ones are not followed. Where a file and its compressed twin stand side by side,
the plain one counts.
"""

import os
import re
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TypeAlias

from loghub.reading.bodies import Identity
from loghub.segments import parse_name

_FORM = re.compile(r"\.(?:gz|zst)\Z")
_SEGMENT = re.compile(r"(.+)-[0-9]{8}T[0-9]{6}-[0-9]{4,}(\.[^.]*)?")
_NUMBERED = re.compile(r"(.+)\.([0-9]{1,6})")
_DATED = re.compile(r"(.+?)[.-]([0-9]{4}-?[0-9]{2}-?[0-9]{2}(?:[_T-][0-9]{2}(?:[-:]?[0-9]{2}){0,2})?)")

_TICK_NS = 100_000_000
_TRIES = 20

_Order: TypeAlias = tuple[int, int, str, int]


@dataclass(frozen=True, slots=True)
class LogFile:
    """One file of a log, as its directory lists it.

    Attributes:
        path: the file.
        name: its name without the ending of its compression; "" of the one that is written to.
        lasting: whether the name stays with its lines for good, as a date does and a number does not.
        identity: which file had the log's own name when it was listed; None for a rotated one.
    """

    path: Path
    name: str
    lasting: bool
    identity: Identity | None = None

    @property
    def is_live(self) -> bool:
        """Whether it is the one that is written to."""
        return not self.name

    def status(self) -> os.stat_result | None:
        """Ask for identity and size; None where it has another name by now."""
        try:
            return self.path.stat()
        except OSError:
            return None


class Directory:
    """Lists the files of one log, and looks again only where something may have changed.

    Args:
        log: the file that is written to.
    """

    def __init__(self, log: Path) -> None:
        self._log = log
        self._files: list[LogFile] = []
        self._changed_ns = -1

    def files(self) -> list[LogFile]:
        """Give the files, oldest first, the one that is written to last; the same list where nothing has changed."""
        try:
            changed_ns = os.stat(self._log.parent).st_mtime_ns  # noqa: PTH116 (asked at each poll)
        except OSError:
            self._changed_ns = -1
            return []

        if changed_ns != self._changed_ns:
            self._files = files_of(self._log)
            # The clock of a file system has ticks of some milliseconds: within one, a change may not be seen.
            self._changed_ns = changed_ns if time.time_ns() - changed_ns > _TICK_NS else -1

        return self._files


def files_of(log: Path) -> list[LogFile]:
    """List the files of a log, oldest first, the one that is written to last.

    A list that is taken while files are renamed may lack one, so it is taken until two agree.
    """
    entries, live = _listed(log)

    for _ in range(_TRIES):
        before = (entries, live)
        entries, live = _listed(log)

        if (entries, live) == before:
            break

    found: dict[str, tuple[_Order, LogFile]] = {}

    for listed in entries:
        name = _FORM.sub("", listed)
        order = _order(log.name, name)

        # Where a file and its compressed form stand side by side, they are the same lines.
        if order is not None and (name not in found or listed == name):
            found[name] = (order, LogFile(log.with_name(listed), name, order[0] != _BY_NUMBER))

    rotated = [file for _, file in sorted(found.values(), key=lambda pair: pair[0])]
    return rotated if live is None else [*rotated, LogFile(log, "", lasting=False, identity=live)]


def log_of(path: Path) -> Path:
    """Give the log that a file belongs to by its name: that of a rotated one, or itself."""
    name = _FORM.sub("", path.name)

    for pattern, whole in _LOG_NAMES:
        match = pattern.fullmatch(name)

        if match:
            return path.with_name(whole(match))

    return path


def logs_among(paths: Iterable[Path]) -> list[Path]:
    """Give the logs among files that a shell or a pattern found: a rotated one counts as part of its log.

    Where the log itself is not among them, the file stands for itself.
    """
    given = list(dict.fromkeys(paths))
    return [path for path in given if (log := log_of(path)) == path or log not in given]


def _listed(log: Path) -> tuple[dict[str, int], Identity | None]:
    """Give the inodes of all that may be a log's by name, and the identity of the log itself behind that list."""
    entries: dict[str, int] = {}

    with suppress(OSError), os.scandir(log.parent) as found:
        for entry in found:
            if entry.name.startswith(log.stem) and not (entry.is_dir() or entry.is_symlink()):
                entries[entry.name] = entry.inode()

    try:
        status = log.stat()
    except OSError:
        return entries, None

    return entries, (status.st_dev, status.st_ino)


_BY_DATE, _BY_NUMBER, _BY_ROLL = range(3)


@lru_cache(maxsize=50_000)
def _order(log: str, name: str) -> _Order | None:
    """Give the place of a rotated file among its like; None for a file of somebody else's, and for the log itself."""
    segment = parse_name(Path(log), name)

    if segment is not None:
        return (_BY_ROLL, 0, f"{segment.rolled:%Y%m%dT%H%M%S}", segment.number)

    if not name.startswith(log):
        return None

    numbered, dated = _NUMBERED.fullmatch(name), _DATED.fullmatch(name)

    if dated and dated[1] == log:
        return (_BY_DATE, 0, re.sub(r"\D", "", dated[2]).ljust(14, "0"), 0)

    return (_BY_NUMBER, -int(numbered[2]), "", 0) if numbered and numbered[1] == log else None


_LOG_NAMES: tuple[tuple[re.Pattern[str], Callable[["re.Match[str]"], str]], ...] = (
    (_SEGMENT, lambda match: match[1] + (match[2] or "")),
    (_NUMBERED, lambda match: match[1]),
    (_DATED, lambda match: match[1]),
)
