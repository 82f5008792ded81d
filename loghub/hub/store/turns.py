"""A lock that goes to those who wait in the order in which they came.

A plain lock may go again and again to the thread that has just let go of it: while there is always
something to seal, a deletion would wait for ever.
"""

import threading
from collections import deque
from types import TracebackType


class Turns:
    """A fair lock, for `with` blocks."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._line: deque[object] = deque()

    def __enter__(self) -> None:
        self.take()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.give()

    def take(self, timeout: float | None = None) -> bool:
        """Wait for the turn, at most `timeout` seconds; tell whether it came."""
        ticket = object()

        with self._changed:
            self._line.append(ticket)

            if self._changed.wait_for(lambda: self._line[0] is ticket, timeout):
                return True

            self._line.remove(ticket)
            self._changed.notify_all()
            return False

    def give(self) -> None:
        """End the turn."""
        with self._changed:
            self._line.popleft()
            self._changed.notify_all()
