"""loghub's own word about itself: to stderr, at most once in a while for each matter, never through `logging`."""

import sys
import time
from contextlib import suppress

_QUIET_SECONDS = 60.0
_said: dict[str, float] = {}


def say(matter: str, sentence: str) -> None:
    """Write a sentence to stderr, unless something was said of this matter within the last minute.

    Args:
        matter: what it is about, as "JSONFileHandler logs/app.jsonl"; it stands before the sentence.
        sentence: what happened and what to do.
    """
    now = time.monotonic()

    if now - _said.get(matter, -_QUIET_SECONDS) < _QUIET_SECONDS:
        return

    _said[matter] = now

    # stderr may be closed, None under pythonw, or a full pipe's broken end: that must not reach the application.
    with suppress(Exception):
        sys.stderr.write(f"loghub: {matter}: {sentence}\n")
        sys.stderr.flush()


def forget() -> None:
    """Start anew: everything may be said again."""
    _said.clear()
