"""Lines that are no event: kept, with the reason, for a person to look at.

They are on the disk before their batch is in the log, so a crash in between leaves lines here that the
high-water mark does not know of yet. Those are remembered at start, so that the resend does not add them again.
A file that has grown too large loses its older half. What came too long ago goes, as events do; a query never meets
these lines, since they have no fields.

Replaying, rules:
1. What is to be replayed is written down first, with the identity under which it is sent: a source of its own, numbered
   on. It is removed when it is stored. A crash in between sends it again under the same identity, which the marks trim.
2. What was quarantined meanwhile stays, and so does what still is no event.
"""

import logging
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from loghub.hub.store.durable import GrowingFile, replace_file
from loghub.hub.store.protocol import Incoming, Quarantined

_NEVER = 2**63
_logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class KeptLine:
    """A line in quarantine.

    Attributes:
        source: who sent it.
        seq: its sequence number.
        line: its number in the body it came in.
        received_us: when it came.
        error: why it is no event.
        text: the line; a byte that is no UTF-8 as a backslash, x and two digits.
        replay: the identity under which it is being sent again: a source and a number.
    """

    source: str
    seq: int
    line: int
    received_us: int
    error: str
    text: str
    replay: tuple[str, int] | None = None

    @property
    def id(self) -> str:
        """As the id of an event."""
        return f"{self.source}-{self.seq:016x}"


class Quarantine:
    """The file of quarantined lines.

    Attributes:
        dropped: how many lines were dropped since the start, for want of room.
    """

    def __init__(self, path: Path, most_bytes: int = 64_000_000) -> None:
        self._most_bytes = most_bytes
        self.dropped = 0
        self._lock = threading.RLock()
        self._file = GrowingFile(path)
        self._cut_torn_line()
        self._last = dict(_identities(path))
        self._oldest_us = min((kept.received_us for kept in self._timed()), default=_NEVER)

    def append(self, batches: Sequence[Incoming]) -> None:
        """Keep the quarantined lines of trimmed batches.

        Raises:
            OSError: the disk refused; none is kept.
        """
        if not any(batch.quarantined for batch in batches):
            return

        with self._lock:
            seen = self._seen
            new = [(batch, line) for batch in batches for line in batch.quarantined if line.seq > seen(batch.source)]
            self._file.append(b"".join(_encode(batch, line) for batch, line in new))
            self._last.update((batch.source, line.seq) for batch, line in new)
            self._oldest_us = min([self._oldest_us, *(batch.received_us for batch, _ in new)])
            self._shorten()

    def lines(self, skip: int, limit: int) -> tuple[list[KeptLine], int]:
        """Give at most `limit` lines, the oldest first, behind `skip` of them; and how many there are."""
        found: list[KeptLine] = []
        count = 0

        with self._lock, self._file.path.open("rb") as file:
            for count, kept in enumerate(_read(file), 1):
                if skip < count <= skip + limit:
                    found.append(kept)

        return found, count

    def purge(self) -> int:
        """Remove all lines; gives their number.

        Raises:
            OSError: the disk refused.
        """
        with self._lock:
            _, count = self.lines(0, 0)
            self._file.cut_back(0)

        return count

    def expire(self, before_us: int, slack_us: int) -> int:
        """Remove the lines that came before a time; gives their number.

        Args:
            before_us: the time, in microseconds.
            slack_us: so much longer they may stay, so that the file is not written again for each of them.

        Raises:
            OSError: the disk refused; no line was lost.
        """
        if self._oldest_us >= before_us - slack_us:
            return 0

        gone = 0

        def put(fields: dict[str, Any]) -> dict[str, Any] | None:
            nonlocal gone
            is_old = 0 < _kept(fields).received_us < before_us
            gone += is_old
            return None if is_old else fields

        with self._lock:
            changed = self._changed(put)

            if gone:
                self._replace(changed)

            self._oldest_us = min((kept.received_us for kept in self._timed()), default=_NEVER)

        return gone

    def name(self, source: str, is_good: Callable[[KeptLine], bool]) -> list[KeptLine]:
        """Name the lines that are events now, and give all that have a name, those of an earlier attempt too.

        Args:
            source: under which they are to be sent, numbered from 1.
            is_good: tells whether a line is an event.

        Raises:
            OSError: the disk refused; nothing has a name.
        """
        named: list[KeptLine] = []
        count = 0

        def put(fields: dict[str, Any]) -> dict[str, Any]:
            nonlocal count

            if "replay" not in fields and is_good(_kept(fields)):
                count += 1
                fields["replay"] = [source, count]

            if "replay" in fields:
                named.append(_kept(fields))

            return fields

        with self._lock:
            changed = self._changed(put)

            if count:
                self._replace(changed)

        return named

    def remove(self, named: Sequence[KeptLine]) -> None:
        """Remove lines that are stored.

        Raises:
            OSError: the disk refused.
        """
        gone = {kept.replay for kept in named}

        def put(fields: dict[str, Any]) -> dict[str, Any] | None:
            return None if "replay" in fields and tuple(fields["replay"]) in gone else fields

        with self._lock:
            self._replace(self._changed(put))

    def _changed(self, put: Callable[[dict[str, Any]], dict[str, Any] | None]) -> bytes:
        """Give the file with each line as `put` gives it back; what people have put there stays as it is."""
        changed: list[bytes] = []

        with self._file.path.open("rb") as file:
            for line in file:
                fields = _fields(line)
                after = put(fields) if fields else None

                if fields is None:
                    changed.append(line)
                elif after is not None:
                    changed.append(orjson.dumps(after, option=orjson.OPT_APPEND_NEWLINE))

        return b"".join(changed)

    def _replace(self, data: bytes) -> None:
        path = self._file.path
        replace_file(path, data)
        file = GrowingFile(path)
        self._file.close()
        self._file = file

    def _shorten(self) -> None:
        """Drop the older half of a file that is too large; where the disk refuses, the next append tries again."""
        if self._file.size <= self._most_bytes:
            return

        path = self._file.path

        try:
            data = path.read_bytes()
            start = data.find(b"\n", len(data) // 2) + 1
            self._replace(data[start:])
        except OSError as error:
            _logger.warning("cannot shorten %s: %s", path, error)
            return

        self.dropped += data.count(b"\n", 0, start)

    def _seen(self, source: str) -> int:
        return self._last.get(source, -1)

    def _timed(self) -> Iterator[KeptLine]:
        """Give the lines of which it is known when they came; others are of people, and never too old."""
        with self._file.path.open("rb") as file:
            yield from (kept for kept in _read(file) if kept.received_us > 0)

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
        for kept in _read(file):
            yield kept.source, kept.seq


def _read(file: Iterable[bytes]) -> Iterator[KeptLine]:
    return (_kept(fields) for line in file if (fields := _fields(line)))


def _fields(line: bytes) -> dict[str, Any] | None:
    """Read a line of the file; None where people have edited it so that it is none."""
    try:
        fields: dict[str, Any] = orjson.loads(line)
        _kept(fields)
    except (ValueError, TypeError, KeyError, AttributeError):
        return None

    return fields


def _kept(fields: Mapping[str, Any]) -> KeptLine:
    replay = fields.get("replay")
    return KeptLine(
        source=str(fields["source"]),
        seq=int(fields["seq"]),
        line=int(fields.get("line", 0)),
        received_us=int(fields.get("received", 0)),
        error=str(fields.get("error", "")),
        text=str(fields.get("text", "")),
        replay=(str(replay[0]), int(replay[1])) if replay else None,
    )
