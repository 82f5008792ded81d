"""`RequestIDMiddleware` for WSGI: each request has an id, which its events carry and its answer tells.

Wrap the whole application with it, so that the answer to an unexpected error has the id too:
`application = RequestIDMiddleware(application)`, in Flask `app.wsgi_app = RequestIDMiddleware(app.wsgi_app)`.

Rules, beside those of `exchange`:
1. The application, its body and the body's `close` run in a context of the request's own. The server's thread
   never sees what is bound there, so nothing can leak into its next request.
2. An application that raises before it answered gets a plain 500 with the id; the exception goes on to the server
   when that closes the body. One that raises later is the server's at once.
3. The access event is logged when the body is at its end, or closed before.

A body from `wsgi.file_wrapper` is read piece by piece, not sent by the kernel: its bytes are counted.
"""

import re
from collections.abc import Callable, Iterable, Iterator
from contextvars import Context, copy_context
from typing import Any, TypeAlias

from loghub.event.context import bind
from loghub.middleware.exchange import ROUTE_KEY, Arrival, Exchange, arrival, header_name
from loghub.middleware.traceparent import incoming
from loghub.options import names_unknown_options

Environ: TypeAlias = dict[str, Any]
Headers: TypeAlias = list[tuple[str, str]]
Write: TypeAlias = Callable[[bytes], object]
StartResponse: TypeAlias = Callable[..., Write]
Application: TypeAlias = Callable[[Environ, StartResponse], Iterable[bytes]]

_STATUS = re.compile(r"[0-9]{3}")


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
        self._header = header_name(header)
        self._key = "HTTP_" + self._header.upper().replace("-", "_")
        self._bound = {} if component is None else {"component": component}
        self._access = access

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        """Handle a request."""
        arrived = _arrival(environ, self._key)
        context = copy_context()
        context.run(incoming.set, arrived.trace)
        context.run(bind, **arrived.to_bind(), **self._bound)
        answer = _Answer(environ, start_response, (self._header, arrived.request_id), access=self._access)

        try:
            body = context.run(self.app, environ, answer.start)
        except Exception as error:  # noqa: BLE001 (the application's; it goes on in `close`)
            return _Body(answer, context, context.run(answer.fail, error))
        except BaseException:
            context.run(answer.end)
            raise

        return _SizedBody(answer, context, body) if hasattr(body, "__len__") else _Body(answer, context, body)


class _Answer:
    """What has been answered so far, and where to."""

    def __init__(
        self, environ: Environ, start_response: StartResponse, header: tuple[str, str], *, access: bool
    ) -> None:
        self.exchange = Exchange(environ.get("REQUEST_METHOD", ""), _path(environ))
        self.error: Exception | None = None
        self._environ = environ
        self._start_response = start_response
        self._header = header
        self._unlogged = access
        self._route: str | None = None

    def start(self, status: str, headers: Headers, exc_info: Any = None) -> Write:  # noqa: ANN401 (sys.exc_info's, or None)
        """Pass the head of the answer on, with the id."""
        named = [*((name, value) for name, value in headers if name.lower() != self._header[0]), self._header]
        write = self._start_response(status, named, exc_info) if exc_info else self._start_response(status, named)
        self._route = _route(self._environ)  # now: Flask takes its request out of the environ before the body is read
        self.exchange.status = int(status[:3]) if _STATUS.match(status) else None

        def counting(data: bytes) -> object:
            self.exchange.bytes += len(data)
            return write(data)

        return counting

    def fail(self, error: Exception) -> list[bytes]:
        """Answer for an application that raised, or raise again where its answer is out already."""
        self.exchange.failed = True

        if self.exchange.bytes:
            self.end()
            raise error

        try:
            headers = [("Content-Type", "text/plain; charset=utf-8")]
            self.start("500 Internal Server Error", headers, (type(error), error, error.__traceback__))
        except BaseException:  # the server, whose head is out: it raises the error again
            self.end()
            raise

        self.error = error
        return [b"Internal Server Error"]

    def end(self) -> None:
        """Log the access event, once."""
        if self._unlogged:
            self._unlogged = False
            self.exchange.log(self._route)


class _Body:
    """The application's body, run in the request's context."""

    def __init__(self, answer: _Answer, context: Context, body: Iterable[bytes]) -> None:
        self._answer = answer
        self._context = context
        self._body = body
        self._pieces: Iterator[bytes] | None = None

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        return self._context.run(self._piece)

    def close(self) -> None:
        """Close the application's body, and raise what the application raised."""
        self._context.run(self._close)
        error, self._answer.error = self._answer.error, None

        if error is not None:
            raise error

    def _piece(self) -> bytes:
        try:
            piece = next(self._iterator())
        except StopIteration:
            self._answer.end()
            raise
        except Exception as error:  # noqa: BLE001 (the application's)
            piece = self._instead(error)

        self._answer.exchange.bytes += len(piece)
        return piece

    def _iterator(self) -> Iterator[bytes]:
        if self._pieces is None:
            self._pieces = iter(self._body)

        return self._pieces

    def _instead(self, error: Exception) -> bytes:
        """Give the answer for an application that raised while its body was read."""
        self._pieces = iter(self._answer.fail(error))
        return next(self._pieces)

    def _close(self) -> None:
        try:
            close = getattr(self._body, "close", None)

            if close is not None:
                close()
        except Exception:
            self._answer.exchange.failed = True
            raise
        finally:
            self._answer.end()


class _SizedBody(_Body):
    """A body whose number of pieces is known: servers make a Content-Length of a single one."""

    _body: Any

    def __len__(self) -> int:
        return len(self._body)


def _arrival(environ: Environ, key: str) -> Arrival:
    # A server joins headers of one name with a comma, as CGI has it: two traceparents are then none.
    parents, states = environ.get("HTTP_TRACEPARENT"), environ.get("HTTP_TRACESTATE")
    return arrival(str(environ.get(key, "")), [parents] if parents else [], [states] if states else [])


def _path(environ: Environ) -> str:
    """Give the path as the client meant it: WSGI has UTF-8 as Latin-1."""
    path = str(environ.get("SCRIPT_NAME", "")) + str(environ.get("PATH_INFO", ""))

    try:
        return path.encode("latin-1").decode("utf-8", "backslashreplace")
    except UnicodeEncodeError:  # a server of its own ways
        return path


def _route(environ: Environ) -> str | None:
    """Give the route's template, which the application says itself, or Flask put in the environ."""
    if ROUTE_KEY in environ:
        return str(environ[ROUTE_KEY])

    rule = getattr(getattr(environ.get("werkzeug.request"), "url_rule", None), "rule", None)
    return rule if isinstance(rule, str) else None
