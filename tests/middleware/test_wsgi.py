"""RequestIDMiddleware for WSGI under a real server, and piece by piece: ids, bodies, errors, nothing that leaks."""

import json
import logging
import re
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from io import StringIO
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server
from wsgiref.util import FileWrapper, setup_testing_defaults
from wsgiref.validate import validator

import httpx
import pytest

from loghub.errors import ConfigError
from loghub.event.context import bind, current
from loghub.middleware.wsgi import Application, RequestIDMiddleware

from scripted_hub import wait_until

MADE = re.compile(r"[0-9a-f]{32}")
TRACE, SPAN = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
PLAIN = [("Content-Type", "text/plain")]


class Quiet(WSGIRequestHandler):
    errors = StringIO()

    def log_message(self, *_args: Any) -> None:
        """Say nothing."""

    def get_stderr(self) -> Any:
        return self.errors


@contextmanager
def served(app: Application) -> Iterator[str]:
    """Serve an application with one thread for all requests."""
    Quiet.errors = StringIO()

    with make_server("127.0.0.1", 0, app, WSGIServer, Quiet) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()

        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join(60)


def show(environ: dict[str, Any], start: Callable[..., Any]) -> Iterable[bytes]:
    if environ["PATH_INFO"] == "/bind":
        bind(leaked="yes")

    start("200 OK", PLAIN)
    return [json.dumps(current()).encode()]


def streaming(_environ: dict[str, Any], start: Callable[..., Any]) -> Iterator[bytes]:
    start("200 OK", PLAIN)
    yield b"first "
    bind(leaked="from the body")
    yield json.dumps(current()).encode()


def call(app: Application, **environ: Any) -> tuple[list[Any], Any]:
    """Call an application as a server does; give the arguments of start_response, and the body unread."""
    started: list[Any] = []

    def start(*args: Any) -> Callable[[bytes], object]:
        started[:] = args
        return lambda _data: None

    setup_testing_defaults(environ)
    return started, app(environ, start)


def access_events(caplog: pytest.LogCaptureFixture) -> list[dict[str, Any]]:
    return [record.__dict__ for record in caplog.records if record.name == "loghub.access"]


@pytest.fixture(autouse=True)
def _at_info(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "loghub.access")


def test_id_is_made_bound_and_answered() -> None:
    with served(RequestIDMiddleware(validator(show), component="shop")) as url:
        answer = httpx.get(url)

    made = answer.headers["x-request-id"]
    assert MADE.fullmatch(made)
    assert answer.json() == {"request_id": made, "component": "shop"}


def test_middleware_keeps_to_the_letter_of_wsgi() -> None:
    with served(validator(RequestIDMiddleware(streaming))) as url:
        assert httpx.get(url).text.startswith("first ")
        assert Quiet.errors.getvalue() == ""


@pytest.mark.parametrize("odd", ["", "a b", "x" * 129, 'a"b', "a;b", "ä", "{}", "a\r\nb: c"])
def test_id_that_could_forge_a_line_is_replaced(odd: str) -> None:
    started, _ = call(RequestIDMiddleware(show), HTTP_X_REQUEST_ID=odd)
    assert MADE.fullmatch(dict(started[1])["x-request-id"])


def test_id_that_comes_in_is_kept_and_answered_once() -> None:
    def own(_environ: dict[str, Any], start: Callable[..., Any]) -> Iterable[bytes]:
        start("200 OK", [("X-Request-ID", "other")])
        return []

    started, _ = call(RequestIDMiddleware(own), HTTP_X_REQUEST_ID="mine")
    assert started[1] == [("x-request-id", "mine")]


def test_trace_that_comes_in_is_bound() -> None:
    _, body = call(RequestIDMiddleware(show), HTTP_TRACEPARENT=f"00-{TRACE}-{SPAN}-01")
    seen = json.loads(b"".join(body))
    assert (seen["trace_id"], seen["span_id"]) == (TRACE, SPAN)

    _, body = call(RequestIDMiddleware(show), HTTP_TRACEPARENT="00-0-0-01")
    assert "trace_id" not in json.loads(b"".join(body))


def test_nothing_leaks_into_the_next_request_of_the_same_thread() -> None:
    with served(RequestIDMiddleware(show)) as url:
        first = httpx.get(f"{url}/bind").json()
        second = httpx.get(url).json()

    assert first["leaked"] == "yes"
    assert set(second) == {"request_id"}
    assert first["request_id"] != second["request_id"]


def test_body_is_made_in_the_context_of_its_request_alone() -> None:
    _, one = call(RequestIDMiddleware(streaming), HTTP_X_REQUEST_ID="one")
    _, two = call(RequestIDMiddleware(streaming), HTTP_X_REQUEST_ID="two")
    pieces = [next(one), next(two), next(one), next(two)]
    assert json.loads(pieces[2])["request_id"] == "one"
    assert json.loads(pieces[3])["request_id"] == "two"
    assert current() == {}


def test_close_runs_in_the_context_and_the_event_is_logged_once(caplog: pytest.LogCaptureFixture) -> None:
    seen: list[Any] = []

    class Body:
        def __iter__(self) -> Iterator[bytes]:
            return iter([b"abc", b"de"])

        def close(self) -> None:
            seen.append(current()["request_id"])

    def app(_environ: dict[str, Any], start: Callable[..., Any]) -> Iterable[bytes]:
        start("200 OK", PLAIN)
        return Body()

    _, body = call(RequestIDMiddleware(app), HTTP_X_REQUEST_ID="abc")
    assert list(body) == [b"abc", b"de"]
    body.close()
    body.close()
    assert seen == ["abc", "abc"]
    [event] = access_events(caplog)
    assert (event["status"], event["bytes"]) == (200, 5)


def test_client_that_goes_away_ends_the_body_and_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    ended: list[bool] = []

    def app(_environ: dict[str, Any], start: Callable[..., Any]) -> Iterator[bytes]:
        start("200 OK", PLAIN)

        try:
            yield b"abc"
            yield b"de"
        finally:
            ended.append(True)

    _, body = call(RequestIDMiddleware(app))
    next(body)
    assert not access_events(caplog)
    body.close()
    assert ended == [True]
    assert [event["bytes"] for event in access_events(caplog)] == [3]


def test_access_event_says_what_was_asked_and_answered(caplog: pytest.LogCaptureFixture) -> None:
    _, body = call(RequestIDMiddleware(show), PATH_INFO="/caf\xc3\xa9", QUERY_STRING="secret=1", REQUEST_METHOD="POST")
    size = len(b"".join(body))
    [event] = access_events(caplog)
    assert event["message"] == "POST /café 200"
    assert (event["method"], event["path"], event["status"], event["bytes"]) == ("POST", "/café", 200, size)
    assert 0 < event["duration_ms"] < 10_000
    assert "route" not in event


def test_route_is_what_the_application_says(caplog: pytest.LogCaptureFixture) -> None:
    def app(environ: dict[str, Any], start: Callable[..., Any]) -> Iterable[bytes]:
        environ["loghub.route"] = "/products/<sku>"
        return show(environ, start)

    list(call(RequestIDMiddleware(app), PATH_INFO="/products/7")[1])
    assert access_events(caplog)[0]["route"] == "/products/<sku>"


def test_access_event_can_be_switched_off(caplog: pytest.LogCaptureFixture) -> None:
    list(call(RequestIDMiddleware(show, access=False))[1])
    assert not access_events(caplog)


def raising(_environ: dict[str, Any], _start: Callable[..., Any]) -> Iterable[bytes]:
    raise RuntimeError("broken")


def raising_in_the_body(_environ: dict[str, Any], start: Callable[..., Any]) -> Iterator[bytes]:
    start("200 OK", PLAIN)
    yield from ()
    raise RuntimeError("broken")


@pytest.mark.parametrize("app", [raising, raising_in_the_body])
def test_error_before_the_answer_is_answered_with_the_id_and_given_to_the_server(
    app: Application, caplog: pytest.LogCaptureFixture
) -> None:
    with served(RequestIDMiddleware(app)) as url:
        answer = httpx.get(url, headers={"X-Request-ID": "abc"})
        assert (answer.status_code, answer.headers["x-request-id"]) == (500, "abc")
        wait_until(lambda: "RuntimeError: broken" in Quiet.errors.getvalue())

    [event] = access_events(caplog)
    assert (event["levelname"], event["status"]) == ("ERROR", 500)


def test_error_after_the_answer_began_is_the_servers(caplog: pytest.LogCaptureFixture) -> None:
    def app(_environ: dict[str, Any], start: Callable[..., Any]) -> Iterator[bytes]:
        start("200 OK", PLAIN)
        yield b"abc"
        raise RuntimeError("broken")

    _, body = call(RequestIDMiddleware(app))
    assert next(body) == b"abc"

    with pytest.raises(RuntimeError, match="broken"):
        next(body)

    body.close()
    [event] = access_events(caplog)
    assert (event["levelname"], event["status"], event["bytes"]) == ("ERROR", 200, 3)


def test_error_after_write_is_the_servers(caplog: pytest.LogCaptureFixture) -> None:
    def app(_environ: dict[str, Any], start: Callable[..., Any]) -> Iterable[bytes]:
        start("200 OK", PLAIN)(b"abc")
        raise RuntimeError("broken")

    with pytest.raises(RuntimeError, match="broken"):
        call(RequestIDMiddleware(app))

    assert [event["bytes"] for event in access_events(caplog)] == [3]
    assert current() == {}


def test_error_in_close_is_the_servers_and_marks_the_event(caplog: pytest.LogCaptureFixture) -> None:
    class Body:
        def __iter__(self) -> Iterator[bytes]:
            return iter(())

        def close(self) -> None:
            raise RuntimeError("broken")

    def app(_environ: dict[str, Any], start: Callable[..., Any]) -> Iterable[bytes]:
        start("200 OK", PLAIN)
        return Body()

    _, body = call(RequestIDMiddleware(app))

    with pytest.raises(RuntimeError, match="broken"):
        body.close()

    assert [event["levelname"] for event in access_events(caplog)] == ["ERROR"]


def test_single_piece_keeps_its_length_and_a_file_is_read() -> None:
    with served(RequestIDMiddleware(show)) as url:
        assert "content-length" in httpx.get(url).headers

    def file(_environ: dict[str, Any], start: Callable[..., Any]) -> Iterable[bytes]:
        start("200 OK", PLAIN)
        return FileWrapper(open(__file__, "rb"))  # noqa: PTH123 (the server closes it)

    with served(RequestIDMiddleware(file)) as url:
        assert "the server closes it" in httpx.get(url).text


def test_header_that_is_none_and_unknown_options_are_refused() -> None:
    with pytest.raises(ConfigError, match="header"):
        RequestIDMiddleware(show, header="a b")

    with pytest.raises(ConfigError, match="did you mean 'access'"):
        RequestIDMiddleware(show, acces=True)  # type: ignore[call-arg]
