"""Threads for calls that block: the store is never called on an event loop.

The threads are daemons, and whoever waits for one can be let go before it is done: a search that
takes minutes keeps neither its caller nor the process.
"""

import asyncio
import os
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, InvalidStateError
from contextlib import suppress
from queue import SimpleQueue
from typing import ParamSpec, TypeAlias, TypeVar

from loghub.errors import LoghubError

_P = ParamSpec("_P")
_T = TypeVar("_T")
_Job: TypeAlias = tuple["Future[_T]", Callable[[], _T]]


class EndedError(LoghubError):
    """The hub ends, and what was asked for was not done."""


class Threads:
    """A pool of threads that any event loop may use, and that starts anew in a forked child.

    Args:
        size: calls at once.
        name: what the threads are called.
    """

    def __init__(self, size: int = 4, name: str = "loghub-store") -> None:
        self._size = size
        self._name = name
        self._pid = 0
        self._pool: _Pool | None = None
        self._ending: list[threading.Thread] = []

    async def call(self, function: Callable[_P, _T], *args: _P.args, **kwargs: _P.kwargs) -> _T:
        """Call a function in a thread and wait for it without blocking the loop.

        Where the waiting is cancelled, a call that has not begun is never made.

        Raises:
            EndedError: the threads were closed meanwhile.
        """
        return await asyncio.wrap_future(self._living_pool().submit(lambda: function(*args, **kwargs)))

    def close(self) -> None:
        """Let the threads end, and at once all who wait for them; idempotent. A later call starts new ones."""
        pool, self._pool = self._pool, None

        if pool is not None and self._pid == os.getpid():
            pool.close()
            self._ending = [thread for thread in (*self._ending, *pool.threads) if thread.is_alive()]

    def join(self, until: float) -> None:
        """Wait for the threads that were closed, to a time on the monotonic clock.

        A process that ends while one of them is in the engine's code may be aborted.
        """
        for thread in self._ending:
            thread.join(max(until - time.monotonic(), 0.0))

    def _living_pool(self) -> "_Pool":
        pool = self._pool

        if pool is None or self._pid != os.getpid():
            self._pid = os.getpid()
            self._pool = pool = _Pool(self._size, self._name)

        return pool


class _Pool:
    """Daemon threads, started as they are needed.

    A future here is never "running", so it can be cancelled or failed while its call goes on.
    """

    def __init__(self, size: int, name: str) -> None:
        self._size = size
        self._name = name
        self._jobs: SimpleQueue[_Job[object] | None] = SimpleQueue()
        self._open: set[Future[object]] = set()
        self._lock = threading.Lock()
        self.threads: list[threading.Thread] = []
        self._is_closed = False

    def submit(self, function: Callable[[], _T]) -> "Future[_T]":
        future: Future[_T] = Future()

        with self._lock:
            if self._is_closed:
                future.set_exception(EndedError("the hub is ending"))
                return future

            self._open.add(future)  # type: ignore[arg-type]
            self._jobs.put((future, function))  # type: ignore[arg-type]

            if len(self.threads) < min(len(self._open), self._size):
                name = f"{self._name}-{len(self.threads) + 1}"
                self.threads.append(threading.Thread(target=self._work, name=name, daemon=True))
                self.threads[-1].start()

        return future

    def close(self) -> None:
        with self._lock:
            self._is_closed = True
            waiting = list(self._open)

            for _ in self.threads:
                self._jobs.put(None)

        for future in waiting:
            with suppress(InvalidStateError):
                future.set_exception(EndedError("the hub is ending"))

    def _work(self) -> None:
        while job := self._jobs.get():
            future, function = job

            if not future.done():
                _run(future, function)

            with self._lock:
                self._open.discard(future)


def _run(future: "Future[_T]", function: Callable[[], _T]) -> None:
    try:
        result = function()
    except BaseException as error:  # noqa: BLE001 (whoever waits must hear of it)
        with suppress(InvalidStateError):
            future.set_exception(error)
    else:
        with suppress(InvalidStateError):  # nobody waits any more
            future.set_result(result)
