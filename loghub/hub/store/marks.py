"""High-water marks: the last sequence number that the hub has of each source.

A sender has one batch in flight and sends in order, so everything up to the mark is here and
everything behind it is new, however a resend is cut. The marks live apart from the rows:
retention deletes rows, never marks. Their file may lag behind; the log's headers bring it up to date.
"""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import orjson

from loghub.errors import StoreError
from loghub.hub.store.durable import replace_file
from loghub.hub.store.protocol import Incoming


class Marks:
    """The marks, in memory and in their file."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._last = _load(path)
        self._saved = dict(self._last)

    def last(self, source: str) -> int:
        """Give the mark of a source, -1 for an unknown one."""
        return self._last.get(source, -1)

    def raise_to(self, marks: Mapping[str, int]) -> None:
        """Take note of what is on the disk now; a mark never goes back."""
        for source, last in marks.items():
            self._last[source] = max(last, self.last(source))

    def save(self) -> None:
        """Write the file, where something changed.

        Raises:
            OSError: the disk refused; the file is as it was.
        """
        current = dict(self._last)

        if current != self._saved:
            replace_file(self._path, orjson.dumps({"marks": current}, option=orjson.OPT_APPEND_NEWLINE))
            self._saved = current


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
    )


def _load(path: Path) -> dict[str, int]:
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        return {}

    try:
        return {str(source): int(last) for source, last in orjson.loads(data)["marks"].items()}
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise StoreError(
            f"{path} cannot be read: restore it from a copy; without it, what is resent would be stored twice"
        ) from error
