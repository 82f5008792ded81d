"""The thread of `durability: interval`: it flushes files to the device from time to time.

It starts with the first line, holds up nobody who writes, and ends when no file is open any more. A file that is
closed or rolled over is flushed by who does that. The child of a fork has a thread of its own.
"""

import threading
import time
from weakref import WeakSet

from loghub.handlers import lifetime
from loghub.handlers.sturdy_file import SturdyFile


class Syncer:
    """Flushes files to the device from time to time: what was written is safe from a loss of power soon after.

    Args:
        seconds: between two flushes.
    """

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._begin()

    def _begin(self) -> None:
        self._thread: threading.Thread | None = None
        self._files: WeakSet[SturdyFile] = WeakSet()

    def mind(self, sturdy: SturdyFile) -> None:
        """Flush a file as long as it is open."""
        self._files.add(sturdy)

        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name="loghub-sync", daemon=True)

            try:
                self._thread.start()
            except RuntimeError:  # as late in the interpreter's end: the file is flushed when it is closed
                self._thread = None

    def begin_exit(self) -> None:
        """Wait for nothing: files are flushed when they are closed."""

    def finish_exit(self) -> bool:
        """Have nothing to do."""
        return True

    def after_fork(self) -> None:
        """Start anew in the child."""
        self._begin()

    def _run(self) -> None:
        while self._files:
            time.sleep(self._seconds)

            for sturdy in tuple(self._files):
                if not sturdy.sync():
                    self._files.discard(sturdy)

        self._thread = None


def syncer(seconds: float) -> Syncer:
    """Give this process's one for a period."""
    return lifetime.keep(("sync", seconds), lambda: Syncer(seconds))
