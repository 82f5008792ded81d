"""A descriptor that many threads append to without a lock, while another one rolls over, closes or forks.

Rules:
1. Whoever writes holds the outlet, and its descriptor is closed when the last one lets go of it: a number that was read
   before is nobody else's file.
2. Who lets go of the file shuts the outlet first. A thread that had asked before writes one more line to it: it stands
   in the segment then, which is neither compressed nor deleted before the thread is done.
3. Where such a line went to a deleted file its writer is told so, and offers it again.
4. In the child of a fork all descriptors are closed at once: threads that held an outlet are not there to let go of it.
"""

import errno
import os
import sys
from collections.abc import Callable
from typing import Protocol
from weakref import WeakSet


class StaleError(OSError):
    """A line was refused for a reason that may be over: it is offered again at once."""


class Memory(Protocol):
    """Takes lines, as a list does."""

    def append(self, line: bytes, /) -> None:
        """Take a line."""


class Nothing:
    """Remembers nothing: of a file that no other process moves, or that is none."""

    def append(self, _line: bytes, /) -> None:
        """Forget the line."""


class Late:
    """Looks after the lines of threads that were writing while the file was let go of.

    Args:
        number: the descriptor.
    """

    def __init__(self, number: int) -> None:
        self._number = number

    def append(self, _line: bytes, /) -> None:
        """Refuse a line that nobody would find.

        Raises:
            StaleError: the file was deleted.
        """
        if not os.fstat(self._number).st_nlink:
            raise StaleError(errno.ESTALE, "the file was deleted while it was written to")


class Outlet:
    """A descriptor, and until when a line may be written to it without asking anybody; closed when nobody has it.

    Args:
        number: the descriptor, -1 for none.

    Attributes:
        number: the descriptor.
        since: unix time from which on nobody has to be asked.
        until: unix time before which nobody has to be asked.
        most: bytes that the file may have then.
        remembered: takes the lines that were written since the last look.
    """

    __slots__ = ("__weakref__", "most", "number", "remembered", "since", "until")

    def __init__(self, number: int) -> None:
        self.number = number
        self.since = self.until = 0.0
        self.most = sys.maxsize
        self.remembered: Memory = Nothing()
        _all.add(self)

    def shut(self, close: Callable[[int], None] = os.close) -> None:  # bound early: it runs in the interpreter's end
        """Close the descriptor, whoever has the outlet."""
        number, self.number = self.number, -1

        if number >= 0:
            try:
                close(number)
            except OSError:
                return

    def __del__(self) -> None:
        self.shut()


_all: "WeakSet[Outlet]" = WeakSet()
CLOSED = Outlet(-1)
"""Of no file: always asks."""


def _after_fork_in_child() -> None:
    for outlet in tuple(_all):
        outlet.shut()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork_in_child)
