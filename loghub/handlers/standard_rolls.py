"""Rolls over as the standard library does: `.1 .2` names by size, dated names by time.

Rules:
1. The names, the times and what is deleted are those of `RotatingFileHandler` and `TimedRotatingFileHandler`; the
   running Python's own function computes the times.
2. A size is bytes, and an empty file is never rolled over (as in Python since 3.12.3).
3. No file is overwritten: where a dated name is taken, the file goes on until the next time.
4. With `maxBytes` and no `backupCount` nothing is rolled over: the file grows.
"""

import os
import re
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from loghub.options import choice

_HOUR = 3600
_FIXED_TIMES = ("MIDNIGHT", "W")


_DAY = 24 * _HOUR
_STAMP = r"\d{4}-\d{2}-\d{2}"


@dataclass(frozen=True, slots=True)
class Times:
    """What one of the words of `when` means.

    Attributes:
        seconds: between two rolls.
        suffix: of names, for `time.strftime`.
        pattern: of what that gives.
    """

    seconds: int
    suffix: str
    pattern: str


_TIMES = {
    "S": Times(1, "%Y-%m-%d_%H-%M-%S", rf"{_STAMP}_\d{{2}}-\d{{2}}-\d{{2}}"),
    "M": Times(60, "%Y-%m-%d_%H-%M", rf"{_STAMP}_\d{{2}}-\d{{2}}"),
    "H": Times(_HOUR, "%Y-%m-%d_%H", rf"{_STAMP}_\d{{2}}"),
    "D": Times(_DAY, "%Y-%m-%d", _STAMP),
    "MIDNIGHT": Times(_DAY, "%Y-%m-%d", _STAMP),
} | {f"W{day}": Times(7 * _DAY, "%Y-%m-%d", _STAMP) for day in range(7)}


def parse_when(when: object, owner: str) -> Times:
    """Read the option `when`.

    Raises:
        ConfigError: it is none of the words.
    """
    return choice(when.upper() if isinstance(when, str) else when, owner, "when", _TIMES)


def files_to_delete(handler: "Standard", pattern: re.Pattern[str]) -> list[str]:
    """List a handler's dated files that are too many, oldest first.

    With a `namer` a file is one of these if the namer gives its name for the stamp that is in it.
    """
    folder, name = os.path.split(handler.baseFilename)
    found: list[str] = []

    for entry in os.listdir(folder):  # noqa: PTH208 (names are what is needed)
        if handler.namer is None:
            stamped = entry.startswith(f"{name}.") and pattern.fullmatch(entry, len(name) + 1) is not None
        else:
            stamps = (match[0] for match in _all_matches(pattern, entry))
            names = (handler.rotation_filename(f"{handler.baseFilename}.{stamp}") for stamp in stamps)
            stamped = any(os.path.basename(made) == entry for made in names)  # noqa: PTH119 (hooks have names)

        if stamped:
            found.append(os.path.join(folder, entry))  # noqa: PTH118 (as above)

    return sorted(found)[: max(0, len(found) - handler.backupCount)]


def _all_matches(pattern: re.Pattern[str], name: str) -> Iterator[re.Match[str]]:
    """Give every match, those that overlap too."""
    match = pattern.search(name)

    while match is not None:
        yield match
        match = pattern.search(name, match.start() + 1)


class Standard(Protocol):
    """What is asked of a handler: the standard library's attributes and hooks."""

    baseFilename: str
    maxBytes: int
    backupCount: int
    when: str | None
    interval: int
    suffix: str
    utc: bool
    atTime: object
    namer: Callable[[str], str] | None

    def computeRollover(self, currentTime: int) -> int:  # noqa: N803 (its name there)
        """Give the time of the roll that follows."""

    def getFilesToDelete(self) -> list[str]:
        """Give the names that are too many."""

    def rotation_filename(self, default_name: str) -> str:
        """Give the name that a file gets."""

    def rotate(self, source: str, dest: str) -> None:
        """Rename a file."""


class StandardRolls:
    """When and how a handler's file is rolled over.

    Args:
        handler: who has the attributes; they may change.
        asks_always: whether it rolls over by size without `backupCount` too, since it has a hook for that.
    """

    def __init__(self, handler: Standard, *, asks_always: bool = False) -> None:
        self._handler = handler
        self._asks_always = asks_always
        self._taken_at = 0.0  # a dated name was taken then
        self._deadline = float("inf")

    @property
    def bytes(self) -> int:
        """Bytes that the file may have."""
        handler = self._handler
        return (
            max(handler.maxBytes - 1, 1) if handler.maxBytes > 0 and (handler.backupCount or self._asks_always) else 0
        )

    def deadline(self, opened_at: float) -> float:
        """Give the unix time of the roll that follows."""
        handler = self._handler

        if handler.when is None:
            return float("inf")

        begin = int(max(opened_at, self._taken_at))
        at = handler.computeRollover(begin)

        while at <= begin:  # some Pythons give the begin itself
            at += handler.interval

        self._deadline = _on_the_clock(at, handler) if handler.when.startswith(_FIXED_TIMES) else at
        return self._deadline

    def should_roll(self, held: int, incoming: int, deadline: float, now: float) -> bool:
        """Tell whether a line goes to a new file."""
        most = self._handler.maxBytes
        return held > 0 and ((0 < most <= held + incoming) or now >= deadline)

    def rename(self, path: Path, now: float) -> None:
        """Give the file its name among the older ones."""
        if self._handler.when is None:
            self._shift(str(path))
        else:
            self._date(str(path), now)

    def _shift(self, path: str) -> None:
        handler = self._handler

        for number in range(handler.backupCount - 1, 0, -1):
            source, dest = (handler.rotation_filename(f"{path}.{n}") for n in (number, number + 1))

            if os.path.exists(source):  # noqa: PTH110 (hooks have names, not paths)
                os.replace(source, dest)  # noqa: PTH105 (as above)

        dest = handler.rotation_filename(f"{path}.1")

        if handler.backupCount > 0:
            _remove(dest)
            handler.rotate(path, dest)

    def _date(self, path: str, now: float) -> None:
        handler = self._handler
        dest = handler.rotation_filename(f"{path}.{time.strftime(handler.suffix, self._begin(now))}")

        if os.path.exists(dest):  # noqa: PTH110 (as above)
            self._taken_at = now
            return

        handler.rotate(path, dest)

        for name in handler.getFilesToDelete() if handler.backupCount > 0 else ():
            _remove(name)

    def _begin(self, now: float) -> time.struct_time:
        """Give the time that the file began at, on the clock that held then."""
        at = min(self._deadline, now) - self._handler.interval

        if self._handler.utc:
            return time.gmtime(at)

        then, today = time.localtime(at), time.localtime(now)
        return time.localtime(at + _HOUR * (today.tm_isdst - then.tm_isdst))


def _remove(name: str) -> None:
    if os.path.exists(name):  # noqa: PTH110 (as above)
        os.remove(name)  # noqa: PTH107 (as above)


def _on_the_clock(at: int, handler: Standard) -> int:
    """Move a time by the hour that summer time took or gave, where that brings it to the wanted time of day."""
    wanted = 0 if handler.atTime is None else _seconds(handler.atTime)
    clock = time.gmtime if handler.utc else time.localtime

    for shift in (0, _HOUR, -_HOUR):
        there = clock(at + shift)

        if there.tm_hour * _HOUR + there.tm_min * 60 + there.tm_sec == wanted:
            return at + shift

    return at


def _seconds(at: object) -> int:
    return int(getattr(at, "hour", 0)) * _HOUR + int(getattr(at, "minute", 0)) * 60 + int(getattr(at, "second", 0))
