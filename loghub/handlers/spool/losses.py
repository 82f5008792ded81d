"""What was lost for want of room, until an event tells of it.

An event waits in the spool as any record does, so it may be dropped in its turn. Then the loss that takes it along
tells of both: the sum over the events that arrive is exact.
"""

from dataclasses import replace

from loghub.handlers.spool.incarnation import Incarnation
from loghub.handlers.spool.loss import Loss


class Losses:
    """Losses of one spool.

    Attributes:
        refused: records that were not taken in and have no numbers yet.
    """

    def __init__(self) -> None:
        self.refused = 0
        self._untold: list[Loss] = []
        self._told: list[tuple[int, Loss]] = []  # with the number of the event that tells of each

    def add(self, lost: Loss) -> None:
        """Note a loss among what was taken over."""
        self._untold.append(lost)

    def add_own(self, lost: Loss) -> None:
        """Note a loss in the lane in which the events stand; earlier events that it takes along are told with it."""
        gone = [loss for seq, loss in self._told if seq <= lost.last]
        self._told = [(seq, loss) for seq, loss in self._told if seq > lost.last]
        first = min([lost.first, *(loss.first for loss in gone if loss.source == lost.source)])
        records = lost.records + sum(loss.records for loss in gone)
        self._untold.append(replace(lost, first=first, records=records))

    def tell(self, own: Incarnation) -> None:
        """Write the event of each loss; one that has no room is told later."""
        if self.refused:
            count, self.refused = self.refused, 0
            self._untold.append(own.skip(count))

        self._told = [(seq, loss) for seq, loss in self._told if seq >= own.oldest]

        while self._untold and own.append(self._untold[0].line()):
            self._told.append((own.newest, self._untold.pop(0)))
