"""RequestIDMiddleware under a real server: ids in and out, nothing that leaks, errors and WebSockets too."""

import asyncio
import logging
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx
import pytest
import uvicorn
from fastapi import APIRouter, FastAPI
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Mount, Route, WebSocketRoute
from starlette.websockets import WebSocket
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

from loghub.errors import ConfigError
from loghub.event.context import bind, current
from loghub.middleware.asgi import Application, RequestIDMiddleware
from loghub.middleware.outbound import send_request_id, send_request_id_async

from scripted_hub import wait_until

MADE = re.compile(r"[0-9a-f]{32}")


@contextmanager
def served(app: Application) -> Iterator[str]:
    """Serve an application on a port of its own."""
    # httptools, where it is installed, would refuse some of the headers that an application may have to see.
    config = uvicorn.Config(app, port=0, log_config=None, lifespan="off", http="h11", ws="websockets-sansio")
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run)
    thread.start()

    try:
        while not server.started:
            thread.join(0.005)

        yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join(60)


async def show(_request: Request) -> Response:
    return JSONResponse(current())


async def binding(_request: Request) -> Response:
    bind(leaked="yes")
    return JSONResponse(current())


async def own_header(_request: Request) -> Response:
    return PlainTextResponse("x", headers={"X-Request-ID": "other"})


async def broken(_request: Request) -> Response:
    raise RuntimeError("broken")


async def talk(socket: WebSocket) -> None:
    await socket.accept(headers=[(b"x-more", b"yes")])
    await socket.send_json(current())
    await socket.close()


async def refuse(socket: WebSocket) -> None:
    await socket.close()


def shop(**options: Any) -> Starlette:
    routes = [
        Route("/show", show),
        Route("/bind", binding),
        Route("/own", own_header),
        Route("/broken", broken),
        WebSocketRoute("/talk", talk),
        WebSocketRoute("/refuse", refuse),
    ]
    return Starlette(routes=routes, **options)


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with served(RequestIDMiddleware(shop(), component="shop", access=True)) as address:
        yield address


def access_records(caplog: pytest.LogCaptureFixture) -> list[logging.LogRecord]:
    return [record for record in caplog.records if record.name == "loghub.access"]


def access_event(caplog: pytest.LogCaptureFixture) -> logging.LogRecord:
    """Wait for the access event: it is logged when the answer is out."""
    wait_until(lambda: bool(access_records(caplog)))
    return access_records(caplog)[0]


def test_id_is_made_bound_and_answered(url: str) -> None:
    answer = httpx.get(f"{url}/show")
    made = answer.headers["x-request-id"]
    assert MADE.fullmatch(made)
    assert answer.json() == {"request_id": made, "component": "shop"}


def test_id_that_comes_in_is_kept(url: str) -> None:
    answer = httpx.get(f"{url}/show", headers={"X-Request-ID": "abc-123"})
    assert answer.headers["x-request-id"] == "abc-123"
    assert answer.json()["request_id"] == "abc-123"


@pytest.mark.parametrize("odd", ["", "a b", "x" * 129, 'a"b', "a;b", "ä".encode("latin-1"), "{}", "\x7f"])
def test_id_that_could_forge_a_line_is_replaced(url: str, odd: str | bytes) -> None:
    answer = httpx.get(f"{url}/show", headers=[(b"x-request-id", odd if isinstance(odd, bytes) else odd.encode())])
    assert MADE.fullmatch(answer.headers["x-request-id"])


def test_nothing_leaks_into_the_next_request(url: str) -> None:
    with httpx.Client() as client:
        first = client.get(f"{url}/bind")
        second = client.get(f"{url}/show")

    assert first.json()["leaked"] == "yes"
    assert set(second.json()) == {"request_id", "component"}
    assert first.headers["x-request-id"] != second.headers["x-request-id"]


def test_nothing_is_left_bound_in_the_task_of_the_caller() -> None:
    async def app(_scope: Any, _receive: Any, _send: Any) -> None:
        raise ValueError

    async def call() -> dict[str, Any]:
        async def send(_message: Any) -> None:
            pass

        with pytest.raises(ValueError, match=r"^$"):
            await RequestIDMiddleware(app)({"type": "http", "headers": [], "path": "/"}, None, send)  # type: ignore[arg-type]

        return current()

    assert "request_id" not in asyncio.run(call())


def test_answer_has_the_header_once(url: str) -> None:
    answer = httpx.get(f"{url}/own", headers={"X-Request-ID": "mine"})
    assert answer.headers.get_list("x-request-id") == ["mine"]


def test_other_header_can_be_chosen() -> None:
    with served(RequestIDMiddleware(shop(), header="X-Correlation-ID")) as url:
        answer = httpx.get(f"{url}/show", headers={"X-Correlation-ID": "abc"})
        assert answer.headers["x-correlation-id"] == "abc"
        assert "x-request-id" not in answer.headers


@pytest.mark.parametrize("header", ["a b", "", 5, None, b"x-request-id"])
def test_header_that_is_none_is_refused(header: Any) -> None:
    with pytest.raises(ConfigError, match="a header's name is letters, digits and -") as caught:
        RequestIDMiddleware(shop(), header=header)

    assert (caught.value.option, caught.value.value) == ("header", header)


def test_unexpected_error_is_answered_with_the_id_and_logged(url: str, caplog: pytest.LogCaptureFixture) -> None:
    answer = httpx.get(f"{url}/broken", headers={"X-Request-ID": "abc"})
    assert answer.status_code == 500
    assert answer.headers["x-request-id"] == "abc"
    record = access_event(caplog)
    assert (record.levelname, record.__dict__["status"]) == ("ERROR", 500)


def test_application_without_an_error_page_is_answered_for() -> None:
    async def app(_scope: Any, _receive: Any, _send: Any) -> None:
        raise RuntimeError("broken")

    with served(RequestIDMiddleware(app)) as url:
        answer = httpx.get(url, headers={"X-Request-ID": "abc"})

    assert (answer.status_code, answer.headers["x-request-id"]) == (500, "abc")


def test_error_goes_on_to_the_server_although_the_client_has_gone() -> None:
    async def app(_scope: Any, _receive: Any, _send: Any) -> None:
        raise ValueError("real bug")

    async def send(_message: Any) -> None:
        raise OSError("client gone")

    with pytest.raises(ValueError, match="real bug"):
        asyncio.run(RequestIDMiddleware(app)({"type": "http", "headers": [], "path": "/"}, None, send))  # type: ignore[arg-type]


def test_error_page_of_a_framework_around_is_left_alone() -> None:
    async def page(_request: Request, _error: Exception) -> Response:
        return PlainTextResponse("our own page", 500)

    app = shop(middleware=[Middleware(RequestIDMiddleware)], exception_handlers={500: page})

    with served(app) as url:
        assert httpx.get(f"{url}/broken").text == "our own page"
        assert MADE.fullmatch(httpx.get(f"{url}/show").headers["x-request-id"])


def test_access_event_says_what_was_asked_and_answered(url: str, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, "loghub.access"):
        httpx.get(f"{url}/nowhere?secret=1")
        fields = access_event(caplog).__dict__

    assert (fields["method"], fields["path"], fields["status"]) == ("GET", "/nowhere", 404)
    assert fields["message"] == "GET /nowhere 404"
    assert 0 < fields["duration_ms"] < 10_000


def test_access_event_can_be_switched_off(caplog: pytest.LogCaptureFixture) -> None:
    with served(RequestIDMiddleware(shop(), access=False)) as url, caplog.at_level(logging.INFO, "loghub.access"):
        httpx.get(f"{url}/show")

    assert not [record for record in caplog.records if record.name == "loghub.access"]


def test_websocket_has_an_id_too(url: str) -> None:
    with connect(f"{url.replace('http', 'ws')}/talk", additional_headers={"X-Request-ID": "abc"}) as socket:
        assert socket.response is not None
        assert socket.response.headers["x-request-id"] == "abc"
        assert socket.response.headers["x-more"] == "yes"
        assert '"request_id":"abc"' in str(socket.recv())


def test_refused_websocket_is_logged_as_refused(url: str, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, "loghub.access"):
        with pytest.raises(InvalidStatus):
            connect(f"{url.replace('http', 'ws')}/refuse")

        record = access_event(caplog)

    assert (record.__dict__["method"], record.__dict__["status"]) == ("WEBSOCKET", 403)


def test_id_travels_on_to_the_next_application(url: str) -> None:
    async def front(_request: Request) -> Response:
        async with httpx.AsyncClient(event_hooks={"request": [send_request_id_async]}) as client:
            by_async = (await client.get(f"{url}/show")).json()

        def call() -> Any:
            with httpx.Client(event_hooks={"request": [send_request_id]}) as client:
                return client.get(f"{url}/show").json()

        return JSONResponse([by_async, await asyncio.to_thread(call)])

    with served(RequestIDMiddleware(Starlette(routes=[Route("/", front)]), component="front")) as address:
        answer = httpx.get(address, headers={"X-Request-ID": "abc"})

    assert answer.json() == [{"request_id": "abc", "component": "shop"}] * 2


def test_trace_that_comes_in_is_bound_and_goes_on(url: str) -> None:
    trace, span = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"

    async def front(_request: Request) -> Response:
        async with httpx.AsyncClient(event_hooks={"request": [send_request_id_async]}) as client:
            return JSONResponse((await client.get(f"{url}/show")).json())

    with served(RequestIDMiddleware(Starlette(routes=[Route("/", front)]))) as address:
        seen = httpx.get(address, headers={"traceparent": f"00-{trace}-{span}-01"}).json()
        without = httpx.get(address, headers={"traceparent": f"00-{trace}-{span}-01-x"}).json()

    assert (seen["trace_id"], seen["span_id"]) == (trace, span)
    assert "trace_id" not in without


def test_two_traceparents_are_none(url: str) -> None:
    value = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
    seen = httpx.get(f"{url}/show", headers=[("traceparent", value), ("traceparent", value)]).json()
    assert "trace_id" not in seen


def test_access_event_has_route_and_bytes(caplog: pytest.LogCaptureFixture) -> None:
    async def product(request: Request) -> Response:
        return PlainTextResponse("x" * int(request.path_params["sku"]))

    products = [Route("/products/{sku}", product)]
    app = Starlette(routes=[*products, Mount("/eu", routes=products)])

    with served(RequestIDMiddleware(app)) as url, caplog.at_level(logging.INFO, "loghub.access"):
        httpx.get(f"{url}/products/7")
        httpx.get(f"{url}/eu/products/9")
        httpx.get(f"{url}/none")
        wait_until(lambda: len(access_records(caplog)) == 3)

    fields = [record.__dict__ for record in access_records(caplog)]
    assert [each.get("route") for each in fields] == ["/products/{sku}", "/eu/products/{sku}", None]
    assert [each["bytes"] for each in fields] == [7, 9, 9]
    assert fields[0]["path"] == "/products/7"


def test_route_of_a_fastapi_router_has_its_prefix(caplog: pytest.LogCaptureFixture) -> None:
    router = APIRouter(prefix="/products")

    @router.get("/{sku}")
    def product(sku: str) -> str:
        return sku

    app, inner = FastAPI(), FastAPI()
    app.include_router(router, prefix="/v1")
    inner.include_router(router)
    app.mount("/inner", inner)

    with served(RequestIDMiddleware(app)) as url, caplog.at_level(logging.INFO, "loghub.access"):
        httpx.get(f"{url}/v1/products/7")
        httpx.get(f"{url}/inner/products/7")
        wait_until(lambda: len(access_records(caplog)) == 2)

    routes = [record.__dict__["route"] for record in access_records(caplog)]
    assert routes == ["/v1/products/{sku}", "/inner/products/{sku}"]


def test_application_may_say_its_route(caplog: pytest.LogCaptureFixture) -> None:
    async def app(scope: Any, _receive: Any, send: Any) -> None:
        scope["loghub.route"] = "/<own>"
        await send({"type": "http.response.start", "status": 204, "headers": []})
        await send({"type": "http.response.body", "body": b""})

    with served(RequestIDMiddleware(app)) as url, caplog.at_level(logging.INFO, "loghub.access"):
        httpx.get(url)
        assert access_event(caplog).__dict__["route"] == "/<own>"


def test_nothing_that_an_application_binds_stays_in_the_task_of_the_caller() -> None:
    async def app(_scope: Any, _receive: Any, send: Any) -> None:
        bind(leaked="yes")
        await send({"type": "http.response.start", "status": 204, "headers": []})

    async def send(_message: Any) -> None:
        pass

    async def two_requests() -> dict[str, Any]:
        for _ in range(2):
            await RequestIDMiddleware(app)({"type": "http", "headers": [], "path": "/"}, None, send)  # type: ignore[arg-type]

        return current()

    assert asyncio.run(two_requests()) == {}


def test_unknown_option_is_named() -> None:
    with pytest.raises(ConfigError, match="did you mean 'header'"):
        RequestIDMiddleware(shop(), heder="x")  # type: ignore[call-arg]
