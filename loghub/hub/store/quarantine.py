"""Lines that are no event: kept, with the reason, for a person to look at.

They are on the disk before their batch is in the log, so a crash in between leaves lines here that the
high-water mark does not know of yet. Those are remembered at start, so that the resend does not add them again.
A file that has grown too large loses its older half.
"""

import logging
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import orjson

from loghub.hub.store.durable import GrowingFile, replace_file
from loghub.hub.store.protocol import Incoming, Quarantined

_logger = logging.getLogger(__name__)


class Quarantine:
    """The file of quarantined lines.

    Attributes:
        dropped: how many lines were dropped since the start, for want of room.
    """

    def __init__(self, path: Path, most_bytes: int = 64_000_000) -> None:
        self._most_bytes = most_bytes
        self.dropped = 0
        self._file = GrowingFile(path)
        self._cut_torn_line()
        self._last = dict(_identities(path))

    def append(self, batches: Sequence[Incoming]) -> None:
        """Keep the quarantined lines of trimmed batches.

        Raises:
            OSError: the disk refused; none is kept.
        """
        new = [(batch, line) for batch in batches for line in batch.quarantined if line.seq > self._seen(batch.source)]

        if new:
            self._file.append(b"".join(_encode(batch, line) for batch, line in new))
            self._last.update((batch.source, line.seq) for batch, line in new)
            self._shorten()

    def _shorten(self) -> None:
        """Drop the older half of a file that is too large; where the disk refuses, the next append tries again."""
        if self._file.size <= self._most_bytes:
            return

        path = self._file.path

        try:
            data = path.read_bytes()
            start = data.find(b"\n", len(data) // 2) + 1
            replace_file(path, data[start:])
            changed = GrowingFile(path)
        except OSError as error:
            _logger.warning("cannot shorten %s: %s", path, error)
            return

        self._file.close()
        self._file = changed
        self.dropped += data.count(b"\n", 0, start)

    def _seen(self, source: str) -> int:
        return self._last.get(source, -1)

    def close(self) -> None:
        """Let go of the file; idempotent."""
        self._file.close()

    def _cut_torn_line(self) -> None:
        with self._file.path.open("rb") as file:
            whole = sum(len(line) for line in file if line.endswith(b"\n"))

        if whole < self._file.size:
            self._file.cut_back(whole)


def _encode(batch: Incoming, line: Quarantined) -> bytes:
    fields: Mapping[str, object] = {
        "source": batch.source,
        "seq": line.seq,
        "line": line.line,
        "received": batch.received_us,
        "error": line.error,
        "text": line.text.decode(errors="backslashreplace"),
    }
    return orjson.dumps(fields, option=orjson.OPT_APPEND_NEWLINE)


def _identities(path: Path) -> Iterator[tuple[str, int]]:
    """Read who sent what; a line that people have edited is passed over."""
    with path.open("rb") as file:
        for line in file:
            try:
                fields = orjson.loads(line)
                yield str(fields["source"]), int(fields["seq"])
            except (ValueError, TypeError, KeyError):
                continue
