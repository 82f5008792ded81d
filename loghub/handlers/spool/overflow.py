"""What is done where the spool's cap is reached: a table."""

import logging
import sys
from dataclasses import dataclass

NOBODY = sys.maxsize


@dataclass(frozen=True, slots=True)
class Overflow:
    """What gives way.

    Attributes:
        old_goes: whether the oldest segment is dropped for a new record.
        waits: whether a call waits for room.
        shares: part of the cap that records from a level on may fill, lowest level first.
    """

    old_goes: bool = False
    waits: bool = False
    shares: tuple[tuple[int, float], ...] = ((0, 1.0),)

    def share(self, level: int) -> float:
        """Give the part of the cap that a record of this level may fill."""
        return [part for least, part in self.shares if least <= max(level, 0)][-1]

    def makes_room(self, level: int) -> bool:
        """Tell whether old records are dropped for one of this level."""
        return self.old_goes and self.share(level) == 1.0

    def admits(self, used: float) -> int:
        """Give the level from which on records are taken in while this part of the cap is used."""
        return next((least for least, part in self.shares if used <= part), self.shares[-1][0])

    def above(self, level: int) -> int:
        """Give the level from which on a record may have room where one of `level` had none."""
        return next((least for least, _ in self.shares if least > max(level, 0)), NOBODY)


POLICIES = {
    "drop_oldest": Overflow(old_goes=True),
    "drop_new": Overflow(),
    "block": Overflow(waits=True),
    "by_level": Overflow(old_goes=True, shares=((0, 0.75), (logging.WARNING, 0.875), (logging.ERROR, 1.0))),
}
"""`by_level`: an eighth is kept for warnings and above, another one for errors."""
