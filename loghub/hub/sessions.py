"""Sessions of browsers: a random value in a cookie stands for the token that was shown once.

Sessions live in memory and end with the hub. Only digests of the values are kept, so looking one
up tells nothing about another by the time it takes.
"""

import hashlib
import hmac
import secrets
import time
from collections.abc import Callable

COOKIE = "loghub_session"
_MAX_SESSIONS = 1000


class Sessions:
    """The sessions of one hub.

    Args:
        token: what opens a session; None where no token is needed.
        seconds: how long a session lasts.
        clock: seconds, never running backwards.
    """

    def __init__(self, token: str | None, seconds: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._token = token
        self._seconds = seconds
        self._clock = clock
        self._ends: dict[bytes, float] = {}

    @property
    def needed(self) -> bool:
        """Whether callers must show a token."""
        return self._token is not None

    def is_token(self, text: str) -> bool:
        """Compare with the token, in a time that does not depend on where they differ."""
        return self._token is None or hmac.compare_digest(text.encode(), self._token.encode())

    def open(self) -> str:
        """Begin a session and give its value."""
        if len(self._ends) >= _MAX_SESSIONS:
            del self._ends[next(iter(self._ends))]

        value = secrets.token_urlsafe(32)
        self._ends[_digest(value)] = self._clock() + self._seconds
        return value

    def knows(self, value: str) -> bool:
        """Tell whether the value is that of a session that has not ended."""
        return self._ends.get(_digest(value), float("-inf")) > self._clock()

    def end(self, value: str) -> None:
        """End a session; an unknown one is passed over."""
        self._ends.pop(_digest(value), None)


def _digest(value: str) -> bytes:
    return hashlib.sha256(value.encode()).digest()
