"""The write-ahead log: batches as NDJSON with framed headers, to be read by people too.

Rules:
1. A frame is a header, itself one line of JSON that starts with `{"wal":1,`, and behind it
   `bytes` bytes of lines. Its last key, `crc32`, covers the header in front of it and the lines.
2. Frames are appended whole: batches that are appended together share one write and one sync.
3. `lines` are the ranges of sequence numbers that have a line here. `last` counts the quarantined
   ones too, so that the high-water mark is right where the last line is no event.
4. What follows the last readable frame was never acknowledged and is cut off. An unreadable piece
   that has a readable frame behind it, or that is long enough to have been whole, is set aside and
   reported: a start never refuses.
"""

import re
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from mmap import ACCESS_READ, mmap
from pathlib import Path

import orjson

from loghub.hub.store.durable import GrowingFile
from loghub.hub.store.protocol import Incoming
from loghub.wire.report import Report, read_report, write_report

MAGIC = b'{"wal":1,'
_CRC = b',"crc32":"%08x"}\n'
_CRC_TEXT = re.compile(rb',"crc32":"([0-9a-f]{8})"}\n\Z')
_CRC_LENGTH = len(_CRC % 0)
_MAX_HEADER = 1 << 24


@dataclass(frozen=True, slots=True)
class Header:
    """What a frame says of its batch.

    Attributes:
        source: who sent it.
        first: its first sequence number, quarantined ones counted.
        last: its last one.
        received_us: when the hub had it.
        arrival: arrival number of its first line.
        count: lines.
        size: bytes of the lines.
        ranges: the sequence numbers of the lines, as pairs first, last.
        report: what the sender told of itself.
        skew_us: its clock minus the hub's.
    """

    source: str
    first: int
    last: int
    received_us: int
    arrival: int
    count: int
    size: int
    ranges: tuple[tuple[int, int], ...]
    report: Report | None = None
    skew_us: int | None = None

    @property
    def seqs(self) -> Iterator[int]:
        """The sequence number of each line."""
        return chain.from_iterable(range(first, last + 1) for first, last in self.ranges)


@dataclass(frozen=True, slots=True)
class Frame:
    """A header and its lines."""

    header: Header
    lines: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class Damage:
    """A piece of a log file that is no frame.

    Attributes:
        path: the log file.
        start: its first byte; `end`: the one behind its last.
        tail: whether no readable frame follows.
        whole: whether it is as long as the frame that it seems to be, so that it may have been acknowledged.
    """

    path: Path
    start: int
    end: int
    tail: bool
    whole: bool


def encode_frame(batch: Incoming, arrival: int) -> bytes:
    """Write a batch as a frame."""
    payload = b"".join(batch.lines)
    fields = {
        "wal": 1,
        "source": batch.source,
        "first": batch.first,
        "last": batch.last,
        "received": batch.received_us,
        "arrival": arrival,
        "count": len(batch.lines),
        "bytes": len(payload),
        "lines": to_ranges(batch.seqs),
        **_told(batch),
    }
    head = orjson.dumps(fields)[:-1]
    return head + _CRC % zlib.crc32(payload, zlib.crc32(head)) + payload


def _told(batch: Incoming) -> dict[str, str | int]:
    """Give what the sender told; keys that an older hub passes over."""
    told: dict[str, str | int] = {}

    if batch.report is not None:
        told["report"] = write_report(batch.report)

    if batch.skew_us is not None:
        told["skew"] = batch.skew_us

    return told


def to_ranges(numbers: Sequence[int]) -> list[tuple[int, int]]:
    """Give ascending numbers as ranges.

    >>> to_ranges([1, 2, 3, 5])
    [(1, 3), (5, 5)]
    """
    if numbers and numbers[-1] - numbers[0] == len(numbers) - 1:
        return [(numbers[0], numbers[-1])]

    ranges: list[tuple[int, int]] = []

    for number in numbers:
        if ranges and ranges[-1][1] == number - 1:
            ranges[-1] = (ranges[-1][0], number)
        else:
            ranges.append((number, number))

    return ranges


def append_batches(file: GrowingFile, batches: Sequence[Incoming], arrival: int) -> None:
    """Append batches with one write and one sync, their lines numbered from `arrival` on.

    Raises:
        OSError: the disk refused; the file is as it was.
    """
    frames = []

    for batch in batches:
        frames.append(encode_frame(batch, arrival))
        arrival += len(batch.lines)

    file.append(b"".join(frames))


def read_log(path: Path) -> Iterator[Frame | Damage]:
    """Read the frames of a file, and what is none, in order."""
    with path.open("rb") as file:
        size = file.seek(0, 2)
        start = 0

        while start < size:
            file.seek(start)
            head = file.readline(_MAX_HEADER)
            header, crc = _read_header(head)
            payload = file.read(header.size) if header else b""

            if header and crc == _checksum(head, payload) and len(payload) == header.size:
                yield Frame(header, _split(payload))
                start += len(head) + header.size
                continue

            whole = head.endswith(b"\n") and (header is None or len(payload) == header.size)
            end = _find_frame(path, start + 1)
            yield Damage(path, start, end or size, tail=end is None, whole=whole)
            start = end or size


def _split(payload: bytes) -> tuple[bytes, ...]:
    """Give the lines; unlike `splitlines`, a carriage return ends none."""
    return tuple(line + b"\n" for line in payload[:-1].split(b"\n")) if payload else ()


def _read_header(head: bytes) -> tuple[Header | None, int]:
    """Read a header line; None where it is none."""
    match = _CRC_TEXT.search(head)

    if match is None or not head.startswith(MAGIC):
        return None, 0

    try:
        fields = orjson.loads(head)
        header = Header(
            source=str(fields["source"]),
            first=int(fields["first"]),
            last=int(fields["last"]),
            received_us=int(fields["received"]),
            arrival=int(fields["arrival"]),
            count=int(fields["count"]),
            size=int(fields["bytes"]),
            ranges=tuple((int(first), int(last)) for first, last in fields["lines"]),
            report=read_report(fields.get("report")),
            skew_us=fields.get("skew"),
        )
    except (ValueError, TypeError, KeyError):
        return None, 0

    return (header, int(match[1], 16)) if header.size >= 0 else (None, 0)


def _checksum(head: bytes, payload: bytes) -> int:
    return zlib.crc32(payload, zlib.crc32(head[:-_CRC_LENGTH]))


def _find_frame(path: Path, start: int) -> int | None:
    """Give the position of the next readable frame from `start` on; not every one begins a line where bytes changed."""
    with path.open("rb") as file, mmap(file.fileno(), 0, access=ACCESS_READ) as data:
        position = data.find(MAGIC, start)

        while position >= 0:
            file.seek(position)
            head = file.readline(_MAX_HEADER)
            header, crc = _read_header(head)

            if header and crc == _checksum(head, file.read(header.size)):
                return position

            position = data.find(MAGIC, position + 1)

    return None
