"""Who is woken after each append.

Waking takes no lock: it may happen in a signal handler or in `__del__`, while this thread adds a watcher.
"""

import threading
from collections.abc import Callable
from contextlib import suppress


class Watchers:
    """Callables that are called after each append, until they end."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._watchers: tuple[Callable[[], None], ...] = ()

    def __len__(self) -> int:
        return len(self._watchers)

    def add(self, wake: Callable[[], None]) -> Callable[[], None]:
        """Call `wake` from now on; gives back what ends it."""
        with self._lock:
            self._watchers = (*self._watchers, wake)

        def end() -> None:
            with self._lock:
                self._watchers = tuple(watcher for watcher in self._watchers if watcher is not wake)

        return end

    def wake(self) -> None:
        """Call all of them."""
        for wake in self._watchers:
            with suppress(Exception):  # a watcher whose loop has ended must not undo a stored batch
                wake()
