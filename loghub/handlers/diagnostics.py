"""loghub's own word about itself: to stderr, at most once in a while for each matter, never through `logging`.

Whoever wants to count it, or to be alarmed by it, has it handed to a function as well: see `on_diagnostic`.
"""

import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress

FOREVER = float("inf")
_QUIET_SECONDS = 60.0
_next: dict[tuple[str, str], float] = {}
_listeners: list[Callable[[str, str], object]] = []


class _Telling(threading.local):
    """Whether this thread tells listeners just now; a default of the class."""

    on = False


_telling = _Telling()


def on_diagnostic(listener: Callable[[str, str], object]) -> Callable[[], None]:
    """Hand what loghub says of itself to a function too.

    It is called in any thread, also within a logging call, so it has to be quick. What it raises is passed over, and
    what is said because of it is not handed to it.

    Args:
        listener: called with what it is about, as "RemoteHandler(http://127.0.0.1:8514)", and a sentence.

    Returns:
        A function that ends it.
    """
    _listeners.append(listener)

    def end() -> None:
        with suppress(ValueError):
            _listeners.remove(listener)

    return end


def say(matter: str, sentence: str, *, subject: str = "", every: float = _QUIET_SECONDS) -> bool:
    """Write a sentence to stderr, unless something was said of this matter and subject a moment ago.

    Args:
        matter: what it is about, as "JSONFileHandler logs/app.jsonl"; it stands before the sentence.
        sentence: what happened and what to do.
        subject: one of a few words, where a matter has several that must not silence one another.
        every: seconds of silence afterwards; FOREVER says it once.

    Returns:
        Whether it was said.
    """
    now = time.monotonic()
    key = (matter, subject)

    if now < _next.get(key, now):
        return False

    _next[key] = now + every
    write(matter, sentence)
    return True


def write(matter: str, sentence: str) -> None:
    """Write a sentence to stderr, and tell those who listen."""
    _tell(matter, sentence)

    # stderr may be closed, None under pythonw, or a full pipe's broken end: that must not reach the application.
    with suppress(Exception):
        sys.stderr.write(f"loghub: {matter}: {sentence}\n")
        sys.stderr.flush()


def _tell(matter: str, sentence: str) -> None:
    if not _listeners or _telling.on:
        return

    _telling.on = True

    try:
        for listener in tuple(_listeners):
            with suppress(Exception):
                listener(matter, sentence)
    finally:
        _telling.on = False


def forget() -> None:
    """Start anew: everything may be said again."""
    _next.clear()
