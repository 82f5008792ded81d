"""Who waits for the end of a session: a tail is open for hours, and signing out must end it.

It knows cookies by their value alone, and may be used from several event loops and threads.
"""

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress


class Departures:
    """The open tails by the session that opened them."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._watched: dict[str, list[tuple[asyncio.AbstractEventLoop, asyncio.Event]]] = {}

    @contextmanager
    def watch(self, session: str) -> Iterator[asyncio.Event]:
        """Give an event that is set when the session is ended, on the running loop."""
        entry = (asyncio.get_running_loop(), asyncio.Event())

        with self._lock:
            self._watched.setdefault(session, []).append(entry)

        try:
            yield entry[1]
        finally:
            with self._lock:
                self._watched[session].remove(entry)

                if not self._watched[session]:
                    del self._watched[session]

    def end(self, session: str) -> None:
        """Tell all that watch this session; from any thread."""
        if session:
            self._set([session])

    def end_all(self) -> None:
        """Tell all, also those without a session: the hub ends; from any thread."""
        self._set(list(self._watched))

    def _set(self, sessions: list[str]) -> None:
        with self._lock:
            entries = [entry for session in sessions for entry in self._watched.get(session, ())]

        for loop, event in entries:
            with suppress(RuntimeError):  # the loop has ended, and its tail with it
                loop.call_soon_threadsafe(event.set)
