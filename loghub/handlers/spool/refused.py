"""Records that the hub refused for good, on their way into `dead/`.

They wait here until the disk has them, and the cursor waits for them. `dead/` has a cap of its own beside the spool's:
what has no room in it is said and given up; it stays counted as dead.
"""

from loghub.handlers.diagnostics import say
from loghub.handlers.spool import dead
from loghub.handlers.spool.settings import Settings
from loghub.wire.batch import Batch

_PART = 4  # `dead/` takes at most this part of the spool's cap
_REMEDY = "look at what is there with `loghub dead list`, and send it again or delete it"


class Refused:
    """Refused records of one spool.

    Args:
        settings: of the spool.
    """

    def __init__(self, settings: Settings) -> None:
        self._folder = settings.folder
        self._room = settings.size // _PART
        self._title = f"spool {settings.folder}"
        self._waiting: list[dead.DeadRecord] = []

    def __len__(self) -> int:
        return len(self._waiting)

    def add(self, batch: Batch, count: int, reason: str) -> None:
        """Take in the first records of a batch."""
        at = dead.now()
        lines = enumerate(batch.lines[:count], batch.first)
        self._waiting += [dead.DeadRecord(batch.source, seq, at, reason, line) for seq, line in lines]

    def bury(self) -> None:
        """Write what waits to `dead/`; where the disk refuses, it is tried again."""
        if not self._waiting:
            return

        try:
            left_out = dead.add(self._folder, self._waiting, self._room)
        except OSError as error:
            say(self._title, f"{error.strerror}: cannot keep {len(self)} refused records", subject="dead")
            return

        self._waiting = []

        if left_out:
            say(self._title, f"dead/ is full: {left_out} refused records were not kept; {_REMEDY}", subject="full")
