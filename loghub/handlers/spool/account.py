"""What became of the records of a spool, over all of its lanes and those that it had before."""

from typing import TYPE_CHECKING

from loghub.handlers.spool.lanes import Lanes
from loghub.handlers.spool.losses import Losses

if TYPE_CHECKING:
    from loghub.handlers.memory import Lane, Mark, MemoryRing
    from loghub.handlers.spool.incarnation import Incarnation


class Account:
    """The account of a spool: appended = acked + dead + dropped + queued."""

    def __init__(self) -> None:
        self._lanes = Lanes()
        self._losses = Losses()
        self._own: Incarnation | None = None
        self._ring: MemoryRing | None = None

    @property
    def appended(self) -> int:
        """Records taken in, those of the dead included."""
        return self._lanes.counts()[0] + self._losses.refused

    @property
    def acked(self) -> int:
        """Records that the hub has."""
        return self._lanes.counts()[1]

    @property
    def dead(self) -> int:
        """Records that the hub will never take; they are kept in `dead/`."""
        return self._lanes.counts()[2]

    @property
    def dropped(self) -> int:
        """Records that were lost for want of room."""
        return self._lanes.counts()[3] + self._losses.refused

    @property
    def queued(self) -> int:
        """Records that wait or are under way."""
        return sum(lane.queued for lane in self._lanes)

    @property
    def queued_bytes(self) -> int:
        """Their bytes."""
        return sum(lane.queued_bytes for lane in self._lanes)

    def since(self) -> float | None:
        """Give the unix time of the oldest record that waits; None where there is none, or nobody can tell just now."""
        return min((since for lane in self._lanes if (since := lane.since()) is not None), default=None)

    def mark(self) -> "Mark":
        """Give the place behind the newest record of this process."""
        return tuple((lane.source, lane.newest) for lane in (self._own, self._ring) if lane is not None)

    def is_past(self, mark: "Mark") -> bool:
        """Tell whether all records before a place are settled."""
        lanes = {lane.source: lane.oldest for lane in self._lanes}
        return all(lanes.get(lane, newest + 1) > newest for lane, newest in mark)

    def lane(self, source: str) -> "Lane | None":
        """Give the lane of a source that this process began; of those of the dead nobody has the whole account."""
        lanes = (lane for lane in self._lanes if lane.source == source and lane not in self._lanes.adopted)
        return next(lanes, None)

    @property
    def damaged(self) -> int:
        """Bytes that were found damaged in what was taken over."""
        return self._lanes.damaged
