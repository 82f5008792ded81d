"""Send what others have written: the lines of log files, and the records that are left in spools.

It is all done in the calling thread, one request at a time, until told to stop. What a supply has given and the hub has
not answered for stays with the supply, for the next run.
"""

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from typing import Protocol

from loghub.handlers.delivery import Delivery, Effect, Pace, Verdict
from loghub.handlers.diagnostics import say
from loghub.handlers.journal import Journal
from loghub.handlers.post import Post, attempts
from loghub.wire.batch import Batch

_RECORDS = 500
_BYTES = 1_000_000
_IDLE = 0.25
_LOOK_EVERY = 1.0  # for new logs beside one that never ends


class Supply(Protocol):
    """Where batches come from: a log, or a spool."""

    @property
    def queued(self) -> int:
        """Records that are known to wait."""

    @property
    def dead(self) -> int:
        """Records that were refused for good."""

    @property
    def dropped(self) -> int:
        """Records that were lost."""

    def tend(self) -> float:
        """Do what is due from time to time; give the seconds until then."""

    def take(self, records: int, size: int) -> Batch | None:
        """Give the oldest lines; the same ones again until they are settled."""

    def settle_acked(self, count: int) -> None:
        """Let go of the oldest lines of what was taken: the hub has them."""

    def settle_dead(self, count: int, reason: str = "") -> None:
        """Let go of the oldest lines of what was taken: the hub will never take them."""

    def close(self) -> None:
        """Let go; what is left is for later."""


class Stop:
    """A word to stop, which a signal handler may give: `threading.Event` takes a lock that may be held just then."""

    def __init__(self) -> None:
        self._is_set = False
        self._bell = threading.Lock()
        self._bell.acquire()

    def set(self) -> None:
        """Give the word."""
        self._is_set = True

        with suppress(RuntimeError):  # it was given before
            self._bell.release()

    def is_set(self) -> bool:
        """Tell whether it was given."""
        return self._is_set

    def wait(self, seconds: float) -> bool:
        """Wait for it; tell whether it was given."""
        if not self._is_set and self._bell.acquire(timeout=seconds):
            self._bell.release()

        return self._is_set


def ship(
    supplies: Callable[[], Sequence[Supply]],
    post: Post,
    stop: Stop,
    *,
    once: bool = False,
    patience: float = float("inf"),
    pace: Pace | None = None,
    timeout: float = 10.0,
) -> bool:
    """Send until told to stop.

    Args:
        supplies: gives where batches come from; asked when all of them are empty, and every second.
        post: what carries batches.
        stop: set to end it.
        once: whether it ends when nothing is left.
        patience: seconds without a success after which it gives up.
        pace: how long it waits after a failure.
        timeout: seconds for one request.

    Returns:
        Whether nothing is left that it knows of.
    """
    delivery = Delivery(pace)
    journals: dict[int, Journal] = {}
    sent = False
    known: Sequence[Supply] = ()

    look_at = 0.0

    while not stop.is_set():
        if not sent or time.monotonic() >= look_at:
            known = supplies()
            look_at = time.monotonic() + _LOOK_EVERY

        sent = False

        for supply in known:
            supply.tend()
            batch = supply.take(_RECORDS, _BYTES)

            if batch is not None:
                sent = True
                journal = journals.setdefault(id(supply), Journal("loghub ship"))

                if not _deliver(attempts(batch, delivery, post, timeout), supply, journal, stop, patience):
                    return False

        if not sent and once:
            return True

        if not sent:
            stop.wait(_IDLE)

    return not any(supply.queued for supply in known)


def _deliver(
    tries: Iterator[tuple[Batch, Verdict]],
    supply: Supply,
    journal: Journal,
    stop: Stop,
    patience: float,
) -> bool:
    until = time.monotonic() + patience

    for _, verdict in tries:
        trouble = journal.note(verdict, supply)

        if trouble:
            say("loghub ship", trouble, subject=verdict.effect.name)

        if verdict.effect not in (Effect.RETRY, Effect.HOLD):
            until = time.monotonic() + patience
        elif time.monotonic() + verdict.delay > until or stop.wait(verdict.delay):
            return False

    return True
