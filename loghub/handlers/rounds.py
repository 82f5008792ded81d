"""A thread that visits files from time to time: to flush them to the device, or to write what waits for them.

It starts with the first file, holds up nobody who writes, and ends when no file wants to be visited any more. The end
of the process waits for a last round, for a bounded time. The child of a fork has a thread of its own.
"""

import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Any
from weakref import WeakSet

from loghub.handlers import lifetime
from loghub.handlers.sole_thread import SoleThread

_EXIT_SECONDS = 2.0

Visit = Callable[[Any], bool]


class Rounds(SoleThread):
    """Visits things from time to time.

    Args:
        name: of the thread.
        seconds: between two visits.
        visit: called with each; False where it wants no further visit.
    """

    def __init__(self, name: str, seconds: float, visit: Visit) -> None:
        self._name = name
        self._seconds = seconds
        self._visit = visit
        self._begin()

    def _begin(self) -> None:
        self._lock = threading.RLock()  # a signal handler may log while its thread holds it
        self._thread = None
        self._visited: WeakSet[Any] = WeakSet()
        self._bell = threading.Lock()
        self._bell.acquire()
        self._last: threading.Lock | None = None

    def mind(self, one: object) -> None:
        """Visit a thing as long as it wants; waits for nothing."""
        with self._lock:
            self._visited.add(one)

            if self._thread is not None:
                return

            thread = threading.Thread(target=self._run, name=self._name, daemon=True)

            if not self._claim(thread):
                return

        try:
            thread.start()
        except RuntimeError:  # as late in the interpreter's end: who closes the file does it
            self._thread = None

    def begin_exit(self) -> None:
        """Wait for nothing."""

    def finish_exit(self) -> bool:
        """Wait for a round that begins now."""
        last = threading.Lock()
        last.acquire()

        with self._lock:
            is_alone = self._thread is None
            self._last = None if is_alone else last

        if is_alone:
            for one in tuple(self._visited):  # those for which no thread could be started
                self._visit(one)

            return True

        with suppress(RuntimeError):  # it rings already
            self._bell.release()

        return last.acquire(timeout=_EXIT_SECONDS)

    def after_fork(self) -> None:
        """Start anew in the child."""
        self._begin()

    def _run(self) -> None:
        while self._goes_on():
            self._bell.acquire(timeout=self._seconds)
            last = self._last

            for one in tuple(self._visited):
                if not self._visit(one):
                    self._visited.discard(one)

            if last is not None:
                self._last = None
                last.release()

    def _goes_on(self) -> bool:
        with self._lock:
            if not self._visited:
                self._thread = None

                if self._last is not None:
                    self._last.release()
                    self._last = None

            return self._thread is not None


def rounds(name: str, seconds: float, visit: Visit) -> Rounds:
    """Give this process's thread of a name for visits of one kind."""
    return lifetime.keep(("rounds", name, visit.__qualname__), lambda: Rounds(name, seconds, visit))
