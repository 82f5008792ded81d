"""What was lost for want of room, until an event tells of it.

An event waits in the spool as any record does, so it may be dropped in its turn. Then the loss that takes it along
tells of both: the sum over the events that arrive is exact.
"""

from dataclasses import replace

from loghub.handlers.spool.incarnation import Incarnation
from loghub.handlers.spool.loss import Loss

_EVENT = bytes(1024)  # longer than any event that tells of a loss


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

    def refuse(self, own: Incarnation | None) -> None:
        """Note that a record was not taken in, where a kill leaves it to be told by another process."""
        self.refused += 1

        if own is not None:
            own.tally.note(self.refused)

    def tell(self, own: Incarnation) -> None:
        """Write the event of each loss; one that has no room is told later."""
        self._told = [(seq, loss) for seq, loss in self._told if seq >= own.oldest]

        while self._untold and own.append(self._untold[0].line()):
            self._told.append((own.newest, self._untold.pop(0)))

        if self.refused and own.fits(_EVENT):
            loss = own.skip(self.refused)

            if own.append(loss.line()):
                self._told.append((own.newest, loss))
                self.refused = 0
                own.tally.note(0)

    def leave(self, own: Incarnation) -> None:
        """Let go of a lane: the refusals that no event tells there are told by whoever takes it over."""
        own.admits = 0
        self.tell(own)

        if self.refused:
            own.skip(self.refused)
            self.refused = 0

        self._told = []
