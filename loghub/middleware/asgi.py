"""`RequestIDMiddleware`: each request has an id, which its events carry and its answer tells.

Plain ASGI, so it works with Starlette, FastAPI, Django and anything else, and its context reaches
the endpoint. Wrap the whole application with it, `app = RequestIDMiddleware(app)`, so that the
answer to an unexpected error has the id too; `add_middleware` puts it inside of Starlette's own
error page.

Rules, beside those of `exchange`:
1. What is bound for a request, and while it is handled, ends with it.
2. An application that raises before it answered gets a plain 500 with the id, unless a framework
   around this middleware answers; the exception goes on to the server either way,
   also when the answer fails.
"""

from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from contextlib import suppress
from typing import Any, TypeAlias

from loghub.event.context import isolated
from loghub.middleware.exchange import FAILED, ROUTE_KEY, Arrival, Exchange, arrival, header_name
from loghub.middleware.traceparent import incoming
from loghub.options import names_unknown_options

Message: TypeAlias = MutableMapping[str, Any]
Scope: TypeAlias = MutableMapping[str, Any]
Receive: TypeAlias = Callable[[], Awaitable[Message]]
Send: TypeAlias = Callable[[Message], Awaitable[None]]
Application: TypeAlias = Callable[[Scope, Receive, Send], Awaitable[None]]

_UPGRADED, _REFUSED, _GONE = 101, 403, 499


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

    @names_unknown_options
    def __init__(
        self, app: Application, *, header: str = "x-request-id", component: str | None = None, access: bool = True
    ) -> None:
        self.app = app
        self._header = header_name(header).encode()
        self._bound = {} if component is None else {"component": component}
        self._access = access

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle a request or a WebSocket; anything else passes through."""
        if scope["type"] not in ("http", "websocket"):
            return await self.app(scope, receive, send)

        arrived = _arrival(scope["headers"], self._header)
        answer = _Answer(scope, send, (self._header, arrived.request_id.encode()))
        token = incoming.set(arrived.trace)

        with isolated(**arrived.to_bind(), **self._bound):
            try:
                await self.app(scope, receive, answer.send)
            except Exception:
                await answer.fail()
                raise
            except BaseException:  # cancelled: the client has gone
                answer.abandon()
                raise
            finally:
                incoming.reset(token)

                if self._access:
                    answer.exchange.log(_route(scope, answer.root_path))

        return None


class _Answer:
    """What has been answered so far, and where to."""

    def __init__(self, scope: Scope, send: Send, header: tuple[bytes, bytes]) -> None:
        self.exchange = Exchange(scope.get("method", "WEBSOCKET"), scope["path"])
        self.root_path = str(scope.get("root_path", ""))
        self._is_http = scope["type"] == "http"
        self._framed = "app" in scope  # Starlette and FastAPI put themselves there: theirs is the error page
        self._send = send
        self._header = header

    async def send(self, message: Message) -> None:
        """Pass a message on; the first one of an answer gets the header."""
        kind = message["type"]

        if kind in _STATUS:
            self.exchange.status = _STATUS[kind](message)
            message = {**message, "headers": self._with_id(message.get("headers", ()))}

        elif kind == "websocket.close" and self.exchange.status is None:
            self.exchange.status = _REFUSED

        await self._send(message)

        if kind in _SIZE:
            self.exchange.bytes += _SIZE[kind](message)

    async def fail(self) -> None:
        """Note that the application raised, and answer where nobody else will."""
        self.exchange.failed = True

        if self._is_http and self.exchange.status is None and not self._framed:
            with suppress(Exception):  # the client may have gone; what the server must hear is the application's error
                await self._answer_failure()

    async def _answer_failure(self) -> None:
        headers = [(b"content-type", b"text/plain; charset=utf-8")]
        await self.send({"type": "http.response.start", "status": FAILED, "headers": headers})
        await self.send({"type": "http.response.body", "body": b"Internal Server Error"})

    def abandon(self) -> None:
        """Note that nobody waits for the answer any more."""
        if self.exchange.status is None:
            self.exchange.status = _GONE

    def _with_id(self, headers: Iterable[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
        return [*((name, value) for name, value in headers if name.lower() != self._header[0]), self._header]


_STATUS: dict[str, Callable[[Message], int]] = {
    "http.response.start": lambda message: int(message["status"]),
    "websocket.http.response.start": lambda message: int(message["status"]),
    "websocket.accept": lambda _message: _UPGRADED,
}
_SIZE: dict[str, Callable[[Message], int]] = {
    "http.response.body": lambda message: len(message.get("body", b"")),
    "websocket.http.response.body": lambda message: len(message.get("body", b"")),
    "websocket.send": lambda message: len(message.get("bytes") or (message.get("text") or "").encode()),
}


def _arrival(headers: Iterable[tuple[bytes, bytes]], name: bytes) -> Arrival:
    found: dict[bytes, list[str]] = {name: [], b"traceparent": [], b"tracestate": []}

    for key, value in headers:
        if key.lower() in found:
            found[key.lower()].append(value.decode("latin-1"))

    return arrival((found[name] or [""])[0], found[b"traceparent"], found[b"tracestate"])


def _route(scope: Scope, outside: str) -> str | None:
    """Give the route's template, which the application says itself, or Starlette and FastAPI put in the scope.

    Args:
        scope: after the application has handled it.
        outside: the root path at which the application is served, which is no part of its routes.
    """
    if ROUTE_KEY in scope:
        return str(scope[ROUTE_KEY])

    route = scope.get("route")
    template = _template(scope, route)

    if not isinstance(template, str):
        return None

    mounted = str(scope.get("root_path", "")).removeprefix(outside)
    return mounted if hasattr(route, "routes") else mounted + template


def _template(scope: Scope, route: object) -> object:
    """Give the path of Starlette's route, with the prefix of the router that FastAPI found it in."""
    ours = scope.get("fastapi")
    included = ours.get("effective_route_context") if isinstance(ours, dict) else None
    is_its = included is not None and getattr(included, "original_route", None) is route
    return getattr(included, "path_format", None) if is_its else getattr(route, "path", None)
