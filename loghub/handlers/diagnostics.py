"""loghub's own word about itself: to stderr, at most once in a while for each matter, never through `logging`."""

import sys
import time
from contextlib import suppress

FOREVER = float("inf")
_QUIET_SECONDS = 60.0
_next: dict[tuple[str, str], float] = {}


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
    """Write a sentence to stderr."""
    # stderr may be closed, None under pythonw, or a full pipe's broken end: that must not reach the application.
    with suppress(Exception):
        sys.stderr.write(f"loghub: {matter}: {sentence}\n")
        sys.stderr.flush()


def forget() -> None:
    """Start anew: everything may be said again."""
    _next.clear()
