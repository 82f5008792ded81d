import re
import time
from collections.abc import Iterator
from contextlib import contextmanager

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from served_hub import served
from starlette.applications import Starlette
from starlette.requests import HTTPConnection
from starlette.routing import Mount, Route, WebSocketRoute
from starlette.types import ASGIApp, Receive, Scope, Send
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import ClientConnection, connect
from websockets.typing import Origin

from loghub.hub.api.app import create_app
from loghub.hub.guard import Guard
from loghub.hub.sessions import Sessions
from loghub.hub.settings import Limits, Settings
from loghub.hub.store.memory import MemoryStore

TOKEN = "a-token-of-the-test"
OPEN = {"/", "/favicon.svg", "/healthz", "/readyz", "/assets/x", "/api/v1/session"}


def app_with(**options: object) -> Starlette:
    return create_app(MemoryStore(), Settings(**options), ingest=True)  # type: ignore[arg-type]


def every_http_route() -> list[tuple[str, str]]:
    found = []

    for route in app_with().routes:
        assert isinstance(route, Route | WebSocketRoute | Mount), "a new kind of route: guard and test it"

        if isinstance(route, Route):
            found += [(method, route.path) for method in sorted(route.methods or ())]

        elif isinstance(route, Mount):
            found.append(("GET", f"{route.path}/x"))

    return found


def every_socket() -> list[str]:
    return [route.path for route in app_with().routes if isinstance(route, WebSocketRoute)]


FOREIGN = [
    {"Host": "evil.example"},
    {"Host": "127.0.0.1.evil.example"},
    {"Host": "localhost.evil.example:8514"},
    {"Host": "2130706433"},
    {"Origin": "https://evil.example"},
    {"Origin": "null"},
    {"Origin": "http://127.0.0.1:1"},
    {"Origin": "file://"},
    {"Origin": ""},
    {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "no-cors"},
    {"Sec-Fetch-Site": "same-site", "Sec-Fetch-Mode": "cors"},
]


@contextmanager
def client_of(app: ASGIApp) -> Iterator[httpx.Client]:
    with served(app) as address, httpx.Client(base_url=f"http://{address}") as client:
        yield client


def test_what_is_foreign_is_refused_on_every_route() -> None:
    with client_of(app_with()) as client:
        for method, path in every_http_route():
            for headers in FOREIGN:
                answer = client.request(method, path, headers=headers)
                assert answer.status_code == 403, (method, path, headers)

                if method != "HEAD":
                    assert set(answer.json()["error"]) == {"code", "message"}


def test_what_is_foreign_is_refused_on_every_websocket() -> None:
    with served(app_with()) as address:
        for path in every_socket():
            for headers in FOREIGN:
                with (
                    pytest.raises(InvalidStatus) as refused,
                    connect(f"ws://{address}{path}", additional_headers=headers),
                ):
                    pass

                assert refused.value.response.status_code in (400, 403), (path, headers)


def test_every_route_but_the_open_ones_needs_the_token() -> None:
    with client_of(app_with(token=TOKEN)) as client:
        for method, path in every_http_route():
            expected = path not in OPEN
            assert (client.request(method, path).status_code == 401) == expected, (method, path)
            wrong = client.request(method, path, headers={"Authorization": "Bearer wrong"})
            assert (wrong.status_code == 401) == expected, (method, path)
            right = client.request(method, path, headers={"Authorization": f"bearer {TOKEN}"})
            assert right.status_code != 401, (method, path)

        answer = client.get("/api/v1/search", params={"token": TOKEN})
        assert (answer.status_code, answer.headers["WWW-Authenticate"]) == (401, 'Bearer realm="loghub"')


def test_every_websocket_needs_the_token() -> None:
    with served(app_with(token=TOKEN)) as address:
        for path in every_socket():
            with pytest.raises(InvalidStatus, match="401"), connect(f"ws://{address}{path}"):
                pass

            with connect(f"ws://{address}{path}", additional_headers={"Authorization": f"Bearer {TOKEN}"}) as tail:
                assert tail.recv(60)


def test_a_browser_signs_in_and_out() -> None:
    with client_of(app_with(token=TOKEN)) as client:
        assert client.post("/api/v1/session", json={"token": "wrong"}).status_code == 401
        answer = client.post("/api/v1/session", json={"token": TOKEN})
        cookie = answer.headers["Set-Cookie"]

        assert answer.status_code == 204
        assert TOKEN not in cookie
        assert re.fullmatch(
            r"loghub_session=\d+\.[\w-]{12}\.[\w-]{43}; HttpOnly; Max-Age=2592000; Path=/; SameSite=strict", cookie
        )
        assert client.get("/api/v1/search").status_code == 200

        value = client.cookies["loghub_session"]
        address = client.base_url.netloc.decode()

        with connect(
            f"ws://{address}/api/v1/tail",
            origin=Origin(f"http://{address}"),
            additional_headers={"Cookie": f"loghub_session={value}"},
        ) as tail:
            assert tail.recv(60)

        assert client.delete("/api/v1/session").status_code == 204
        assert client.get("/api/v1/search", headers={"Cookie": f"loghub_session={value}"}).status_code == 401


@contextmanager
def signed_in_tail(client: httpx.Client) -> Iterator[ClientConnection]:
    """Open a tail by a session of its own."""
    signed = httpx.post(client.base_url.join("/api/v1/session"), json={"token": TOKEN})
    cookie = "; ".join(f"{name}={value}" for name, value in signed.cookies.items())

    with connect(f"ws://{client.base_url.netloc.decode()}/api/v1/tail", additional_headers={"Cookie": cookie}) as tail:
        tail.recv(60)
        client.headers["Cookie"] = cookie
        yield tail


def closing_code(tail: ClientConnection) -> int | None:
    with pytest.raises(ConnectionClosed) as closed:
        list(tail)

    return closed.value.rcvd.code if closed.value.rcvd else None


def test_signing_out_ends_the_tails_of_that_session_and_no_other() -> None:
    with client_of(app_with(token=TOKEN)) as client, signed_in_tail(client) as other, signed_in_tail(client) as tail:
        assert client.delete("/api/v1/session").status_code == 204
        assert closing_code(tail) == 4401

        with pytest.raises(TimeoutError):
            other.recv(0.2)


def test_a_tail_ends_with_its_session() -> None:
    app = app_with(token=TOKEN, limits=Limits(session=60, heartbeat=0.05))

    with (
        client_of(app) as client,
        connect(
            f"ws://{client.base_url.netloc.decode()}/api/v1/tail",
            additional_headers={"Authorization": f"Bearer {TOKEN}"},
        ) as program,
        signed_in_tail(client) as tail,
    ):
        app.state.parts.sessions._clock = lambda: time.time() + 60
        assert closing_code(tail) == 4401
        assert program.recv(60)  # who shows the token itself has no session that could end


@pytest.mark.parametrize(
    ("content", "content_type"),
    [
        (b'{"token":"a-token-of-the-test"}', "text/plain"),
        (b"no json", "application/json"),
        (b"[]", "application/json"),
        (b'{"token":7}', "application/json"),
        (b'{"token":"' + b"x" * 5000 + b'"}', "application/json"),
    ],
)
def test_signing_in_with_another_body_is_refused(content: bytes, content_type: str) -> None:
    with client_of(app_with(token=TOKEN)) as client:
        answer = client.post("/api/v1/session", content=content, headers={"Content-Type": content_type})
        assert (answer.status_code, answer.json()["error"]["code"]) == (400, "bad_body")


def test_without_a_token_signing_in_is_not_needed() -> None:
    with client_of(app_with()) as client:
        answer = client.post("/api/v1/session", json={"token": "any"})
        assert answer.status_code == 204
        assert "Set-Cookie" not in answer.headers


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Host": "localhost"}, 200),
        ({"Host": "LOCALHOST.:80"}, 200),
        ({"Host": "127.8.9.1:8514"}, 200),
        ({"Host": "[::1]:8514"}, 200),
        ({"Host": "logs.example.org:444"}, 200),
        ({"Host": "a.b.team.example"}, 200),
        ({"Host": "team.example"}, 403),
        ({"Host": "evilteam.example"}, 403),
        ({"Host": "[::2]"}, 403),
        ({"Host": "a b"}, 403),
        ({"Host": "localhost", "Origin": "http://localhost"}, 200),
        ({"Host": "localhost", "Origin": "https://localhost"}, 200),
        ({"Host": "localhost:8514", "Origin": "http://localhost:8514"}, 200),
        ({"Host": "localhost:8514", "Origin": "http://localhost"}, 403),
        ({"Host": "localhost:8514", "Origin": "http://127.0.0.1:8514"}, 403),
        ({"Host": "[::1]:8514", "Origin": "http://[::1]:8514"}, 200),
        ({"Host": "localhost:8514", "Origin": "https://logs.example.org"}, 403),
        ({"Host": "logs.example.org", "Origin": "https://logs.example.org"}, 200),
        ({"Host": "logs.example.org", "Origin": "https://logs.example.org:444"}, 403),
        ({"Host": "a.team.example", "Origin": "https://b.team.example"}, 403),
        ({"Host": "a.team.example", "Origin": "https://a.team.example"}, 200),
        ({"Host": "localhost:8514", "Origin": "https://logs.example.org.evil.example"}, 403),
        ({"Host": "localhost:8514", "Origin": "https://logs.example.org@evil.example"}, 403),
        ({"Host": "localhost:8514", "Origin": "chrome-extension://localhost:8514"}, 403),
        ({"Host": "localhost", "Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate"}, 403),
        ({"Host": "localhost", "Sec-Fetch-Site": "same-origin", "Sec-Fetch-Mode": "cors"}, 200),
        ({"Host": "localhost", "Sec-Fetch-Site": "none", "Sec-Fetch-Mode": "navigate"}, 200),
    ],
)
def test_names_that_may_call(headers: dict[str, str], status: int) -> None:
    headers = headers | {"Authorization": f"Bearer {TOKEN}"}

    with client_of(app_with(token=TOKEN, allowed_hosts=("logs.example.org", "*.team.example"))) as client:
        assert client.get("/api/v1/search", headers=headers).status_code == status


FAR = ("203.0.113.9", "192.168.1.7", "2001:db8::1", "::ffff:203.0.113.9", "testclient", "")
NEAR = ("127.0.0.1", "127.8.9.1", "::1", "::ffff:127.0.0.1", None)


def called_from(peer: str | None, app: ASGIApp) -> ASGIApp:
    """Mount an app so that every caller has this address."""

    async def mounted(scope: Scope, receive: Receive, send: Send) -> None:
        await app({**scope, "client": peer if peer is None else (peer, 1)}, receive, send)

    return mounted


@pytest.mark.parametrize("peer", FAR)
def test_without_a_token_nobody_on_another_machine_may_call(peer: str) -> None:
    with client_of(called_from(peer, app_with())) as client:
        for method, path in every_http_route():
            assert client.request(method, path, headers={"Host": "localhost"}).status_code == 403, (method, path)

        error = client.get("/api/v1/search").json()["error"]
        assert error["code"] == "caller_refused"
        assert error["message"].endswith("set a token, and send it")

        for path in every_socket():
            with pytest.raises(InvalidStatus, match="403"), connect(f"ws://{client.base_url.netloc.decode()}{path}"):
                pass


@pytest.mark.parametrize("peer", NEAR)
def test_without_a_token_this_machine_may_call(peer: str | None) -> None:
    with client_of(called_from(peer, app_with())) as client:
        assert client.get("/api/v1/search").status_code == 200


@pytest.mark.parametrize("peer", FAR)
def test_with_a_token_any_machine_may_call(peer: str) -> None:
    with client_of(called_from(peer, app_with(token=TOKEN))) as client:
        assert client.get("/api/v1/search").status_code == 401
        assert client.get("/api/v1/search", headers={"Authorization": f"Bearer {TOKEN}"}).status_code == 200


@pytest.mark.parametrize("origin", ["http://127.0.0.1:1", "http://a.logs.example.org", "https://logs.example.org:444"])
def test_a_page_of_another_port_or_subdomain_gets_no_tail_by_the_cookie(origin: str) -> None:
    with client_of(app_with(token=TOKEN, allowed_hosts=("logs.example.org", "*.logs.example.org"))) as client:
        client.post("/api/v1/session", json={"token": TOKEN})
        cookie = "; ".join(f"{name}={value}" for name, value in client.cookies.items())
        address = client.base_url.netloc.decode()

        with (
            pytest.raises(InvalidStatus, match="403"),
            connect(f"ws://{address}/api/v1/tail", origin=Origin(origin), additional_headers={"Cookie": cookie}),
        ):
            pass

        with connect(
            f"ws://{address}/api/v1/tail",
            origin=Origin(f"http://{address}"),
            additional_headers={"Cookie": cookie},
        ) as tail:
            assert tail.recv(60)


def test_a_link_from_elsewhere_opens_the_page() -> None:
    link = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate"}

    with client_of(app_with()) as client:
        assert client.get("/", headers=link).status_code == 200
        assert client.post("/", headers=link).status_code == 403


def test_two_hosts_or_none_are_refused() -> None:
    guard = Guard(app_with(), (), Sessions(None, 60))

    for hosts in ([], ["localhost", "localhost"]):
        headers = [(b"host", host.encode()) for host in hosts]
        caller = HTTPConnection({"type": "http", "method": "GET", "path": "/", "headers": headers})
        refused = guard._refuse(caller)
        assert refused is not None
        assert refused.status_code == 403


def test_every_answer_carries_the_headers_of_a_careful_server() -> None:
    with client_of(app_with()) as client:
        for path in ("/", "/api/v1/search", "/nowhere", "/metrics"):
            headers = client.get(path).headers
            assert headers["X-Content-Type-Options"] == "nosniff"
            assert headers["Referrer-Policy"] == "no-referrer"
            assert headers["Content-Security-Policy"].startswith("default-src 'self'; ")
            assert headers["Cache-Control"] == "no-store"


@given(st.text(max_size=40), st.text(max_size=40))
def test_odd_headers_never_break_the_guard(host: str, origin: str) -> None:
    guard = Guard(app_with(), (), Sessions(None, 60))
    headers = [(b"host", host.encode("utf-8", "replace")), (b"origin", origin.encode("utf-8", "replace"))]
    guard._refuse(HTTPConnection({"type": "http", "method": "GET", "path": "/", "headers": headers}))
