"""Spools for tests, and what is in them."""

import json
import resource
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from loghub.handlers.spool import Settings, Spool

LINE = b"x" * 10_000 + b"\n"
DESTINATION = "http://127.0.0.1:9"


def spool_in(folder: Path, **options: Any) -> Spool:
    spool = Spool(replace(Settings(folder, DESTINATION), **options))
    spool.tend()
    return spool


def add(spool: Spool, line: bytes, level: int = 20) -> bool:
    return spool.write(line, level) or spool.append(line, level)


def added_or_refused(spool: Spool) -> bool:
    taken = add(spool, LINE)

    if not taken:
        spool.refuse()

    return taken


def drained(spool: Spool, records: int = 500) -> list[bytes]:
    lines: list[bytes] = []

    while (batch := spool.take(records, 1_000_000)) is not None:
        lines += batch.lines
        spool.settle_acked(len(batch.lines))

    spool.tend()
    return lines


def incarnations(folder: Path) -> list[str]:
    return sorted(path.name for path in (folder / "v1").iterdir())


def told(lines: list[bytes]) -> list[dict[str, Any]]:
    return [json.loads(line) for line in lines if b"records dropped" in line]


def numbered(spool: Spool) -> list[tuple[int, bytes]]:
    found: list[tuple[int, bytes]] = []

    while (batch := spool.take(500, 1_000_000)) is not None:
        found += enumerate(batch.lines, batch.first)
        spool.settle_acked(len(batch.lines))

    return found


@contextmanager
def no_file_larger_than(size: int) -> Iterator[None]:
    """Let the disk refuse."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))

    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, handler)
