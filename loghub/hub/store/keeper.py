"""The store's background thread: runs one job when woken, and at least every so often."""

import logging
import threading
from collections.abc import Callable

_LONGEST_S = 15.0
_logger = logging.getLogger(__name__)


class Keeper:
    """A thread that runs a job until it is closed.

    A job that fails is reported and run again: what it could not do now (a full disk) may work later. It is run less
    and less often while it fails, at least every `_LONGEST_S`.

    Args:
        job: what to run; it is given an event, looks at it in between, and returns soon when that is set.
        period: seconds between two runs when nobody wakes it.
    """

    def __init__(self, job: Callable[[threading.Event], None], period: float) -> None:
        self._job = job
        self._period = period
        self._woken = threading.Event()
        self.closing = threading.Event()
        self._thread = threading.Thread(target=self._run, name="loghub-store", daemon=True)

    def start(self) -> None:
        """Begin with a first run."""
        self._woken.set()
        self._thread.start()

    def wake(self) -> None:
        """Run the job soon."""
        self._woken.set()

    def close(self, timeout: float) -> bool:
        """Stop after the run that is under way, waiting for it at most `timeout` seconds; tell whether it has ended."""
        self.closing.set()
        self._woken.set()

        if self._thread.is_alive():
            self._thread.join(timeout)

        return not self._thread.is_alive()

    def _run(self) -> None:
        pause = self._period

        while True:
            self._woken.wait(pause)
            self._woken.clear()

            if self.closing.is_set():
                return

            try:
                self._job(self.closing)
                pause = self._period
            except Exception as error:  # noqa: BLE001 (the thread must outlive whatever fails)
                pause = min(2 * pause, _LONGEST_S)

                if not self.closing.is_set():
                    _logger.warning("the store could not tidy up, and tries again: %s", error)
