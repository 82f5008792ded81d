"""The thread of `write: async`: it writes the lines of a `JSONFileHandler`.

Rules:
1. `put` appends to a queue and touches no disk. The thread starts with the first line, writes what has gathered 20 ms
   after it was woken, and ends when the handler is closed and nothing is queued.
2. The queue is bounded in lines and bytes. When it is full: `block` waits for room, up to a timeout (once that ran
   out, nobody waits again before there was room); `drop_oldest` and `drop_new` say which; `by_level` drops new lines
   of INFO and below from 80 % on, of WARNING from 90 %, and the oldest for an ERROR. What is dropped is counted and
   told in the file.
3. `drain` writes the queue in the thread that calls it: `flush` and `close` wait for no thread but for the batch that
   is being written, and that for a bounded time. A new configuration calls them while it holds logging's lock.
4. The child of a fork has an empty queue and no thread: what the parent queued is the parent's to write.
5. At exit the queue is drained for a deadline; what is left then is lost, counted and said (but for the batch that is
   being written: nobody knows). Lines that come later are written where they are logged, and nothing waits long again.
"""

import logging
import threading
import time
from collections import deque
from contextlib import suppress
from dataclasses import dataclass
from weakref import WeakSet

from loghub.handlers import lifetime
from loghub.handlers.diagnostics import say
from loghub.handlers.fallback import Refused
from loghub.handlers.sole_thread import SoleThread
from loghub.handlers.sturdy_file import SturdyFile

_LINGER_SECONDS = 0.02
_CHUNK_BYTES = 64_000
_RETRY_SECONDS = 0.5
_AFTER_END_SECONDS = 0.1
_FOREVER = 3600.0


@dataclass(frozen=True, slots=True)
class Queue:
    """Bounds of the queue.

    Attributes:
        lines: how many may be queued.
        size: how many bytes.
        overflow: "block", "drop_oldest", "drop_new" or "by_level".
        timeout: seconds that `block` waits.
        deadline: seconds that `flush`, `close` and the end of the process wait.
    """

    lines: int = 10_000
    size: int = 16_000_000
    overflow: str = "block"
    timeout: float = 1.0
    deadline: float = 5.0


class LineWorker(SoleThread):
    """Takes lines at once and writes them soon.

    Args:
        sturdy: the file.
        queue: its bounds.
        keeps_records: whether the file's fallback needs them.
    """

    def __init__(self, sturdy: SturdyFile, queue: Queue, *, keeps_records: bool = False) -> None:
        self._sturdy = sturdy
        self._bounds = queue
        self._keeps_records = keeps_records
        self._begin()
        _crew().workers.add(self)

    def _begin(self) -> None:
        self._lock = threading.RLock()  # a signal handler may log while its thread holds it
        self._queue: deque[Refused] = deque()
        self._bytes = 0
        self._dropped = 0  # and not yet in the file's account
        self._bell = threading.Lock()
        self._bell.acquire()
        self._sleeps = False
        self._blocked: deque[threading.Lock] = deque()
        self._patience = True
        self._writer = 0  # the thread that drains
        self._thread = None
        self._closed = self._inline = False
        self._deadline = self._bounds.deadline

    @property
    def queued(self) -> int:
        """Lines that are queued."""
        return len(self._queue)

    @property
    def dropped(self) -> int:
        """Lines that found no room and that the file's account does not know yet."""
        return self._dropped

    def put(self, line: bytes, record: logging.LogRecord) -> None:
        """Queue a line."""
        with self._lock:
            self._closed = False
            taken = self._take_in(line, record)
            wake = self._thread is None or self._sleeps

        if not taken and self._bounds.overflow == "block":
            self._wait_for_room(line, record)

        if wake:
            self._wake()

        if self._inline:
            self.drain()

    def drain(self, seconds: float | None = None) -> bool:
        """Write what is queued at this moment; tell whether that is done.

        Args:
            seconds: how long that may take; the deadline by default.
        """
        seconds = self._deadline if seconds is None else seconds
        until = time.monotonic() + seconds

        if self._writer == threading.get_ident() or not self._sturdy.lock.acquire(timeout=min(seconds, _FOREVER)):
            return False

        self._writer = threading.get_ident()

        try:
            self._move_dropped()
            left = len(self._queue)  # what is logged from now on is not waited for

            while left > 0 and self._queue and time.monotonic() < until:
                batch = self._take_out()
                self._write(batch)
                left -= len(batch)

            self._move_dropped()
        finally:
            self._writer = 0
            self._sturdy.lock.release()

        return left <= 0 or not self._queue

    def close(self) -> bool:
        """Write what is queued; tell whether that worked within the deadline. Else the thread goes on with it."""
        done = self.drain()
        self._closed = True
        self._ring()
        return done

    def end(self, until: float) -> None:
        """Write what is queued before the process ends; the rest is lost."""
        if not self.drain(max(until - time.monotonic(), 0.0)):
            self._deadline = min(self._deadline, _AFTER_END_SECONDS)

            with self._lock:
                left = len(self._queue)
                self._queue.clear()
                self._bytes = 0
                self._dropped += left

            if left:
                say(f"JSONFileHandler {self._sturdy.file.path}", f"the end came before {left} lines were written")

        self._inline = True

    def forget(self) -> None:
        """Start anew in the child of a fork."""
        self._begin()

    # Taking in, under the lock.

    def _take_in(self, line: bytes, record: logging.LogRecord) -> bool:
        if not self._has_room(len(line), self._share(record.levelno)) and not self._make_room(
            len(line), record.levelno
        ):
            return False

        self._queue.append(Refused(line, record if self._keeps_records else None))
        self._bytes += len(line)
        return True

    def _share(self, level: int) -> float:
        """Give the part of the queue that a level may fill."""
        if self._bounds.overflow != "by_level" or level >= logging.ERROR:
            return 1.0

        return 0.9 if level > logging.INFO else 0.8

    def _has_room(self, length: int, share: float) -> bool:
        bounds = self._bounds
        return len(self._queue) < bounds.lines * share and self._bytes + length <= bounds.size * share

    def _make_room(self, length: int, level: int) -> bool:
        """Drop what has to go for a line; False where that is the line itself, or where it may wait."""
        overflow = self._bounds.overflow

        if overflow == "block":
            return False

        if overflow == "drop_new" or (overflow == "by_level" and level < logging.ERROR) or length > self._bounds.size:
            self._dropped += 1
            return False

        while self._queue and not self._has_room(length, 1.0):
            self._bytes -= len(self._queue.popleft().line)
            self._dropped += 1

        return True

    def _wait_for_room(self, line: bytes, record: logging.LogRecord) -> None:
        until = time.monotonic() + self._bounds.timeout

        # Who writes cannot wait for itself: a `__del__` may log while it does.
        while self._patience and self._writer != threading.get_ident() and (left := until - time.monotonic()) > 0:
            room = threading.Lock()
            room.acquire()

            with self._lock:
                if self._take_in(line, record):
                    return

                self._blocked.append(room)

            self._wake()
            room.acquire(timeout=left)

        with self._lock:
            if not self._take_in(line, record):
                self._patience = False
                self._dropped += 1

    # Writing, by the thread or whoever drains.

    def _take_out(self) -> list[Refused]:
        """Take as many lines as are written at once: all of them belong into the file that is open."""
        with self._lock:
            room = min(_CHUNK_BYTES, self._sturdy.file.room)
            batch: list[Refused] = []

            while self._queue and (not batch or len(self._queue[0].line) <= room):
                batch.append(self._queue.popleft())
                room -= len(batch[-1].line)
                self._bytes -= len(batch[-1].line)

            self._patience = True

            while self._blocked:
                self._blocked.popleft().release()

        return batch

    def _write(self, batch: list[Refused]) -> None:
        try:
            self._sturdy.write(b"".join(refused.line for refused in batch))
        except Exception as error:  # noqa: BLE001 (the disk, or a hook of a roll)
            reached = self._sturdy.file.reached

            for refused in batch:
                reached -= len(refused.line)

                if reached < 0:
                    self._sturdy.refuse(*refused, error)

    def _move_dropped(self) -> None:
        with self._lock:
            dropped, self._dropped = self._dropped, 0

        if dropped:
            self._sturdy.account.dropped += dropped
            self._sturdy.lose(dropped, "the queue was full")

    # The thread.

    def _wake(self) -> None:
        thread = None

        with self._lock:
            if self._thread is None and not self._inline:
                thread = threading.Thread(target=self._run, name="loghub-file", daemon=True)

                if not self._claim(thread):
                    thread = None

        if thread is None:
            self._ring()
            return

        try:
            lifetime.arm_exit()
            thread.start()
        except RuntimeError:  # as late in the interpreter's end
            self._thread, self._inline = None, True

    def _ring(self) -> None:
        with suppress(RuntimeError):  # it rings already
            self._bell.release()

    def _run(self) -> None:
        while self._thread is threading.current_thread():
            self._sleeps = True

            if not self._queue:
                self._bell.acquire(timeout=-1 if self._sturdy.is_well else _RETRY_SECONDS)

            self._sleeps = False

            try:
                self._work()
            except Exception as error:  # noqa: BLE001 (a mistake of ours must not end the thread)
                say(f"JSONFileHandler {self._sturdy.file.path}", f"{type(error).__name__}: {error}; going on")
                time.sleep(_RETRY_SECONDS)

    def _work(self) -> None:
        if not self._closed:
            time.sleep(_LINGER_SECONDS)

        self.drain(_FOREVER)
        self._sturdy.try_again()

        with self._lock:
            if self._closed and not self._queue:
                self._thread = None

        if self._thread is None:
            self._sturdy.let_go()


class _Crew:
    """All workers of this process, as what lives as long as it does."""

    def __init__(self) -> None:
        self.workers: WeakSet[LineWorker] = WeakSet()

    def begin_exit(self) -> None:
        """Wait for nothing."""

    def finish_exit(self) -> bool:
        """Write what is queued, all of them within one deadline."""
        workers = tuple(self.workers)
        until = time.monotonic() + max((worker._bounds.deadline for worker in workers), default=0.0)  # noqa: SLF001

        for worker in workers:
            worker.end(until)

        return not any(worker.queued for worker in workers)

    def after_fork(self) -> None:
        """Start anew in the child."""
        for worker in tuple(self.workers):
            worker.forget()


def _crew() -> _Crew:
    return lifetime.keep("file-workers", _Crew)
