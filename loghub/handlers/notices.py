"""What handlers say about their own trouble: lines on stderr, each subject at most once in a while. Never `logging`."""

import sys
import time
from collections.abc import Callable
from contextlib import suppress

FOREVER = float("inf")


class Notices:
    """A rate-limited channel to stderr.

    Args:
        owner: whose trouble it is; stands in front of each line.
        clock: seconds that only grow.
    """

    def __init__(self, owner: str, clock: Callable[[], float] = time.monotonic) -> None:
        self._owner = owner
        self._clock = clock
        self._next: dict[str, float] = {}

    def say(self, subject: str, text: str, *, every: float = 60.0) -> bool:
        """Say something unless the same subject was spoken of less than `every` seconds ago.

        Args:
            subject: what it is about, one of a few fixed words.
            text: what to say.
            every: seconds; FOREVER says it once.

        Returns:
            Whether it was said.
        """
        now = self._clock()

        if now < self._next.get(subject, now):
            return False

        self._next[subject] = now + every
        write_stderr(f"loghub: {self._owner}: {text}\n")
        return True


def write_stderr(text: str) -> None:
    """Write to stderr if there is one; whatever goes wrong with it is not the application's trouble."""
    with suppress(Exception):
        sys.stderr.write(text)
        sys.stderr.flush()
