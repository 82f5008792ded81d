"""The only threading code: an engine takes lines from any thread and sends them from a thread of its own.

Rules:
1. Taking in waits for nobody: that is `Intake`, on which the engine stands.
2. An engine is kept by its key and outlives the handlers that use it. `detach` is O(1) and joins nothing:
   a dictConfig calls it while it holds logging's lock. A new dictConfig finds the same engine again.
3. The thread starts at the first line, not at import and not at configuration; it ends by itself when no
   handler is attached and nothing waits.
4. Threads that deliver mark themselves (`own_noise`): httpx logs too. What they say on stderr is said without the
   lock: an application may have turned stderr into a logger, and a full pipe must not hold up who logs.
5. After a fork the child has new locks, an empty backlog with a new source, and no thread. What the parent
   had is the parent's to send.
6. At exit everything is tried for a deadline, before logging.shutdown; what is left is said with exact counts.

It wakes the thread with a bare lock that is released to ring and acquired to wait: `threading.Event` takes
a lock that is not reentrant, so a signal handler that logs inside `set()` would wait for itself.
"""

import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace

from loghub.handlers import lifetime
from loghub.handlers.delivery import Delivery, Effect, Pace, Verdict
from loghub.handlers.diagnostics import FOREVER, say
from loghub.handlers.intake import Intake
from loghub.handlers.journal import Counters, Journal
from loghub.handlers.memory import Backlog
from loghub.handlers.own_noise import delivering
from loghub.handlers.post import Post
from loghub.handlers.sole_thread import SoleThread
from loghub.wire.batch import Batch
from loghub.wire.report import Report

_BEST_EFFORT = "best-effort: records wait in memory"
_LOOK_EVERY = 0.05  # whether the batch is full: so a call needs to wake nobody
_EXIT_PAUSE = 0.5  # longest wait between attempts while the process ends
_SHORTEST_TIMEOUT = 0.1
_THREAD_PAUSE = 1.0  # wait after a thread could not be started, or broke off


@dataclass(frozen=True, slots=True)
class Limits:
    """How an engine sends.

    Attributes:
        batch_records: lines in a batch, at most.
        batch_bytes: their bytes, at most; a longer line goes alone.
        linger: seconds that a line waits for others.
        timeout: seconds for one request.
        exit_deadline: seconds that an exit may take.
        hand_over: seconds after which records are left to another process; 0 where this one sends them.
    """

    batch_records: int = 500
    batch_bytes: int = 1_000_000
    linger: float = 0.05
    timeout: float = 10.0
    exit_deadline: float = 5.0
    hand_over: float = 0.0


class Engine(SoleThread, Intake):
    """Takes lines and delivers them in order, one request at a time.

    Args:
        title: how it is called in messages.
        limits: how it sends.
        make_backlog: makes the place where lines wait, for a source id.
        make_post: makes what carries batches.
        pace: how long it waits after a failure.
    """

    def __init__(
        self,
        title: str,
        limits: Limits,
        make_backlog: Callable[[str], Backlog],
        make_post: Callable[[], Post],
        pace: Pace | None = None,
    ) -> None:
        self._title = title
        self._limits = limits
        self._make_post = make_post
        self._pace = pace or Pace()
        self._users: set[object] = set()  # adding and discarding need no lock
        self._retired = False
        self._post: Post | None = None
        super().__init__(make_backlog)

    def _begin(self) -> None:
        super()._begin()
        self._bell = threading.Lock()
        self._bell.acquire()
        self._delivery = Delivery(self._pace)
        self._thread = None
        self._inline: threading.Thread | None = None  # the one that ends the process, where it delivers itself
        self._no_thread_before = 0.0
        self._exit_at: float | None = None
        self._probed_at_exit = False
        self._journal = Journal(self._title)

    # What handlers call, from any thread.

    def attach(self, user: object) -> None:
        """Take a user in: a handler's token, never the handler itself, which may be forgotten unclosed."""
        self._retired = False
        self._users.add(user)

    def detach(self, user: object) -> None:
        """Let a user go, once or twice. What waits is still delivered; no lock is taken and nothing is joined."""
        self._users.discard(user)
        self._ring()

    @property
    def in_use(self) -> bool:
        """Whether a handler is attached."""
        return bool(self._users)

    def retire(self) -> None:
        """Stop delivering and let go of the backlog's place; what is left is for another engine."""
        self._retired = True
        self._ring()

    @property
    def counters(self) -> Counters:
        """What became of the records so far."""
        with self._alone() as backlog:
            counts = replace(self._journal.counters(backlog), circuit=self._delivery.circuit.value)

        since = backlog.since() if counts.queued else None  # without the lock: it may look at a disk
        oldest = 0.0 if since is None else max(time.time() - since, 0.0)
        return replace(counts, oldest=oldest, spool_bytes=backlog.size)

    def report(self, source: str) -> Report:
        """Give what a hub is told of a source beside its batches."""
        with self._alone() as backlog:
            lane = backlog.lane(source)

            if lane is None:
                return Report()

            retried = sum(self._journal.counters(backlog).retries.values())
            return Report(None, lane.appended, lane.acked, lane.queued, retried, lane.dead, lane.dropped)

    # What the process's life calls.

    def begin_exit(self) -> None:
        """Stop lingering and pausing; the deadline begins with the first call."""
        with self._alone() as backlog:
            if self._exit_at is None:
                self._exit_at = time.monotonic() + self._limits.exit_deadline

            thread = self._new_thread() if backlog.queued else None

        if thread is not None:
            self._start(thread)

        self._ring()

    def finish_exit(self) -> bool:
        """Wait for what is left; where no thread can start any more, deliver it here.

        Returns:
            Whether nothing is left.
        """
        here = threading.current_thread()

        with self._lock:
            if self._thread is None:
                self._thread = self._inline = here

        if self._inline is here:
            self._deliver_all()
            self._thread = self._inline = None
        elif (thread := self._thread) is not None:
            self.flush(self._until_exit())
            self._ring()
            thread.join(_SHORTEST_TIMEOUT)

        counts = self.counters

        with delivering():
            self._journal.report(counts, self.guarantee)

        return not counts.queued

    def after_fork(self) -> None:
        """Start anew: nothing of the parent's is sent, none of its locks is touched."""
        post, self._post = self._post, None

        if post is not None:
            post.abandon()

        self._backlog.abandon()
        self._begin()

    @property
    def exiting(self) -> bool:
        """Whether the process is ending."""
        return self._exit_at is not None

    # The thread's life.

    def _wake(self) -> None:
        """Start the thread, or ring."""
        with self._lock:
            thread = self._new_thread()

        if thread is not None:
            self._start(thread)

        self._ring()

    def _ring(self) -> None:
        self._asleep = self._thread is None

        with suppress(RuntimeError):  # it rings already
            self._bell.release()

    def _may_wait(self) -> bool:
        return self._inline is None

    def _new_thread(self) -> threading.Thread | None:
        if self._thread is not None or time.monotonic() < self._no_thread_before:
            return None

        thread = threading.Thread(target=self._run, name="loghub-remote", daemon=True)
        return thread if self._claim(thread) else None

    def _start(self, thread: threading.Thread) -> None:
        """Start the thread; where that is impossible, as late in the interpreter's end, lines go on waiting."""
        started = False

        try:
            lifetime.arm_exit()
            thread.start()
            started = True
        except RuntimeError:
            self._no_thread_before = time.monotonic() + _THREAD_PAUSE
        finally:
            if not started:
                self._thread, self._asleep = None, True

    # The thread.

    def _run(self) -> None:
        with delivering():
            if self._backlog.guarantee == "best-effort":
                say(self._title, _BEST_EFFORT, subject="guarantee", every=FOREVER)

            while self._thread is threading.current_thread() and not self._gave_up:
                try:
                    self._deliver_all()
                except Exception as error:  # noqa: BLE001 (a mistake of ours must not end the delivery)
                    say(self._title, f"{type(error).__name__}: {error}; going on", subject="mistake")
                    time.sleep(_THREAD_PAUSE)

    def _deliver_all(self) -> None:
        """Deliver until nothing is left to do: by the thread, or in the thread that ends the process."""
        with delivering():
            post = self._post = self._make_post()

            try:
                while (batch := self._next_batch()) is not None and not self._gave_up:
                    self._deliver(batch, post)
            finally:
                post.close()

    def _next_batch(self) -> Batch | None:
        """Wait for a batch: full, or as old as the linger, or hurried. None where there is nothing left to do."""
        due: float | None = None

        while True:
            rest = self._backlog.tend()
            is_old = due is not None and time.monotonic() >= due
            may_leave = is_old and self._limits.hand_over > 0 and self._backlog.was_fetched()

            with self._alone() as backlog:
                queued = backlog.queued
                is_over = self._is_over(backlog) or self._hands_over(backlog, is_due=may_leave)
                put_down = backlog.let_go() if is_over else None

                if queued:
                    due = due or time.monotonic() + (self._limits.hand_over or self._limits.linger)

                ready = due is not None and not self._limits.hand_over and self._is_ready(backlog, due)
                self._asleep = not queued

            if put_down is not None:
                if self._has_ended(put_down):
                    return None

                due = None
                continue

            # Reading from a disk takes a moment, so it is done without the lock.
            if ready and (batch := self._backlog.take(self._limits.batch_records, self._limits.batch_bytes)):
                return batch

            if ready:  # damaged, or dropped this moment: no reason to look without a pause
                due = time.monotonic() + _LOOK_EVERY
            elif due is not None and self._limits.hand_over and time.monotonic() >= due:  # not wanted yet
                due = time.monotonic() + self._limits.hand_over

            self._wait(rest if due is None else min(rest, due - time.monotonic(), _LOOK_EVERY))

    def _has_ended(self, put_down: Callable[[], None]) -> bool:
        """Do on the disk what letting go asks for, which nobody who logs waits for; tell whether the thread ends.

        It does not where lines have come meanwhile: nobody else would look for them.
        """
        put_down()

        with self._alone() as backlog:
            self._release_waiters(backlog)

            if backlog.queued and not self._retired and self._inline is None:
                return False

            self._thread, self._asleep = None, True
            return True

    def _wait(self, seconds: float) -> None:
        self._bell.acquire(timeout=-1 if seconds == float("inf") else max(seconds, 0.0))

    def _is_over(self, backlog: Backlog) -> bool:
        inline = self._inline is not None

        if self._retired or (inline and self._until_exit() <= 0):
            return True

        return not backlog.queued and (inline or self.exiting or not self._users)

    def _hands_over(self, backlog: Backlog, *, is_due: bool) -> bool:
        """Tell whether what is spooled is now left to the process that sends it."""
        if not self._limits.hand_over or not backlog.queued:
            return False

        is_wanted = not self._users or not backlog.is_past(self._hurry_to)
        return is_due or is_wanted or self.exiting or self._inline is not None

    def _is_ready(self, backlog: Backlog, due: float) -> bool:
        return (
            time.monotonic() >= due
            or backlog.queued >= self._limits.batch_records
            or backlog.queued_bytes >= self._limits.batch_bytes
            or self.exiting
            or not backlog.is_past(self._hurry_to)
            or not self._users
        )

    def _deliver(self, batch: Batch, post: Post) -> None:
        self._delivery.start(batch)

        while (part := self._delivery.current) is not None and not (self._gave_up or self._retired):
            timeout = self._limits.timeout

            if self.exiting:
                timeout = min(timeout, max(self._until_exit(), _SHORTEST_TIMEOUT))

            self._delivery.sending()
            verdict = self._delivery.answered(post.send(part, timeout), time.time())

            with self._alone() as backlog:
                trouble = self._journal.note(verdict, backlog)
                self._release_waiters(backlog)

            if trouble:  # said without the lock: stderr may be slow, or lead into logging
                say(self._title, trouble, subject=verdict.effect.name)

            self._pause(verdict)

    def _pause(self, verdict: Verdict) -> None:
        """Wait after a failure, and see to the backlog meanwhile; the end of the process cuts it short."""
        until = time.monotonic() + verdict.delay

        while not (self.exiting or self._retired) and (left := until - time.monotonic()) > 0:
            rest = self._backlog.tend()
            self._wait(left if rest == FOREVER else min(left, rest, _LOOK_EVERY))

        if self.exiting and verdict.delay:
            self._pause_at_exit(verdict)

    def _pause_at_exit(self, verdict: Verdict) -> None:
        left = self._until_exit()

        # Nobody puts a token right within seconds, so what is held is tried once more and no longer.
        if left <= 0 or (verdict.effect is Effect.HOLD and self._probed_at_exit):
            self._gave_up = True

            with self._alone() as backlog:
                self._release_waiters(backlog)

            return

        self._probed_at_exit = True
        time.sleep(min(verdict.delay, left, _EXIT_PAUSE))

    def _until_exit(self) -> float:
        return 0.0 if self._exit_at is None else self._exit_at - time.monotonic()
