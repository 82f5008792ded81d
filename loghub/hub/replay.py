"""Replaying the quarantine: lines that are events by now (a longer line is allowed, a bug was fixed) are stored."""

import os
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby

from loghub.hub.ingest import BadLine, GoodLine, Reading, read_line
from loghub.hub.store.quarantine import KeptLine, Quarantine
from loghub.hub.writer import Writer
from loghub.wire.batch import Identity, source_id
from loghub.wire.ndjson import RawLine

_AT_ONCE = 1_000
_one_at_a_time = threading.Lock()


@dataclass(frozen=True, slots=True)
class Replayed:
    """What became of the quarantine: events stored, and lines that stay."""

    accepted: int
    left: int


def replay(quarantine: Quarantine, writer: Writer, max_line: int) -> Replayed:
    """Store each line that is an event by now, exactly once; it blocks.

    Args:
        quarantine: where the lines are.
        writer: stores them.
        max_line: bytes that a line may have.

    Raises:
        OSError: the disk refused; what is not stored stays, and trying again goes on.
    """
    with _one_at_a_time:
        source = source_id(time.time_ns() // 1_000_000, os.urandom(6))
        named = quarantine.name(source, lambda kept: isinstance(_read(kept, 0, max_line), GoodLine))
        accepted = 0

        for _, run in groupby(named, key=_source):
            lines = list(run)

            for start in range(0, len(lines), _AT_ONCE):
                accepted += _store(lines[start : start + _AT_ONCE], writer, max_line)

        if named:
            quarantine.remove(named)

        return Replayed(accepted, quarantine.lines(0, 0)[1])


def _store(lines: Sequence[KeptLine], writer: Writer, max_line: int) -> int:
    """Store lines of one replay; gives how many were not stored before."""
    read = [_read(kept, index, max_line) for index, kept in enumerate(lines)]
    good = [line for line in read if isinstance(line, GoodLine)]
    bad = [line for line in read if not isinstance(line, GoodLine)]  # the limit is smaller than at the first attempt
    reading = Reading.of(len(lines), time.time_ns() // 1000, good, bad)
    (source, first), (_, last) = (kept.replay or ("", 0) for kept in (lines[0], lines[-1]))
    return writer.submit(reading, Identity(source, first, last)).result().accepted


def _read(kept: KeptLine, index: int, max_line: int) -> GoodLine | BadLine:
    return read_line(index, RawLine(kept.line, kept.text.encode()), max_line, kept.received_us)


def _source(kept: KeptLine) -> str:
    return kept.replay[0] if kept.replay else ""
