"""A way to call off a question: who asked has gone, and nobody waits for the answer.

A `Stop` is made where the question comes in, on the event loop; the thread that asks the store
works `under` it; the store looks at `current_stop()`, or has itself called. Without one, nothing stops.
"""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from loghub.errors import StoreError


class Stop:
    """Whether a question is called off; may be set from any thread, once."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._watchers: list[Callable[[], None]] = []
        self._is_set = False

    @property
    def is_set(self) -> bool:
        """Tell whether the question is called off."""
        return self._is_set

    def set(self) -> None:
        """Call the question off; idempotent."""
        with self._lock:
            self._is_set = True
            watchers, self._watchers = self._watchers, []

        for stop in watchers:
            stop()

    def watch(self, stop: Callable[[], None]) -> Callable[[], None]:
        """Call `stop` when the question is called off, at once where it is already; gives back what ends it."""
        with self._lock:
            if not self._is_set:
                self._watchers.append(stop)

        if self._is_set:
            stop()

        def end() -> None:
            with self._lock:
                if stop in self._watchers:
                    self._watchers.remove(stop)

        return end

    def check(self) -> None:
        """Raise where the question is called off.

        Raises:
            StoreError: nobody waits for the answer.
        """
        if self._is_set:
            raise StoreError("nobody waits for the answer")


_current: ContextVar[Stop | None] = ContextVar("loghub.hub.store.stop", default=None)


def current_stop() -> Stop:
    """Give what calls off the question that this thread asks."""
    return _current.get() or Stop()


@contextmanager
def under(stop: Stop) -> Iterator[None]:
    """Ask for the length of a `with` block what may be called off."""
    token = _current.set(stop)

    try:
        yield
    finally:
        _current.reset(token)
