"""From the body of a request to events, and to the lines that the store keeps.

Rules:
1. A good line is kept byte for byte. Only where reading it had to add or move something (a missing
   time, a value of an odd type, a name that is the hub's own) is it written anew.
2. A bad line never spoils the others: it is quarantined with its number and the reason.
3. Sizes are bounded before and after decompression.
4. A body that was damaged on its way is no bad body: its sender is told to try again, and nothing of it is kept.

Nothing here touches a socket or a disk.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from loghub.event.encode import decode, encode
from loghub.event.model import Event, JSONValue
from loghub.hub.refused import IngestError
from loghub.hub.settings import Limits
from loghub.hub.store.blocks import Block
from loghub.hub.store.lines import LineEvents
from loghub.hub.store.protocol import Incoming, Quarantined
from loghub.hub.store.quick import read_lines
from loghub.hub.unpack import ENCODINGS, unpack
from loghub.wire.batch import Identity, parse_key
from loghub.wire.ndjson import RawLine, TooManyLinesError, plain_lines, split
from loghub.wire.report import Report, is_damaged

MEDIA_TYPES = frozenset(
    (
        "",
        "application/x-ndjson",
        "application/ndjson",
        "application/jsonl",
        "application/jsonlines",
        "application/x-jsonlines",
        "application/stream+json",
        "application/json",
        "application/octet-stream",
        "text/plain",
        "application/x-www-form-urlencoded",  # what curl -d says of any body
    )
)
"""What a body may call itself; it is read for what it is."""

_CHARSETS = ("", "utf-8", "utf8", "us-ascii", "ascii")
_ACCEPT = {"Accept-Encoding": "zstd, gzip, identity"}
_TOO_LARGE = 413
_OWN_NAMES = ("_id", "_received", "_cursor")


@dataclass(frozen=True, slots=True)
class GoodLine:
    """A line that is an event: its place among the lines of the body, from 0, its bytes and the event."""

    index: int
    text: bytes
    event: Event


@dataclass(frozen=True, slots=True)
class BadLine:
    """A line that is none: its place among the lines, its number in the body, its bytes and the reason."""

    index: int
    number: int
    text: bytes
    error: str


@dataclass(frozen=True, slots=True)
class Reading:
    """A body that was read.

    Attributes:
        size: lines in the body, blank ones not counted.
        received_us: when it came.
        places: the place among all lines of each good one, from 0.
        lines: the good ones, as the log keeps them.
        events: the same, read; most of them when someone asks.
        bad: the lines that are none.
        blocks: rows of good lines.
        odd: which good lines are in no block.
        report: what the sender tells of itself.
        skew_us: its clock minus the hub's.
    """

    size: int
    received_us: int
    places: Sequence[int]
    lines: Sequence[bytes]
    events: Sequence[Event]
    bad: Sequence[BadLine] = ()
    blocks: Sequence[Block] = ()
    odd: Sequence[int] | None = None
    report: Report | None = None
    skew_us: int | None = None

    @classmethod
    def of(cls, size: int, received_us: int, good: Sequence[GoodLine], bad: Sequence[BadLine]) -> "Reading":
        """Put lines together that were read one by one."""
        return cls(
            size,
            received_us,
            [line.index for line in good],
            [line.text for line in good],
            [line.event for line in good],
            bad,
        )

    @property
    def good(self) -> list[GoodLine]:
        """The good lines, one by one."""
        return list(map(GoodLine, self.places, self.lines, self.events))

    def batch(self, source: str, first: int) -> Incoming:
        """Give the lines their names: a source, and sequence numbers from `first` on."""
        return Incoming(
            source=source,
            first=first,
            last=first + self.size - 1,
            received_us=self.received_us,
            seqs=_shifted(self.places, first),
            lines=self.lines,
            events=self.events,
            quarantined=[Quarantined(line.number, first + line.index, line.text, line.error) for line in self.bad],
            report=self.report,
            skew_us=self.skew_us,
            blocks=self.blocks,
            odd=self.odd,
        )

    def told(self, report: Report | None, began_us: int) -> "Reading":
        """Add what the sender tells of itself; once this batch is on the disk, it is acknowledged.

        Args:
            report: as it came.
            began_us: when the request began to come.
        """
        if report is None:
            return self

        skew_us = None if report.time is None else report.time * 1000 - began_us

        if report.acked is None:
            return replace(self, skew_us=skew_us)

        queued = None if report.queued is None else max(report.queued - self.size, 0)
        settled = replace(report, time=None, acked=report.acked + self.size, queued=queued)
        return replace(self, report=settled, skew_us=skew_us)


def _shifted(places: Sequence[int], by: int) -> Sequence[int]:
    if isinstance(places, range):
        return range(places.start + by, places.stop + by)

    return [place + by for place in places]


def check_headers(content_type: str, content_encoding: str) -> str:
    """Tell how the body is compressed; "" where it is not.

    Raises:
        IngestError: it is something that cannot be read here.
    """
    media_type, _, parameters = content_type.lower().partition(";")

    if media_type.strip() not in MEDIA_TYPES:
        raise IngestError(415, "media_type", f"cannot read {media_type.strip()}: send application/x-ndjson")

    charset = _charset(parameters)

    if charset not in _CHARSETS:
        raise IngestError(415, "charset", f"cannot read the charset {charset}: send utf-8")

    encoding = content_encoding.strip().lower()

    if encoding in ("", "identity"):
        return ""

    if encoding not in ENCODINGS:
        raise IngestError(
            415, "encoding", f"cannot read the Content-Encoding {encoding}: send zstd, gzip or identity", _ACCEPT
        )

    return ENCODINGS[encoding]


def unpack_whole(body: bytes, encoding: str, limit: int) -> bytes:
    """Decompress a body whose sender has told its digest: one that breaks off was damaged on its way.

    Raises:
        IngestError: it was damaged, or would be larger than `limit`.
    """
    try:
        return unpack(body, encoding, limit)
    except IngestError as error:
        raise (error if error.status == _TOO_LARGE else _damaged()) from None


def check_digest(told: str | None, key: str | None, body: bytes) -> None:
    """Compare a body with the digest that its sender told of it.

    Args:
        told: the digest header.
        key: the Idempotency-Key, which the digest covers too.
        body: as it is after decompression.

    Raises:
        IngestError: it was damaged on its way; sending it again helps.
    """
    if is_damaged(told, key or "", body):
        raise _damaged()


def read_body(body: bytes, *, limits: Limits, now_us: int) -> Reading:
    """Read the events of a body.

    Raises:
        IngestError: it has too many lines.
    """
    numbers, lines = _take_apart(body, limits.lines)
    blocks, odd = read_lines(lines, limits.line)
    known: dict[int, Event] = {}
    bad: list[BadLine] = []

    for place in odd:
        read = read_line(place, RawLine(numbers[place], lines[place][:-1]), limits.line, now_us)

        if isinstance(read, GoodLine):
            lines[place] = read.text
            known[place] = read.event
        else:
            bad.append(read)

    if not bad:
        events = LineEvents(lines, now_us, known, odd)
        return Reading(len(lines), now_us, range(len(lines)), lines, events, (), blocks, odd)

    return _without_bad(lines, now_us, bad)


def _take_apart(body: bytes, most: int) -> tuple[Sequence[int], list[bytes]]:
    """Give the number of each line in the body, and the lines, each with a newline."""
    lines = plain_lines(body)

    if lines is not None and len(lines) <= most:
        return range(1, len(lines) + 1), lines

    try:
        found = split(body, max_lines=most)
    except TooManyLinesError as error:
        raise IngestError(413, "too_many_lines", f"{error}: send less at once") from None

    return [line.number for line in found], [line.text + b"\n" for line in found]


def _without_bad(lines: Sequence[bytes], now_us: int, bad: Sequence[BadLine]) -> Reading:
    """Read the good lines again: their places are others now."""
    gone = {line.index for line in bad}
    places = [place for place in range(len(lines)) if place not in gone]
    good = [lines[place] for place in places]
    blocks, odd = read_lines(good)
    return Reading(len(lines), now_us, places, good, LineEvents(good, now_us, None, odd), bad, blocks, odd)


def identify(key: str | None, reading: Reading) -> Identity | None:
    """Read the Idempotency-Key; None where there is none.

    Raises:
        IngestError: it is no key of ours, or does not count the lines of the body.
    """
    if key is None:
        return None

    identity = parse_key(key)

    if identity is None:
        raise IngestError(400, "bad_key", "Idempotency-Key: expected <source, 24 hex digits>:<first>-<last>")

    expected = identity.last - identity.first + 1

    if expected != reading.size:
        raise IngestError(
            422,
            "bad_key",
            f"Idempotency-Key names {expected} lines ({identity.first}-{identity.last}), the body has {reading.size}",
        )

    return identity


def _damaged() -> IngestError:
    # 503, as every sender tries it again; for a 400 it would cut the batch up, and give records up for dead.
    return IngestError(503, "damaged", "the body is not the one that was sent: send it again")


def _charset(parameters: str) -> str:
    for parameter in parameters.split(";"):
        name, _, value = parameter.partition("=")

        if name.strip() == "charset":
            return value.strip().strip('"')

    return ""


def read_line(index: int, line: RawLine, max_bytes: int, now_us: int) -> GoodLine | BadLine:
    """Read one line of a body, or of a file that is watched."""
    if len(line.text) > max_bytes:
        return BadLine(index, line.number, line.text, f"{len(line.text)} bytes in one line: at most {max_bytes}")

    try:
        fields = decode(line.text)
    except ValueError as error:
        return BadLine(index, line.number, line.text, str(error))

    event = Event.from_mapping(_without_own_names(fields), now_us=now_us)
    text = line.text + b"\n" if event.fields == fields else encode(event.fields)
    return GoodLine(index, text, event)


def _without_own_names(fields: dict[str, JSONValue]) -> Mapping[str, JSONValue]:
    """Move fields that have the names of the hub's own into "extra"."""
    own = {name: fields[name] for name in _OWN_NAMES if name in fields}

    if not own:
        return fields

    extra = fields.get("extra")
    rest = {name: value for name, value in fields.items() if name not in own}
    return rest | {"extra": {**own, **extra} if isinstance(extra, dict) else own}
