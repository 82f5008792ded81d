"""A frame: one line in a segment, with its sequence number and a checksum.

| bytes | what |
|---|---|
| 2 | magic `LH` |
| 1 | version |
| 1 | flags, none so far |
| 4 | length of the payload |
| 8 | sequence number |
| 8 | time in ns since 1970 |
| … | payload: the line |
| 4 | CRC32 of all of the above |

Rules:
1. No frame starts with zero bytes, and a new segment is all zeros: the first zero byte after a frame is the end.
2. What is neither a frame nor zero is damage: reading goes on at the next frame whose checksum is right and whose
   number is higher than the last one's. So nothing beyond the damaged bytes is lost, and nothing comes twice.
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol
from zlib import crc32

MAGIC = b"LH"
VERSION = 1
HEADER = 24
TRAILER = 4
_HEAD = struct.Struct("<2sBBIQQ")
_CRC = struct.Struct("<I")
KEEPS_GIL = 5 * 1024  # zlib.crc32 lets go of the GIL for more, and with busy threads gets it back 5 ms later

pack_head = _HEAD.pack
pack_crc = _CRC.pack
unpack_head = _HEAD.unpack


class Bytes(Protocol):
    """What segments are read from: a map or a file."""

    def __getitem__(self, where: slice, /) -> bytes:
        """Give some bytes."""

    def __len__(self) -> int:
        """Give the size."""


@dataclass(frozen=True, slots=True)
class Found:
    """A frame in a segment.

    Attributes:
        at: where it starts.
        end: where the next one does.
        seq: its number.
    """

    at: int
    end: int
    seq: int


@dataclass(frozen=True, slots=True)
class Damage:
    """Bytes between two offsets that are no frames.

    Attributes:
        at: where they start.
        end: where frames go on, or nothing is written any more.
        torn: whether it is the last frame, cut short by the death of its process in the midst of the call.
    """

    at: int
    end: int
    torn: bool = False


def frame(line: bytes, seq: int, time_ns: int) -> bytes:
    """Make the frame of a line; `Incarnation.append` does the same in place."""
    body = pack_head(MAGIC, VERSION, 0, len(line), seq, time_ns) + line
    return body + pack_crc(checksum(body))


def checksum(body: bytes) -> int:
    """Give the CRC32 without letting go of the GIL, however long the line is."""
    view, crc = memoryview(body), 0

    for at in range(0, len(view), KEEPS_GIL):
        crc = crc32(view[at : at + KEEPS_GIL], crc)

    return crc


def scan(data: Bytes, after: int = 0) -> Iterator[Found | Damage]:
    """Find the frames of a segment and what is damaged between them.

    Args:
        data: the segment.
        after: frames up to this number are damage too: they stand where they cannot belong.
    """
    at, size = 0, len(data)

    while at < size:
        found = frame_at(data, at)

        if found is not None and found.seq > after:
            yield found
            at, after = found.end, found.seq
        elif _is_zero(data, at):
            return
        else:
            nearest = _resume(data, at, after)
            yield Damage(at, nearest, torn=_is_torn(data, at, nearest))
            at = nearest


def frame_at(data: Bytes, at: int) -> Found | None:
    """Check the frame that starts here; None where there is none."""
    head = data[at : at + HEADER]

    if len(head) < HEADER or not head.startswith(MAGIC):
        return None

    _, version, _, length, seq, _ = unpack_head(head)
    end = at + HEADER + length

    if version != VERSION or end + TRAILER > len(data):
        return None

    right = pack_crc(checksum(data[at:end])) == data[end : end + TRAILER]
    return Found(at, end + TRAILER, seq) if right else None


def _is_torn(data: Bytes, at: int, end: int) -> bool:
    """Tell whether a frame starts here, of which only a part was written."""
    head = data[at : at + HEADER].ljust(HEADER, b"\0")
    _, version, _, length, _, _ = unpack_head(head)
    started = head.startswith(MAGIC) and version == VERSION and end <= at + HEADER + length + TRAILER
    return (started or end < at + HEADER) and _is_zero(data, end)


def _is_zero(data: Bytes, at: int) -> bool:
    """Tell whether nothing is written from here on, to the end."""
    return not any(data[start : start + 65536].strip(b"\0") for start in range(at, len(data), 65536))


def _resume(data: Bytes, at: int, after: int) -> int:
    """Give the place behind `at` where frames go on, or the end of what is written."""
    rest = data[at : len(data)]
    written = len(rest.rstrip(b"\0"))
    place = 0

    while (place := rest.find(MAGIC, place + 1)) > 0:
        found = frame_at(data, at + place)

        if found is not None and found.seq > after:
            return at + place

    return at + written
