"""The segment that comes next, made before a call needs it: making one waits for the disk.

The thread that reads makes it, the one that writes takes it, each when it finds that there is none, or one: so no lock
is needed. Its file has a name that is no segment's, for whoever takes a dead process's rest over; nothing is in it.
"""

from contextlib import suppress
from pathlib import Path

from loghub.handlers.spool import segment as segments
from loghub.handlers.spool.segment import Segment, Store

NEXT = "next"


class Ahead:
    """At most one segment.

    Args:
        folder: where it is.
    """

    def __init__(self, folder: Path) -> None:
        self._path = folder / NEXT
        self._made: tuple[Segment, Store] | None = None

    @property
    def size(self) -> int:
        """Its bytes on the disk; 0 where there is none."""
        return made[0].size if (made := self._made) else 0

    def make(self, size: int) -> None:
        """Make it.

        Raises:
            OSError: no room on the disk.
        """
        self._made = segments.create(self._path, 0, size)

    def take(self, path: Path, first: int, size: int) -> tuple[Segment, Store] | None:
        """Give it its name and its first number; None where there is none of this size: one that is smaller goes."""
        made, self._made = self._made, None

        if made is not None and made[0].size < size:  # all that follow are as large at least: it would lie there unused
            made[0].unlink()
            return None

        return made if made is not None and made[0].rename(path, first) else None

    def close(self) -> None:
        """Let go of it, in the child of a fork too."""
        if self._made is not None:
            self._made[0].close()

    def remove(self) -> None:
        """Delete it, also one that a dead process has left."""
        made, self._made = self._made, None

        if made is not None:
            made[0].close()

        with suppress(OSError):
            self._path.unlink()
