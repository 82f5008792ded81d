"""A batch: lines of one source with consecutive sequence numbers.

The pair (source, sequence) names a line for good. A batch travels with the header
`Idempotency-Key: <source>:<first>-<last>`, so that the hub sees what it has already.
"""

import re
from dataclasses import dataclass

KEY_HEADER = "Idempotency-Key"
_SOURCE = re.compile(r"[0-9a-f]{24}")
_KEY = re.compile(r"([0-9a-f]{24}):([0-9]{1,18})-([0-9]{1,18})")


@dataclass(frozen=True, slots=True)
class Batch:
    """Lines that are sent together.

    Attributes:
        source: 24 hex digits: 12 for the source's start in unix milliseconds, 12 random.
        first: sequence number of the first line; the others follow without a gap.
        lines: each one ends in a newline.
    """

    source: str
    first: int
    lines: tuple[bytes, ...]

    @property
    def last(self) -> int:
        """Sequence number of the last line."""
        return self.first + len(self.lines) - 1

    @property
    def key(self) -> str:
        """The value of the Idempotency-Key header."""
        return f"{self.source}:{self.first}-{self.last}"


@dataclass(frozen=True, slots=True)
class Identity:
    """What an Idempotency-Key says: a source and its sequence numbers first to last."""

    source: str
    first: int
    last: int


def source_id(started_ms: int, random: bytes) -> str:
    """Make a source's id from its start and six random bytes; ids sort by start."""
    return f"{started_ms & 0xFFFF_FFFF_FFFF:012x}{random[:6].hex()}"


def is_source(text: str) -> bool:
    """Tell whether a text can be a source's id."""
    return _SOURCE.fullmatch(text) is not None


def parse_key(text: str) -> Identity | None:
    """Read an Idempotency-Key; None where it is not one of ours."""
    match = _KEY.fullmatch(text.strip().strip('"'))

    if match is None:
        return None

    identity = Identity(match[1], int(match[2]), int(match[3]))
    return identity if identity.first <= identity.last else None
