"""Records that the hub will never take: `dead/` in the spool's directory, one file for each source.

A line of such a file is a JSON object: source, seq, time, reason, and the record's line as text.
Damaged bytes that were found beside records lie here too, as `*.damaged`.
"""

import json
import os
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

if sys.platform != "win32":
    import fcntl

FOLDER = "dead"


@dataclass(frozen=True, slots=True)
class DeadRecord:
    """A record that was refused for good.

    Attributes:
        source: the id under which it was sent.
        seq: its number there.
        time: when it was refused, in seconds since 1970.
        reason: what the hub answered.
        line: the record.
    """

    source: str
    seq: int
    time: float
    reason: str
    line: bytes

    @property
    def id(self) -> str:
        """How it is called: source and number."""
        return f"{self.source}:{self.seq}"


def dead_records(spool: Path) -> Iterator[DeadRecord]:
    """Give what lies in a spool's `dead/`, oldest source first; lines that are damaged are passed over."""
    for path in sorted((spool / FOLDER).glob("*.jsonl")):
        with suppress(OSError), path.open("rb") as file:
            yield from filter(None, map(_read, file))


def add(spool: Path, records: Iterable[DeadRecord], room: float = float("inf")) -> int:
    """Lay records down, as long as there is room.

    Args:
        spool: the spool's directory.
        records: what was refused.
        room: bytes that `dead/` may take in all.

    Returns:
        How many had no room; nobody has them any more.

    Raises:
        OSError: the disk does not take them.
    """
    by_source: dict[str, list[bytes]] = {}
    left_out = 0

    with _alone(spool) as folder:
        room -= sum(path.stat().st_size for path in folder.iterdir())

        for record in records:
            line = _written(record)
            room -= len(line)

            if room >= 0:
                by_source.setdefault(record.source, []).append(line)
            else:
                left_out += 1

        for source, lines in by_source.items():
            _append(folder / f"{source}.jsonl", b"".join(lines))

    return left_out


def purge(spool: Path, unwanted: Callable[[DeadRecord], bool] = lambda _: True) -> int:
    """Delete records.

    Args:
        spool: the spool's directory.
        unwanted: which ones; all where it is left out.

    Returns:
        How many they were.

    Raises:
        OSError: the disk does not take the change.
    """
    gone = 0

    if not (spool / FOLDER).is_dir():
        return 0

    with _alone(spool) as folder:
        for path in sorted(folder.glob("*.jsonl")):
            lines = path.read_bytes().splitlines(keepends=True)
            kept = [line for line in lines if (record := _read(line)) is None or not unwanted(record)]
            gone += len(lines) - len(kept)
            _replace(path, kept)

    return gone


def set_aside(spool: Path, name: str, damaged: bytes) -> None:
    """Keep damaged bytes for whoever wants to look at them.

    Raises:
        OSError: the disk does not take them.
    """
    with _alone(spool) as folder:
        (folder / f"{name}.damaged").write_bytes(damaged)


def now() -> float:
    """Give the time that a new dead record has."""
    return round(time.time(), 3)


@contextmanager
def _alone(spool: Path) -> Iterator[Path]:
    """Make the directory, and keep other processes out of it."""
    folder = spool / FOLDER
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    descriptor = os.open(folder / "LOCK", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)

    try:
        if sys.platform != "win32":
            fcntl.flock(descriptor, fcntl.LOCK_EX)

        yield folder
    finally:
        os.close(descriptor)


def _append(path: Path, data: bytes) -> None:
    """Append whole lines; behind a newline where a crash has torn the last one."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)

    try:
        size = os.fstat(descriptor).st_size

        if size and os.pread(descriptor, 1, size - 1) != b"\n":
            data = b"\n" + data

        try:
            while data:
                data = data[os.write(descriptor, data) :]
        except OSError:
            os.ftruncate(descriptor, size)  # all or nothing: it is tried again as a whole
            raise
    finally:
        os.close(descriptor)


def _replace(path: Path, lines: list[bytes]) -> None:
    if not lines:
        path.unlink()
        return

    made = path.with_suffix(".new")
    made.write_bytes(b"".join(lines))
    made.replace(path)


def _written(record: DeadRecord) -> bytes:
    line = record.line.decode("utf-8", "surrogateescape")
    fields = {
        "source": record.source,
        "seq": record.seq,
        "time": record.time,
        "reason": record.reason,
        "line": line,
    }
    return json.dumps(fields).encode() + b"\n"


def _read(line: bytes) -> DeadRecord | None:
    try:
        fields = json.loads(line)
        text = fields["line"].encode("utf-8", "surrogateescape")
        return DeadRecord(str(fields["source"]), int(fields["seq"]), float(fields["time"]), str(fields["reason"]), text)
    except (ValueError, TypeError, KeyError, AttributeError):
        return None
