"""How a spool works: what was read from the options."""

from dataclasses import dataclass
from pathlib import Path

from loghub.handlers.spool.overflow import POLICIES, Overflow

_ADOPT_EVERY = 30.0
_SEGMENT = 4 * 1024 * 1024
_SMALLEST_SEGMENT = 64 * 1024
_FIRST_SEGMENT = 256 * 1024
_DOUBLINGS = 16
_PART = 16  # a segment is at most this part of the cap
_RING = (100_000, 32_000_000)
SMALLEST = 4 * _SMALLEST_SEGMENT
"""The least cap that leaves room for a segment that is read, one that is written, and some to drop."""


@dataclass(frozen=True, slots=True)
class Settings:
    """How a spool works.

    Attributes:
        folder: its directory.
        destination: the address that its records are for.
        size: bytes that all incarnations in it may take.
        overflow: what is done where that is not enough.
        patience: seconds that a call waits for room; only where `overflow` says so.
        durability: when records are brought to the disk: process (never by itself), interval, batch, record.
        send: whether this process sends them.
        ring: records and bytes that may wait in memory where the disk refuses.
        keep: seconds after which records that nobody takes are dropped; 0 for never.
        adopt_every: seconds between two looks for what others have left.
    """

    folder: Path
    destination: str
    size: int = 512_000_000
    overflow: Overflow = POLICIES["drop_oldest"]
    patience: float = 0.0
    durability: str = "process"
    send: bool = True
    ring: tuple[int, int] = _RING
    keep: float = 0.0
    adopt_every: float = _ADOPT_EVERY

    def segment(self, number: int) -> int:
        """Give the bytes of an incarnation's segment, counted from 0: each is twice the last one, up to a limit.

        A process that logs little, or is restarted all the time, takes little of the cap.
        """
        most = max(min(self.size // _PART, _SEGMENT), _SMALLEST_SEGMENT)
        return min(_FIRST_SEGMENT << min(number, _DOUBLINGS), most)
