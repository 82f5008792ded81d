"""Who may call: every request and every WebSocket passes here first.

Any web page that a person visits can make their browser call a port of their machine. So:

1. `Host` must be a loopback name or an allowed one (against DNS rebinding), with any port.
2. `Origin`, where a browser sends it, must be the very host and port that is called. `null` is
   refused, and so is what the browser itself marks as coming from another site; only a link to the
   page may come from there.
3. Without a token, callers must be on this machine: their address is a loopback one, or they have
   none, as over a Unix socket. An application may listen anywhere and have this app mounted.
4. With a token set, a caller shows it as `Authorization: Bearer`, or has a session: a cookie that
   a browser gets for the token, which scripts cannot read and other sites cannot send.
5. The page, its assets and the health checks need no token, so that the form to sign in can show.

A token is never read from a URL.
"""

import re
from collections.abc import Sequence
from urllib.parse import urlsplit

from starlette.requests import HTTPConnection
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from loghub.hub.answers import refusal
from loghub.hub.sessions import COOKIE, Sessions
from loghub.wire.loopback import is_loopback

OPEN_PATHS = frozenset(("", "/", "/healthz", "/readyz", "/api/v1/session", "/favicon.svg"))
"""Paths that need no token; so do those of the assets."""

ASSETS = "/assets/"

HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Content-Security-Policy": (
        "default-src 'self'; img-src 'self' data:; connect-src 'self'; base-uri 'self'; "
        "frame-ancestors 'none'; form-action 'self'"
    ),
    "Cache-Control": "no-store",
}
"""What every answer carries, unless its endpoint says otherwise."""

_RAW_HEADERS = [(name.lower().encode(), value.encode()) for name, value in HEADERS.items()]
_HOST = re.compile(r"(?:\[([0-9a-f:.]+)\]|([a-z0-9_.-]+))(?::([0-9]{1,5}))?", re.IGNORECASE)
_DEFAULT_PORTS = {"http": 80, "https": 443}
_FOREIGN_SITES = ("cross-site", "same-site")


class Guard:
    """ASGI middleware that lets in who may call.

    Args:
        app: what it guards.
        hosts: names under which the hub may be called, besides the loopback names.
        sessions: knows the token and who has signed in.
    """

    def __init__(self, app: ASGIApp, hosts: Sequence[str], sessions: Sessions) -> None:
        self._app = app
        self._hosts = tuple(map(_bare, hosts))
        self._sessions = sessions

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on who may call, answer who may not."""
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return

        refused = self._refuse(HTTPConnection(scope))

        if refused is None:
            await self._app(scope, receive, _with_headers(send))
        else:
            await _answer(refused, scope, receive, send)

    def _refuse(self, caller: HTTPConnection) -> Response | None:
        """Give the refusal for one who may not call; None for one who may."""
        hosts = caller.headers.getlist("host")
        host = _HOST.fullmatch(hosts[0]) if len(hosts) == 1 else None

        if host is None or not self._is_called(host):
            return refusal(
                403,
                "host_refused",
                f"no answer to the Host {', '.join(hosts)!r}: add its name to allowed_hosts (with a token)",
            )

        if not _is_same_origin(caller, host):
            return refusal(403, "origin_refused", "a page of another origin may not call this hub")

        if not (self._sessions.needed or _is_near(caller)):
            return refusal(
                403, "caller_refused", "without a token only this machine may call: set a token, and send it"
            )

        if not self._is_known(caller):
            return refusal(
                401,
                "token_needed",
                "send 'Authorization: Bearer <token>', or sign in with POST /api/v1/session",
                headers={"WWW-Authenticate": 'Bearer realm="loghub"'},
            )

        return None

    def _is_called(self, host: re.Match[str]) -> bool:
        name = (host[1] or host[2]).lower().removesuffix(".")
        return is_loopback(name) or _is_one_of(name, self._hosts)

    def _is_known(self, caller: HTTPConnection) -> bool:
        path = inner_path(caller.scope)

        if not self._sessions.needed or path in OPEN_PATHS or path.startswith(ASSETS):
            return True

        token = _bearer(caller)
        return self._sessions.knows(session_of(caller)) if token is None else self._sessions.is_token(token)


def _is_same_origin(caller: HTTPConnection, host: re.Match[str]) -> bool:
    origins = caller.headers.getlist("origin")

    if not origins:
        foreign = caller.headers.get("sec-fetch-site") in _FOREIGN_SITES
        return not foreign or _opens_page(caller)

    if len(origins) > 1:
        return False

    try:
        origin = urlsplit(origins[0])
        name, port = origin.hostname, origin.port
    except ValueError:
        return False

    if origin.scheme not in _DEFAULT_PORTS or not name:
        return False

    # Behind a proxy that ends TLS the scheme differs, so a missing port is the one of the origin's scheme.
    default = _DEFAULT_PORTS[origin.scheme]
    return (name, port or default) == ((host[1] or host[2]).lower(), int(host[3] or default))


def _is_near(caller: HTTPConnection) -> bool:
    """Tell whether the caller is on this machine."""
    if caller.client is None:
        return True

    return is_loopback(caller.client.host.removeprefix("::ffff:"))  # IPv4 as a socket for both kinds writes it


def session_of(caller: HTTPConnection) -> str:
    """Give the session by which a caller is known; an empty one where it shows the token itself."""
    return caller.cookies.get(COOKIE, "") if _bearer(caller) is None else ""


def _bearer(caller: HTTPConnection) -> str | None:
    scheme, _, token = caller.headers.get("authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else None


def inner_path(scope: Scope) -> str:
    """Give the path below the prefix at which the app is mounted."""
    path: str = scope["path"]
    root: str = scope.get("root_path", "")
    return path[len(root) :] if path == root or path.startswith(f"{root}/") else path


def _bare(name: str) -> str:
    return name.strip("[]").lower()


def _is_one_of(name: str, allowed: Sequence[str]) -> bool:
    return any(name.endswith(each[1:]) if each[0] == "*" else name == each for each in allowed)


def _opens_page(caller: HTTPConnection) -> bool:
    return (
        caller.scope["type"] == "http"
        and caller.scope["method"] == "GET"
        and caller.headers.get("sec-fetch-mode") == "navigate"
        and inner_path(caller.scope) in ("", "/")
    )


def _with_headers(send: Send) -> Send:
    async def send_with_headers(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = list(message.get("headers", ()))
            known = {name.lower() for name, _ in headers}
            message["headers"] = headers + [header for header in _RAW_HEADERS if header[0] not in known]

        await send(message)

    return send_with_headers


async def _answer(refused: Response, scope: Scope, receive: Receive, send: Send) -> None:
    if scope["type"] == "http" or "websocket.http.response" in scope.get("extensions", {}):
        await refused(scope, receive, _with_headers(send))
    else:
        await send({"type": "websocket.close", "code": 1008})  # before it was accepted: the server answers 403
