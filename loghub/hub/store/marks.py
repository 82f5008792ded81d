"""High-water marks: the last sequence number that the hub has of each source.

Rules:
1. A sender has one batch in flight and sends in order, so everything up to the mark is here and
   everything behind it is new, however a resend is cut.
2. The marks live apart from the rows: retention deletes rows, never marks. Their file may lag behind;
   the log's headers bring it up to date. It is written when rows are sealed, never for a commit:
   what a commit costs does not depend on how many sources there are.
3. Their number is bounded. Beyond `most` sources, those that have been silent for `keep_us` are forgotten,
   the longest silent first. Such a one that comes back and resends what the hub had already stored doubles it;
   a sender resends one batch, the one whose answer it did not get.
"""

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import orjson

from loghub.errors import StoreError
from loghub.hub.store.durable import replace_file
from loghub.hub.store.protocol import Appended, Incoming

DAY_US = 86_400_000_000


def _now_us() -> int:
    return time.time_ns() // 1000


@dataclass(frozen=True, slots=True)
class _Mark:
    last: int
    seen_us: int


class Marks:
    """The marks, in memory and in their file.

    Args:
        path: the file.
        keep_us: how long a silent source is remembered at least, in microseconds.
        most: how many sources are remembered, however silent.
        clock_us: gives the time in microseconds.

    Raises:
        StoreError: the file cannot be read.
    """

    def __init__(
        self,
        path: Path,
        *,
        keep_us: int = 90 * DAY_US,
        most: int = 100_000,
        clock_us: Callable[[], int] = _now_us,
    ) -> None:
        self._path = path
        self._keep_us = keep_us
        self._most = most
        self._clock_us = clock_us
        self._lock = threading.Lock()
        self._marks = _load(path, clock_us())
        self._changed = False

    def __len__(self) -> int:
        return len(self._marks)

    def last(self, source: str) -> int:
        """Give the mark of a source, -1 for an unknown one."""
        mark = self._marks.get(source)
        return -1 if mark is None else mark.last

    def raise_to(self, source: str, last: int, seen_us: int) -> None:
        """Take note of what is on the disk now; a mark never goes back.

        Args:
            source: who sent it.
            last: its last number.
            seen_us: when it came.
        """
        with self._lock:
            before = self._marks.get(source, _Mark(-1, 0))
            self._marks[source] = _Mark(max(last, before.last), max(seen_us, before.seen_us))
            self._changed = True

    def save(self) -> None:
        """Write the file, where something changed; forget what is to be forgotten.

        Raises:
            OSError: the disk refused; the file is as it was.
        """
        with self._lock:
            if not self._changed:
                return

            self._forget()
            marks = {source: (mark.last, mark.seen_us) for source, mark in self._marks.items()}
            self._changed = False

        try:
            replace_file(self._path, orjson.dumps({"marks": marks}, option=orjson.OPT_APPEND_NEWLINE))
        except OSError:
            self._changed = True
            raise

    def _forget(self) -> None:
        excess = len(self._marks) - self._most

        if excess > 0:
            before_us = self._clock_us() - self._keep_us
            silent = sorted((mark.seen_us, source) for source, mark in self._marks.items() if mark.seen_us < before_us)

            for _, source in silent[:excess]:
                del self._marks[source]


def trim_all(batches: Sequence[Incoming], marks: Marks) -> tuple[list[Incoming], list[Appended]]:
    """Trim batches that are stored together, and say what of each is new."""
    trimmed: list[Incoming] = []
    answers: list[Appended] = []
    reached: dict[str, int] = {}

    for batch in batches:
        mark = reached.get(batch.source, marks.last(batch.source))
        new = trim(batch, mark)
        reached[batch.source] = max(mark, batch.last)
        answers.append(Appended(len(new.lines), len(batch.lines) - len(new.lines)))
        trimmed.append(new)

    return trimmed, answers


def trim(batch: Incoming, mark: int) -> Incoming:
    """Give what of a batch lies behind the mark: maybe nothing, then its lines and its quarantined are empty."""
    if batch.first > mark:
        return batch

    fresh = [index for index, seq in enumerate(batch.seqs) if seq > mark]

    return replace(
        batch,
        first=min(mark, batch.last) + 1,
        seqs=[batch.seqs[index] for index in fresh],
        lines=[batch.lines[index] for index in fresh],
        events=[batch.events[index] for index in fresh],
        quarantined=[line for line in batch.quarantined if line.seq > mark],
        blocks=(),
        odd=None,
    )


def _load(path: Path, now_us: int) -> dict[str, _Mark]:
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        return {}

    try:
        return {str(source): _mark(value, now_us) for source, value in orjson.loads(data)["marks"].items()}
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise StoreError(
            f"{path} cannot be read: restore it from a copy; without it, what is resent would be stored twice"
        ) from error


def _mark(value: object, now_us: int) -> _Mark:
    """Read a mark; the first hubs wrote the number alone."""
    if isinstance(value, list):
        last, seen_us = value
        return _Mark(int(last), int(seen_us))

    return _Mark(int(str(value)), now_us)
