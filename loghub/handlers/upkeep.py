"""What is done about a log's segments behind the application's back: compression and retention.

Rules:
1. One thread of a process does it for all its logs: when a log is first written to, after a roll, but at most twice
   a second, and every minute. It starts then, never at import or configuration, and ends when no log is left to mind.
2. Age and count come first, then compression, then the limits in bytes: what is compressed takes less.
3. A segment that a process still writes to waits; it is tried again soon, then less and less often.
4. The disk's refusal is said, and tried again at the next pass. It never reaches the application.
5. At the end of the process a pass that is due gets a moment; a compression that is broken off begins anew with
   the next process. The child of a fork has a thread of its own when it writes.
"""

import threading
import time
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from queue import Empty, SimpleQueue
from weakref import WeakKeyDictionary

from loghub.handlers import lifetime
from loghub.handlers.compression import compress_all, remove_leftover
from loghub.handlers.diagnostics import say
from loghub.handlers.retention import Retention, prune
from loghub.handlers.sole_thread import SoleThread

_PERIOD = 60.0
_SOON = 1.0
_APART = 0.5
_EXIT_SECONDS = 2.0
_NEVER = float("inf")

_Bell = SimpleQueue["threading.Lock | None"]


@dataclass(frozen=True, slots=True, eq=False, weakref_slot=True)
class Chores:
    """What is to be done for one handler's log; it is minded as long as this lives.

    Attributes:
        log: the file.
        retention: what is kept of its segments.
        form: how they are compressed: "", ".gz" or ".zst".
    """

    log: Path
    retention: Retention
    form: str = ""

    def __bool__(self) -> bool:
        return bool(self.retention or self.form)

    def do(self) -> bool:
        """Do them once; tell whether something has to wait for another process.

        Raises:
            OSError: the disk refused.
        """
        prune(self.log, replace(self.retention, total=None, free=None), time.time())
        waits = False

        try:
            if self.form:
                waits = compress_all(self.log, self.form)
            else:
                remove_leftover(self.log)
        finally:
            prune(self.log, self.retention, time.time())

        return waits


class Upkeep(SoleThread):
    """The thread, and when it has what to do."""

    def __init__(self) -> None:
        self._begin()

    def _begin(self) -> None:
        self._lock = threading.RLock()  # a signal handler may log while its thread holds it
        self._due: WeakKeyDictionary[Chores, float] = WeakKeyDictionary()
        self._last: WeakKeyDictionary[Chores, float] = WeakKeyDictionary()
        self._pauses: WeakKeyDictionary[Chores, float] = WeakKeyDictionary()
        self._leaving: set[Chores] = set()
        self._bell: _Bell = SimpleQueue()
        self._thread = None

    def soon(self, chores: Chores) -> None:
        """Do these as soon as may be, and from time to time from now on; waits for nothing."""
        with self._lock:
            self._due[chores] = self._last.get(chores, 0.0) + _APART
            self._leaving.discard(chores)

            if self._thread is None:
                self._start()

            self._bell.put(None)

    def drop(self, chores: Chores) -> None:
        """Mind a log no longer, after the pass that it was asked for; waits for nothing."""
        with self._lock:
            if self._due.get(chores, _NEVER) < time.monotonic() + _APART:
                self._due[chores] = 0.0
                self._leaving.add(chores)
            else:
                self._due.pop(chores, None)

            self._bell.put(None)

    def settle(self, timeout: float) -> bool:
        """Wait until what is due now is done; tell whether it is."""
        done = threading.Lock()
        done.acquire()

        with self._lock:
            if self._thread is None:
                return not self._due

            soon = time.monotonic() + _APART
            self._due.update({chores: 0.0 for chores, at in self._due.items() if at < soon})
            self._bell.put(done)

        return done.acquire(timeout=timeout)

    def begin_exit(self) -> None:
        """Wait for nothing."""

    def finish_exit(self) -> bool:
        """Give what is due a moment."""
        return self.settle(_EXIT_SECONDS)

    def after_fork(self) -> None:
        """Start anew: the parent's logs are the parent's to mind."""
        self._begin()

    def _start(self) -> None:
        lifetime.arm_exit()
        bell: _Bell = SimpleQueue()
        thread = threading.Thread(target=self._run, args=(bell,), name="loghub-upkeep", daemon=True)

        if not self._claim(thread):
            return

        self._bell = bell

        try:
            thread.start()
        except RuntimeError:  # as late in the interpreter's end: the next process does it
            self._thread = None

    def _run(self, bell: _Bell) -> None:
        waiters: list[threading.Lock] = []

        while (pause := self._until_due()) is not None:
            waiters += _rung(bell, pause)

            self._do_due()

            while waiters:
                waiters.pop().release()

        for waiter in _rung(bell, 0):
            waiter.release()

    def _until_due(self) -> float | None:
        """Give the seconds to the next pass; None, and the thread is over, where nothing is minded."""
        with self._lock:
            if not self._due:
                self._thread = None
                return None

            return max(0.0, min(self._due.values()) - time.monotonic())

    def _do_due(self) -> None:
        for chores in self._take_due():
            self._do(chores)

    def _take_due(self) -> list[Chores]:
        now = time.monotonic()

        with self._lock:
            due = [chores for chores, at in self._due.items() if at <= now]
            self._due.update(dict.fromkeys(due, now + _PERIOD))
            self._last.update(dict.fromkeys(due, now))

            for chores in self._leaving.intersection(due):
                self._leaving.discard(chores)
                del self._due[chores]

        return due

    def _do(self, chores: Chores) -> None:
        try:
            waits = chores.do()
        except Exception as error:  # noqa: BLE001 (the disk, mostly; a mistake of ours must not end the thread)
            say(f"JSONFileHandler {chores.log}", f"cannot compress ({error}); tries again", subject="upkeep")
            waits = True

        with self._lock:
            pause = self._pauses.get(chores, _SOON) if waits else _SOON
            self._pauses[chores] = min(2 * pause, _PERIOD) if waits else _SOON

            if waits and chores in self._due:
                self._due[chores] = min(self._due[chores], time.monotonic() + pause)


def upkeep() -> Upkeep:
    """Give this process's one."""
    return lifetime.keep("upkeep", Upkeep)


def _rung(bell: _Bell, pause: float) -> list[threading.Lock]:
    """Wait for the bell, so long at most; give who waits for what is due now."""
    waiters: list[threading.Lock] = []

    with suppress(Empty):
        while True:
            rung = bell.get(timeout=pause) if pause else bell.get_nowait()
            pause = 0.0

            if rung is not None:
                waiters.append(rung)

    return waiters
