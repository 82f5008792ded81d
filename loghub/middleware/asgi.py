"""`RequestIDMiddleware`: each request has an id, which its events carry and its answer tells.

Plain ASGI, so it works with Starlette, FastAPI, Django and anything else, and its context reaches
the endpoint. Wrap the whole application with it, `app = RequestIDMiddleware(app)`, so that the
answer to an unexpected error has the id too; `add_middleware` puts it inside of Starlette's own
error page.

Rules:
1. An id that comes in is taken only if it is short and plain; else a new one is made. It goes into
   logs and headers, so what a stranger sends must not be able to forge a line.
2. What is bound for a request ends with it.
3. An application that raises before it answered gets a plain 500 with the id, unless a framework
   around this middleware answers; the exception goes on to the server either way, also when the answer fails.
"""

import logging
import re
import time
import uuid
from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from contextlib import suppress
from typing import Any, TypeAlias

from loghub.errors import ConfigError
from loghub.event.context import bound

Message: TypeAlias = MutableMapping[str, Any]
Scope: TypeAlias = MutableMapping[str, Any]
Receive: TypeAlias = Callable[[], Awaitable[Message]]
Send: TypeAlias = Callable[[Message], Awaitable[None]]
Application: TypeAlias = Callable[[Scope, Receive, Send], Awaitable[None]]

_ID = re.compile(rb"[A-Za-z0-9._~:/+=@-]{1,128}")
_HEADER = re.compile(r"[A-Za-z0-9-]+")
_UPGRADED, _REFUSED, _GONE, _FAILED = 101, 403, 499, 500

access = logging.getLogger("loghub.access")


class RequestIDMiddleware:
    """Bind a request id, answer with it, and log an access event.

    Args:
        app: the application.
        header: the name of the header, in and out.
        component: bound as `component` for each request; left out, nothing is.
        access: whether to log each request to "loghub.access".

    Raises:
        ConfigError: the header's name is none.
    """

    def __init__(
        self, app: Application, *, header: str = "x-request-id", component: str | None = None, access: bool = False
    ) -> None:
        self.app = app
        self._header = _header_name(header)
        self._bound = {} if component is None else {"component": component}
        self._access = access

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle a request or a WebSocket; anything else passes through."""
        if scope["type"] not in ("http", "websocket"):
            return await self.app(scope, receive, send)

        request_id = _incoming(scope["headers"], self._header) or uuid.uuid4().hex
        exchange = _Exchange(scope, send, (self._header, request_id.encode()))

        with bound(request_id=request_id, **self._bound):
            try:
                await self.app(scope, receive, exchange.send)
            except Exception:
                await exchange.fail()
                raise
            except BaseException:  # cancelled: the client has gone
                exchange.abandon()
                raise
            finally:
                if self._access:
                    exchange.log()

        return None


def _header_name(header: object) -> bytes:
    if not isinstance(header, str) or not _HEADER.fullmatch(header):
        raise ConfigError("RequestIDMiddleware", "header", header, "a header's name is letters, digits and -")

    return header.lower().encode()


class _Exchange:
    """One request and what has been answered so far."""

    def __init__(self, scope: Scope, send: Send, header: tuple[bytes, bytes]) -> None:
        self._method = scope.get("method", "WEBSOCKET")
        self._path = scope["path"]
        self._is_http = scope["type"] == "http"
        self._framed = "app" in scope  # Starlette and FastAPI put themselves there: theirs is the error page
        self._send = send
        self._header = header
        self._status: int | None = None
        self._failed = False
        self._start = time.perf_counter()

    async def send(self, message: Message) -> None:
        """Pass a message on; the first one of an answer gets the header."""
        kind = message["type"]

        if kind in _STATUS:
            self._status = _STATUS[kind](message)
            message = {**message, "headers": self._with_id(message.get("headers", ()))}

        elif kind == "websocket.close" and self._status is None:
            self._status = _REFUSED

        await self._send(message)

    async def fail(self) -> None:
        """Note that the application raised, and answer where nobody else will."""
        self._failed = True

        if self._is_http and self._status is None and not self._framed:
            with suppress(Exception):  # the client may have gone; what the server must hear is the application's error
                await self._answer_failure()

    async def _answer_failure(self) -> None:
        headers = [(b"content-type", b"text/plain; charset=utf-8")]
        await self.send({"type": "http.response.start", "status": _FAILED, "headers": headers})
        await self._send({"type": "http.response.body", "body": b"Internal Server Error"})

    def abandon(self) -> None:
        """Note that nobody waits for the answer any more."""
        if self._status is None:
            self._status = _GONE

    def log(self) -> None:
        """Log the access event."""
        status = _FAILED if self._status is None else self._status
        took = round((time.perf_counter() - self._start) * 1000, 3)
        level = logging.ERROR if self._failed or status >= _FAILED else logging.INFO
        fields = {"method": self._method, "path": self._path, "status": status, "duration_ms": took}
        access.log(level, "%s %s %d", self._method, self._path, status, extra=fields)

    def _with_id(self, headers: Iterable[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
        return [*((name, value) for name, value in headers if name.lower() != self._header[0]), self._header]


_STATUS: dict[str, Callable[[Message], int]] = {
    "http.response.start": lambda message: int(message["status"]),
    "websocket.http.response.start": lambda message: int(message["status"]),
    "websocket.accept": lambda _message: _UPGRADED,
}


def _incoming(headers: Iterable[tuple[bytes, bytes]], name: bytes) -> str | None:
    found = next((value for key, value in headers if key.lower() == name), b"")
    return found.decode("ascii") if _ID.fullmatch(found) else None
