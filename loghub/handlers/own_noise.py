"""What threads that deliver log themselves: it must not be delivered again, nor fill the application's files.

A thread marks itself with `delivering()`. RemoteHandler asks `is_own_thread()` first of all and turns its records
away before it takes any lock: in `emit` it is too late, a reconfiguration may hold the handler's lock. What a `__del__`
logs where the collector happens to run in such a thread goes the same way. Other handlers do not ask: what httpx says
there is kept from all of them by `hush`, and the rest of what is logged there is the application's.
"""

import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager


class _Own(threading.local):
    """What a thread says of itself; a default of the class, since `getattr` with one takes ten times as long."""

    delivers = False


_own = _Own()


@contextmanager
def delivering() -> Iterator[None]:
    """Mark this thread as one that delivers, for the length of a `with` block."""
    before, _own.delivers = is_own_thread(), True

    try:
        yield
    finally:
        _own.delivers = before


def is_own_thread() -> bool:
    """Tell whether this thread delivers. Takes no lock."""
    return _own.delivers


def hush(*names: str) -> None:
    """Keep what these loggers say in threads that deliver away from all handlers, the console and files too.

    httpx tells of each request at INFO: without this, an application's own log would hold a line for each batch.
    """
    for name in names:
        logging.getLogger(name).addFilter(_is_the_applications)


def _is_the_applications(_record: logging.LogRecord) -> bool:
    return not is_own_thread()
