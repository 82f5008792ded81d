"""How many bytes the incarnations of a spool take, and what gives way where that is the cap.

The cap holds for all processes together, so who makes a segment looks first what the others have by now. Who finds no
room looks again after a moment only: each record that is refused would look anew.
"""

import time

from loghub.handlers.spool.heritage import size_of_others
from loghub.handlers.spool.incarnation import Incarnation
from loghub.handlers.spool.lanes import Lanes
from loghub.handlers.spool.losses import Losses
from loghub.handlers.spool.settings import Settings

_AMPLE = 0.5  # part of the cap; beyond it nothing is made ahead
_AGAIN = 0.05  # seconds


class Room:
    """The room of one spool.

    Args:
        settings: how it works.
        lanes: those that are written or were taken over.
        losses: takes what is dropped.

    Attributes:
        others: bytes of the incarnations of others.
    """

    def __init__(self, settings: Settings, lanes: Lanes, losses: Losses) -> None:
        self._settings = settings
        self._lanes = lanes
        self._losses = losses
        self.others = 0
        self._look_at = 0.0

    def look(self, own: Incarnation | None) -> None:
        """Count what others take; other processes come and go."""
        self.others = size_of_others(self._settings.folder, own.source if own else None)
        self._look_at = time.monotonic() + _AGAIN

    def used(self, own: Incarnation) -> float:
        """Give the part of the cap that is used."""
        return (self.others + own.size) / self._settings.size

    def is_ample(self, own: Incarnation, needed: int) -> bool:
        """Tell whether so many bytes may be taken before somebody needs them."""
        self._look_again(own)
        return self.used(own) + needed / self._settings.size <= _AMPLE

    def make(self, own: Incarnation, level: int, needed: int) -> bool:
        """Drop old segments until there is room for so many bytes of a record's level; tell whether there is."""
        policy = self._settings.overflow

        if needed:
            self._look_again(own)

        while self.others + own.size + needed > policy.share(level) * self._settings.size:
            if not policy.makes_room(level) or not self._drop_oldest(own):
                return False

        return True

    def _look_again(self, own: Incarnation) -> None:
        if time.monotonic() >= self._look_at:
            self.look(own)

    def _drop_oldest(self, own: Incarnation) -> bool:
        """Drop the oldest segment of the oldest lane that has one to spare."""
        for lane in sorted(self._lanes.adopted, key=lambda lane: lane.source):
            if (lost := lane.drop_oldest()) is not None:
                self.others -= lost.size

                if lost.records:
                    self._losses.add(lost)

                return True

        lost = own.drop_oldest()

        if lost is not None and lost.records:
            self._losses.add_own(lost)

        return lost is not None
