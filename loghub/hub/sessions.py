"""Sessions of browsers: a signed value in a cookie stands for the token that was shown once.

1. The value says when it ends and is signed with a key made of the token: no memory is needed to know it, so sessions
   outlive the hub, and every hub with the same token knows them.
2. Another token is another key: changing it ends all sessions.
3. Signing out takes the cookie back, and this hub refuses the value as long as it runs. A copy of it made before is
   known again after a restart, until it ends: who fears one changes the token.
"""

import base64
import hashlib
import hmac
import secrets
import time
from collections.abc import Callable

COOKIE = "loghub_session"
_MAX_ENDED = 1000
_CONTEXT = b"loghub session 1"


class Sessions:
    """The sessions of one hub.

    Args:
        token: what opens a session; None where no token is needed.
        seconds: how long a session lasts.
        clock: seconds since 1970.
    """

    def __init__(self, token: str | None, seconds: float, clock: Callable[[], float] = time.time) -> None:
        self._token = token
        self._key = _signature((token or secrets.token_urlsafe()).encode(), _CONTEXT)
        self._seconds = seconds
        self._clock = clock
        self._ended: dict[str, None] = {}

    @property
    def needed(self) -> bool:
        """Whether callers must show a token."""
        return self._token is not None

    def is_token(self, text: str) -> bool:
        """Compare with the token, in a time that does not depend on where they differ."""
        return self._token is None or hmac.compare_digest(text.encode(), self._token.encode())

    def open(self) -> str:
        """Begin a session and give its value: when it ends, something of its own, the signature of both."""
        said = f"{int(self._clock() + self._seconds)}.{secrets.token_urlsafe(9)}"
        return f"{said}.{self._sign(said)}"

    def knows(self, value: str) -> bool:
        """Tell whether the value is that of a session that has not ended."""
        said, _, signature = value.rpartition(".")

        # Nothing of a value is read before its signature has been found right.
        if not hmac.compare_digest(_bytes(signature), _bytes(self._sign(said))):
            return False

        return int(said.partition(".")[0]) > self._clock() and value not in self._ended

    def end(self, value: str) -> None:
        """End a session; an unknown one is passed over."""
        if self.knows(value):
            self._ended[value] = None

        if len(self._ended) > _MAX_ENDED:
            self._ended.pop(next(iter(self._ended)), None)

    def _sign(self, said: str) -> str:
        digest = _signature(self._key, _bytes(said))
        return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()


def _signature(key: bytes, said: bytes) -> bytes:
    return hmac.digest(key, said, hashlib.sha256)


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")
