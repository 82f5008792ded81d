"""Taking in lines from any thread: one lock, an inbox for nested calls, and those who wait until all is delivered.

Rules:
1. `append` waits for no network and takes no lock that a signal handler or a `__del__` on the same thread
   could be waiting for: a nested call leaves its line in a deque, and the outer one writes it before it returns.
   It makes no system call and wakes nobody, unless the thread that delivers sleeps. Where the backlog is full and has
   patience, the caller waits, outside of the lock.
2. Nobody looks into the backlog but through `_alone`, which leaves nothing in the inbox behind.

Who delivers, and when, is the engine's: `loghub.handlers.worker`.
"""

import os
import threading
import time
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

from loghub.handlers.memory import Backlog, Mark
from loghub.wire.batch import source_id

_ROOM_PAUSE = 0.005  # between looks for room


class Intake(ABC):
    """Where lines come in.

    Args:
        make_backlog: makes the place where lines wait, for a source id.
    """

    def __init__(self, make_backlog: Callable[[str], Backlog]) -> None:
        self._make_backlog = make_backlog
        self._begin()

    def _begin(self) -> None:
        """Make what belongs to one process: called when it is made and in the child of a fork."""
        self._lock = threading.RLock()
        self._busy = False
        self._inbox: deque[tuple[bytes, int]] = deque()
        self._backlog = self._make_backlog(source_id(time.time_ns() // 1_000_000, os.urandom(6)))
        self._waiters: deque[tuple[Mark, threading.Lock]] = deque()
        self._hurry_to: Mark = ()  # up to this place nothing lingers
        self._asleep = True  # nobody looks for lines by himself
        self._gave_up = False  # nothing more will be delivered

    def append(self, line: bytes, level: int = 0) -> None:
        """Take a line in; it never waits for the network.

        Args:
            line: what to send.
            level: of its record; some backlogs keep room for the high ones.
        """
        taken = True

        with self._lock:
            if self._busy:  # a signal handler, or a __del__, in the midst of another call
                self._inbox.append((line, level))
                return

            self._busy = True

            try:
                taken = self._backlog.write(line, level) or self._backlog.append(line, level)
            finally:
                self._busy = False

            if self._inbox:
                self._take_in()

        if self._asleep:
            self._wake()

        if not taken:
            self._insist(line, level)

    def flush(self, timeout: float) -> bool:
        """Send what waits now, without lingering.

        Args:
            timeout: seconds to wait for it; 0 only hurries.

        Returns:
            Whether nothing of it is left to send.
        """
        done = threading.Lock()
        done.acquire()

        with self._alone() as backlog:
            waiter = (backlog.mark(), done)
            self._hurry_to = waiter[0]

            if (past := backlog.is_past(waiter[0])) or self._gave_up:
                return past

            self._waiters.append(waiter)

        self._ring()
        done.acquire(timeout=min(max(timeout, 0.0), threading.TIMEOUT_MAX))

        with self._alone() as backlog:
            with suppress(ValueError):
                self._waiters.remove(waiter)

            return backlog.is_past(waiter[0])

    @property
    def guarantee(self) -> str:
        """What a record survives: the backlog knows."""
        return self._backlog.guarantee

    # Taking in.

    def _take_in(self) -> None:
        """Move lines from the inbox to the backlog; a nested call leaves that to the outer one."""
        if self._busy:
            return

        self._busy = True

        try:
            while self._inbox:
                if not self._backlog.append(*self._inbox.popleft()):
                    self._backlog.refuse()
        finally:
            self._busy = False

    @contextmanager
    def _alone(self) -> Iterator[Backlog]:
        """Give the backlog with nothing left in the inbox, and keep nested calls out of it meanwhile."""
        with self._lock:
            self._take_in()
            before, self._busy = self._busy, True

            try:
                yield self._backlog
            finally:
                self._busy = before
                came = bool(self._inbox)
                self._take_in()

        if came and self._asleep:
            self._wake()

    def _insist(self, line: bytes, level: int) -> None:
        """Wait for room as long as the backlog has patience, then count the line as lost."""
        until = time.monotonic() + self._backlog.patience

        while self._may_wait() and time.monotonic() < until:
            self._ring()
            time.sleep(_ROOM_PAUSE)

            with self._alone() as backlog:
                if backlog.append(line, level):
                    return

        with self._alone() as backlog:
            backlog.refuse()

    def _release_waiters(self, backlog: Backlog) -> None:
        for waiter in tuple(self._waiters):
            if backlog.is_past(waiter[0]) or self._gave_up:
                self._waiters.remove(waiter)
                waiter[1].release()

    # Of whoever delivers.

    @abstractmethod
    def _wake(self) -> None:
        """Let somebody look for lines."""

    @abstractmethod
    def _ring(self) -> None:
        """Let whoever delivers look at once; takes no lock."""

    @abstractmethod
    def _may_wait(self) -> bool:
        """Tell whether somebody else delivers meanwhile."""
