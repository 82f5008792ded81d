"""`loghub.read`: the events of a log, out of all its files.

What is no event does not stop it: each such place is told, and the lines around it are read.
"""

import os
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from loghub.event.encode import decode
from loghub.event.model import Event
from loghub.query import parse, predicate
from loghub.reading.lines import Line
from loghub.reading.walk import lines_of


@dataclass(frozen=True, slots=True)
class Problem:
    """A place in a log where no event could be read.

    Attributes:
        path: the file.
        offset: where it begins, in bytes; of a compressed file, as it was before.
        reason: what is wrong with it.
        text: the first bytes that stand there.
    """

    path: Path
    offset: int
    reason: str
    text: bytes = b""

    def __str__(self) -> str:
        return f"{self.path} at byte {self.offset}: {self.reason}"


_SHOWN_BYTES = 200


class Events:
    """Iterates the events of a log; made by `loghub.read`.

    Attributes:
        problem_count: places so far where no event could be read.
        problems: the first thousand of them; pass `problems=` to `loghub.read` to have them all.
    """

    _KEPT = 1000

    def __init__(self, lines: Iterator[Line], query: str | None, problems: Callable[[Problem], None] | None) -> None:
        now_us = time.time_ns() // 1000
        self._matches = predicate(parse(query), now_us=now_us) if query else None
        self._now_us = now_us
        self._lines = lines
        self._tell = problems
        self.problem_count = 0
        self.problems: list[Problem] = []

    def __iter__(self) -> Iterator[Event]:
        return self

    def __next__(self) -> Event:
        """Give the next event that matches."""
        matches = self._matches

        for line in self._lines:
            event = self._event(line)

            if event is not None and (matches is None or matches(event)):
                return event

        raise StopIteration

    def _event(self, line: Line) -> Event | None:
        text = line.text.strip(b" \t\r")

        if not text and not line.fault:
            return None

        try:
            return Event.from_mapping(decode(text), now_us=self._now_us)
        except ValueError as error:
            self._note(Problem(line.path, line.offset, line.fault or str(error), text[:_SHOWN_BYTES]))
            return None

    def _note(self, problem: Problem) -> None:
        self.problem_count += 1

        if len(self.problems) < self._KEPT:
            self.problems.append(problem)

        if self._tell is not None:
            self._tell(problem)


def read(
    path: str | os.PathLike[str], query: str | None = None, *, problems: Callable[[Problem], None] | None = None
) -> Events:
    """Read the events of a log back: all its rotated and compressed files, oldest first, then the file itself.

    Lines of any preset become events of one shape. One file is open at a time, and a megabyte of it in memory.
    A segment that is rolled over or compressed meanwhile is read once.

    ```python
    for event in loghub.read("logs/app.jsonl", "level>=error"):
        print(event.fields["message"])
    ```

    Args:
        path: the log, as it was given to the handler; or a single file, as one rolled-over segment.
        query: which events, in the query language; all by default.
        problems: called with each `Problem`, a place where no event could be read.

    Raises:
        FileNotFoundError: there is no such log.
        QuerySyntaxError: the query cannot be read.
        MissingExtraError: a package is missing, for a regular expression or for zstd.
    """
    return Events(lines_of(Path(path)), query, problems)
