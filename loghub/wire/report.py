"""What a sender tells of itself beside each batch, and the checksum by which damage on the way is noticed.

Both are headers of the request:

```
Loghub-Sender: time=1790000000123, sent=1200, acked=1000, queued=200, retried=3, dead=0, dropped=0
Loghub-Digest: crc32=0a1b2c3d
```

1. The report is a dictionary of RFC 9651. What a sender does not know it leaves out; what a reader does not know
   it passes over. The numbers are those at the moment of sending: the batch itself is among the queued.
2. sent = acked + queued + dead + dropped. Each counts records of the batch's source, `retried` counts requests.
3. The checksum covers the batch's key and its lines as they are before compression, so that a proxy that packs
   anew does no harm, while a flipped bit in lines or key does not pass for a record.
"""

import re
import zlib
from collections.abc import Iterable
from dataclasses import dataclass, fields

REPORT_HEADER = "Loghub-Sender"
DIGEST_HEADER = "Loghub-Digest"

_MEMBER = re.compile(r"([a-z]{1,16})=(-?[0-9]{1,15})")  # RFC 9651: an integer has at most 15 digits
_DIGEST = re.compile(r"crc32=([0-9a-f]{8})")
_LONGEST = 1024


@dataclass(frozen=True, slots=True)
class Report:
    """A sender's account of one source; None where it does not know.

    Attributes:
        time: the sender's clock, in unix milliseconds.
        sent: records that the application has handed over.
        acked: records that a hub has acknowledged.
        queued: records that wait or are under way.
        retried: requests that had to be made again.
        dead: records that the hub refused for good.
        dropped: records lost for want of room.
    """

    time: int | None = None
    sent: int | None = None
    acked: int | None = None
    queued: int | None = None
    retried: int | None = None
    dead: int | None = None
    dropped: int | None = None


_NAMES = tuple(field.name for field in fields(Report))


def write_report(report: Report) -> str:
    """Write a report as the value of its header."""
    values = ((name, getattr(report, name)) for name in _NAMES)
    return ", ".join(f"{name}={value}" for name, value in values if value is not None)


def read_report(text: str | None) -> Report | None:
    """Read the value of the header; None where it says nothing that can be understood."""
    found: dict[str, int] = {}

    for member in (text or "")[:_LONGEST].split(","):
        match = _MEMBER.fullmatch(member.strip())

        if match and match[1] in _NAMES and (match[1] == "time" or int(match[2]) >= 0):
            found[match[1]] = int(match[2])

    return Report(**found) if found else None


def digest(key: str, lines: Iterable[bytes]) -> str:
    """Give the value of the digest header: of a batch's key and of its lines, in as many pieces as one likes."""
    crc = zlib.crc32(key.encode())

    for line in lines:
        crc = zlib.crc32(line, crc)

    return f"crc32={crc:08x}"


def is_damaged(told: str | None, key: str, body: bytes) -> bool:
    """Tell whether a body is not the one that was sent; without a digest, or with one of another kind, nobody knows."""
    return told is not None and bool(_DIGEST.fullmatch(told)) and told != digest(key, (body,))
