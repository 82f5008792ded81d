"""How long events are kept, and which sealed parts have had their time; decides, deletes nothing.

Rules:
1. What counts is when the hub had an event, never the time that the event says: an import of last year's
   lines is kept as long as today's, and a clock that is ahead keeps nothing for ever.
2. A part goes as a whole, when the newest of its events is too old; the oldest parts go where all of them are too much.
3. Bytes are those of sealed files and of the log. Only sealed files go.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from loghub.hub.store.keep import Keep
from loghub.hub.store.partitions import Part


@dataclass(frozen=True, slots=True)
class Disk:
    """The disk as it is.

    Attributes:
        size: bytes that it has.
        free: bytes that are free, or will be once nobody reads what has gone.
        log: bytes that the log takes.
    """

    size: int
    free: int
    log: int


def expired(parts: Sequence[Part], disk: Disk, *, now_us: int, keep: Keep) -> list[Part]:
    """Give the sealed parts that are too old, and the oldest of those that are too much.

    Args:
        parts: the sealed parts that may go.
        disk: on which they are.
        now_us: the time.
        keep: how much is kept.
    """
    total = disk.log + sum(part.size for part in parts)
    missing = keep.free.of(disk.size) - disk.free
    gone = []

    for part in sorted(parts, key=lambda part: part.extent.received_us):
        if part.extent.received_us >= now_us - keep.age_us and total <= keep.size and missing <= 0:
            break

        gone.append(part)
        total -= part.size
        missing -= part.size

    return gone
