"""Threads for calls that block: the store is never called on an event loop."""

import asyncio
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import ParamSpec, TypeVar

_P = ParamSpec("_P")
_T = TypeVar("_T")


class Threads:
    """A pool of threads that any event loop may use, and that starts anew in a forked child.

    Args:
        size: calls at once.
    """

    def __init__(self, size: int = 8) -> None:
        self._size = size
        self._pid = 0
        self._pool: ThreadPoolExecutor | None = None

    async def call(self, function: Callable[_P, _T], *args: _P.args, **kwargs: _P.kwargs) -> _T:
        """Call a function in a thread and wait for it without blocking the loop."""
        return await asyncio.wrap_future(self._living_pool().submit(function, *args, **kwargs))

    def close(self) -> None:
        """Let the threads end; idempotent. A later call starts new ones."""
        pool, self._pool = self._pool, None

        if pool is not None and self._pid == os.getpid():
            pool.shutdown(wait=False, cancel_futures=True)

    def _living_pool(self) -> ThreadPoolExecutor:
        if self._pool is None or self._pid != os.getpid():
            self._pid = os.getpid()
            self._pool = ThreadPoolExecutor(self._size, "loghub-store")

        return self._pool
