import gc
import json
import logging
import logging.config
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from served_hub import served, wait_until
from starlette.applications import Starlette
from starlette.types import ASGIApp
from websockets.sync.client import connect

from loghub import metrics
from loghub.errors import ConfigError
from loghub.formatters import JSONFormatter
from loghub.handlers.broadcast import BroadcastHandler
from loghub.hub import live
from loghub.metrics import MetricsFilter

from processes import free_port


@pytest.fixture
def logger() -> Iterator[logging.Logger]:
    made = logging.getLogger("shop.test")
    made.setLevel(logging.DEBUG)
    made.propagate = False
    yield made

    for handler in list(made.handlers):
        made.removeHandler(handler)
        handler.close()


def messages(address: str | None) -> list[str]:
    found = httpx.get(f"http://{address}/api/v1/search").json()["events"]
    return [event["message"] for event in reversed(found)]


def test_a_served_handler_shows_what_was_logged(logger: logging.Logger) -> None:
    handler = BroadcastHandler(serve="127.0.0.1:0")
    logger.addHandler(handler)
    logger.warning("hello %s", "world", extra={"order": 7})

    found = httpx.get(f"http://{handler.address}/api/v1/search?query=order:7").json()["events"]
    assert [(event["message"], event["order"], event["template"]) for event in found] == [
        ("hello world", 7, "hello %s")
    ]


def test_a_served_handler_has_what_a_hub_has(logger: logging.Logger) -> None:
    handler = BroadcastHandler(serve="127.0.0.1:0")
    logger.addHandler(handler)

    for number in range(3):
        logger.warning("order %d", number, extra={"user": number % 2})

    with httpx.Client(base_url=f"http://{handler.address}", timeout=60) as client:

        def get(path: str, **parameters: str) -> Any:
            return client.get(f"/api/v1/{path}", params=parameters).json()

        (event, *_) = get("search")["events"]
        assert get("facets", fields="user", query="order")["facets"][0]["values"] == [
            {"value": "0", "count": 2}, {"value": "1", "count": 1},
        ]  # fmt: skip
        assert get("histogram")["total"] == 3
        assert {"name": "user", "type": "number", "count": 3} in get("fields")["fields"]
        assert [found["template"] for found in get("patterns")["patterns"]] == ["order %d"]
        assert get("errors")["errors"] == []
        assert len(get(f"events/{event['_id']}/context", lane="all")["before"]) == 2
        assert get("search", query="| count by user")["rows"] == [["0", 2], ["1", 1]]
        assert client.get("/api/v1/export", params={"format": "csv"}).text.count("\r\n") == 4
        assert get("tail", wait="0")["cursor"]
        assert get("stats")["engine"] == "memory"
        assert client.get("/").headers["content-type"].startswith("text/html")


def test_only_the_last_events_are_kept(logger: logging.Logger) -> None:
    handler = BroadcastHandler(serve="127.0.0.1:0", buffer=3)
    logger.addHandler(handler)

    for number in range(10):
        logger.info("%d", number)

    assert messages(handler.address) == ["7", "8", "9"]


def test_a_tail_sees_a_call_at_once(logger: logging.Logger) -> None:
    handler = BroadcastHandler(serve="127.0.0.1:0")
    logger.addHandler(handler)

    with connect(f"ws://{handler.address}/api/v1/tail?query=level>=warning") as tail:
        assert json.loads(tail.recv(60))["events"] == []
        logger.info("quiet")
        logger.error("loud")
        assert [event["message"] for event in json.loads(tail.recv(60))["events"]] == ["loud"]


def mounted_in_starlette(app: ASGIApp) -> ASGIApp:
    outer = Starlette()
    outer.mount("/my/logs", app)
    return outer


def mounted_in_fastapi(app: ASGIApp) -> ASGIApp:
    fastapi = pytest.importorskip("fastapi")
    outer: Any = fastapi.FastAPI()
    outer.mount("/my/logs", app)
    return outer  # type: ignore[no-any-return]


@pytest.mark.parametrize("mount", [mounted_in_starlette, mounted_in_fastapi])
def test_the_app_mounts_under_a_prefix(mount: Any, logger: logging.Logger) -> None:
    handler = BroadcastHandler()
    logger.addHandler(handler)
    logger.info("before")

    with (
        served(mount(handler.app)) as address,
        httpx.Client(base_url=f"http://{address}/my/logs", follow_redirects=True) as client,
        connect(f"ws://{address}/my/logs/api/v1/tail") as tail,
    ):
        tail.recv(60)
        logger.info("after")
        assert [event["message"] for event in json.loads(tail.recv(60))["events"]] == ["after"]
        assert [event["message"] for event in client.get("/api/v1/search").json()["events"]] == ["after", "before"]
        assert '<base href="./"' in client.get("/").text
        assert "loghub_hub_events 2.0" in client.get("/metrics").text
        assert client.post("/api/v1/ingest", content=b"{}").status_code == 404
        assert client.get("/api/v1/search", headers={"Host": "evil.example"}).status_code == 403


def test_the_app_shows_what_the_process_counts_of_its_records(logger: logging.Logger) -> None:
    handler = BroadcastHandler(serve="127.0.0.1:0")
    handler.addFilter(MetricsFilter(name="broadcast_page_total"))
    logger.addHandler(handler)
    logger.error("counted")

    text = httpx.get(f"http://{handler.address}/metrics").text
    assert 'broadcast_page_total{level="ERROR",logger="shop.test"} 1.0' in text
    metrics._counters.pop("broadcast_page_total")


def test_hosts_can_be_allowed(logger: logging.Logger) -> None:
    handler = BroadcastHandler(serve="127.0.0.1:0", allowed_hosts=["logs.example.org"], token="a-token-of-the-test")
    logger.addHandler(handler)

    for host, status in (("logs.example.org", 200), ("other.example.org", 403)):
        assert httpx.get(f"http://{handler.address}/healthz", headers={"Host": host}).status_code == status


def test_the_app_works_on_several_event_loops_at_once(logger: logging.Logger) -> None:
    handler = BroadcastHandler()
    logger.addHandler(handler)

    with (
        served(handler.app) as one,
        served(handler.app) as two,
        connect(f"ws://{one}/api/v1/tail") as first,
        connect(f"ws://{two}/api/v1/tail") as second,
    ):
        for tail in (first, second):
            tail.recv(60)

        logger.info("for both")

        for tail in (first, second):
            assert json.loads(tail.recv(60))["events"][0]["message"] == "for both"


@pytest.fixture
def root() -> Iterator[logging.Logger]:
    made = logging.getLogger()
    level = made.level
    made.setLevel(logging.DEBUG)
    before = list(made.handlers)
    yield made
    made.setLevel(level)

    for handler in set(made.handlers) - set(before):
        made.removeHandler(handler)
        handler.close()


def test_a_tail_of_everything_at_debug_does_not_feed_itself(root: logging.Logger) -> None:
    handler = BroadcastHandler(serve="127.0.0.1:0")
    root.addHandler(handler)

    # Watched over a raw socket: a client of this process would log as well.
    with socket.create_connection(_address(handler)) as tail:
        _open_tail(tail, handler.address)
        _read_until(tail, b"cursor")
        root.info("only this")
        _read_until(tail, b"only this")
        root.info("the end")
        assert _events_between(_read_until(tail, b"the end")) == 1

    assert [stored.event.fields["message"] for stored in handler.app.store.after(0, 500)] == ["only this", "the end"]


def test_the_mounted_app_does_not_feed_itself_either(root: logging.Logger) -> None:
    handler = BroadcastHandler()
    root.addHandler(handler)

    with (
        served(mounted_in_starlette(handler.app)) as address,
        socket.create_connection((address.host, address.port)) as tail,
    ):
        _open_tail(tail, str(address), "/my/logs")
        _read_until(tail, b"cursor")
        root.info("only this")
        _read_until(tail, b"only this")

    kept = [str(stored.event.fields["message"]) for stored in handler.app.store.after(0, 500)]
    assert sum("only this" in message for message in kept) == 1


def _events_between(frames: bytes) -> int:
    return frames.count(b'"_id"')


def _address(handler: BroadcastHandler) -> tuple[str, int]:
    host, _, port = str(handler.address).rpartition(":")
    return host, int(port)


def _open_tail(tail: socket.socket, address: str | None, prefix: str = "") -> None:
    tail.settimeout(60)
    tail.sendall(
        f"GET {prefix}/api/v1/tail HTTP/1.1\r\nHost: {address}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
        "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n".encode()
    )


def _read_until(tail: socket.socket, word: bytes) -> bytes:
    found = b""

    while word not in found:
        found += tail.recv(65536)

    return found


def config(**options: object) -> dict[str, Any]:
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"json": {"()": "loghub.JSONFormatter", "static": {"service": "shop"}}},
        "handlers": {"live": {"class": "loghub.BroadcastHandler", "formatter": "json", **options}},
        "loggers": {"configured": {"level": "INFO", "handlers": ["live"]}},
    }


def configured() -> BroadcastHandler:
    handler = logging.getLogger("configured").handlers[0]
    assert isinstance(handler, BroadcastHandler)
    return handler


def test_a_second_dictconfig_finds_server_and_events_again() -> None:
    address = f"127.0.0.1:{free_port()}"
    logging.config.dictConfig(config(serve=address))
    logging.getLogger("configured").info("one")

    with connect(f"ws://{address}/api/v1/tail") as tail:
        tail.recv(60)
        logging.config.dictConfig(config(serve=address, buffer=100))
        logging.getLogger("configured").info("two")
        assert json.loads(tail.recv(60))["events"][0]["message"] == "two"

    assert messages(address) == ["one", "two"]
    configured().close()


def test_a_second_dictconfig_keeps_a_mounted_app_alive() -> None:
    logging.config.dictConfig(config())
    app = configured().app

    with served(app) as address:
        logging.getLogger("configured").info("one")
        logging.config.dictConfig(config(buffer=10))
        logging.getLogger("configured").info("two")
        assert messages(str(address)) == ["one", "two"]

    configured().close()


def test_a_record_after_close_attaches_again(logger: logging.Logger) -> None:
    handler = BroadcastHandler(serve="127.0.0.1:0")
    logger.addHandler(handler)
    handler.close()
    handler.close()
    logger.info("still here")
    assert messages(handler.address) == ["still here"]


def test_the_port_is_free_again_when_nobody_came_back(logger: logging.Logger, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live, "LINGER_SECONDS", 0.0)
    host, port = "127.0.0.1", free_port()
    handler = BroadcastHandler(serve=f"{host}:{port}")
    logger.addHandler(handler)
    assert handler.address == f"{host}:{port}"
    handler.close()
    wait_until(lambda: handler.address is None)
    socket.create_server((host, port)).close()

    logger.info("back")
    wait_until(lambda: handler.address is not None)
    assert messages(handler.address) == ["back"]


def test_a_server_that_got_no_thread_is_started_by_a_later_record(
    logger: logging.Logger, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_thread: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(live, "THREAD_PAUSE_SECONDS", 0.0)

    with monkeypatch.context() as scarce:
        scarce.setattr(threading.Thread, "start", refuse)
        handler = BroadcastHandler(serve="127.0.0.1:0")
        logger.addHandler(handler)
        logger.info("meanwhile")
        assert handler.address is None

    logger.info("later")
    assert messages(handler.address) == ["meanwhile", "later"]


@pytest.mark.parametrize("refused", [{"formatter": "text"}, {"level": "LOUD"}])
def test_a_refused_configuration_leaves_the_port_free(refused: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live, "LINGER_SECONDS", 0.0)

    host, port = "127.0.0.1", free_port()
    wrong = config(serve=f"{host}:{port}", **refused)
    wrong["formatters"]["text"] = {"format": "%(message)s"}

    with pytest.raises(ValueError, match="live"):
        logging.config.dictConfig(wrong)

    gc.collect()
    wait_until(lambda: is_free(host, port))


def is_free(host: str, port: int) -> bool:
    try:
        socket.create_server((host, port)).close()
    except OSError:
        return False

    return True


def test_a_taken_port_is_said_once_and_tried_again(
    logger: logging.Logger, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(live, "RETRY_SECONDS", 0.02)

    port = free_port()

    with socket.create_server(("127.0.0.1", port)):
        handler = BroadcastHandler(serve=f"127.0.0.1:{port}")
        logger.addHandler(handler)
        logger.info("kept meanwhile")
        said = ""

        def is_said() -> bool:
            nonlocal said
            said += capfd.readouterr().err
            return "the port is taken" in said

        wait_until(is_said)
        assert handler.address is None

    wait_until(lambda: handler.address is not None)
    assert messages(handler.address) == ["kept meanwhile"]
    assert (said + capfd.readouterr().err).count("the port is taken") == 1


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_a_forked_child_does_not_own_the_server() -> None:
    script = """
import logging, os, sys, urllib.request
from loghub.handlers.broadcast import BroadcastHandler
handler = BroadcastHandler(serve="127.0.0.1:0")
logging.getLogger().addHandler(handler)
logging.getLogger().warning("parent")
address = handler.address
urllib.request.urlopen(f"http://{address}/readyz").read()  # its thread has begun, and imports nothing any more
read, write = os.pipe()
child = os.fork()
if not child:
    assert handler.address is None
    logging.getLogger().warning("child")
    while handler.address is None:
        pass
    own = urllib.request.urlopen(f"http://{handler.address}/api/v1/search").read()
    os.write(write, b"ok" if handler.address != address and b"child" in own else own)
    os._exit(0)
assert os.read(read, 1000) == b"ok"
os.waitpid(child, 0)
assert b"child" not in urllib.request.urlopen(f"http://{address}/api/v1/search").read()
print("done")
"""
    found = subprocess.run(  # the parent is a process of its own: pytest's threads do not belong in a fork
        [sys.executable, "-W", "ignore", "-c", script], capture_output=True, text=True, timeout=100, check=False
    )
    assert (found.stdout, found.stderr) == ("done\n", "")


def test_a_process_with_an_open_tail_ends() -> None:
    script = """
import logging, socket
from loghub.handlers.broadcast import BroadcastHandler
handler = BroadcastHandler(serve="127.0.0.1:0")
logging.getLogger().addHandler(handler)
tail = socket.create_connection(handler.address.split(":"))
tail.sendall(f"GET /api/v1/tail HTTP/1.1\\r\\nHost: {handler.address}\\r\\nConnection: Upgrade\\r\\n"
    "Upgrade: websocket\\r\\nSec-WebSocket-Version: 13\\r\\n"
    "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\\r\\n\\r\\n".encode())
found = b""
while b"cursor" not in found:
    found += tail.recv(65536)
logging.getLogger().warning("last words")
while b"last words" not in found:
    found += tail.recv(65536)
print("done")
"""
    found = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=100, check=False)
    assert (found.returncode, found.stdout, found.stderr) == (0, "done\n", "")


@pytest.mark.parametrize(
    ("options", "option"),
    [
        ({"serve": "0.0.0.0:0"}, "serve"),
        ({"serve": "8765"}, "serve"),
        ({"serve": "127.0.0.1:99999"}, "serve"),
        ({"serve": "${ADDRESS}"}, "serve"),
        ({"buffer": 0}, "buffer"),
        ({"token": "short"}, "token"),
        ({"allowed_hosts": "logs.example.org"}, "allowed_hosts"),
        ({"allowed_hosts": 5}, "allowed_hosts"),
        ({"allowed_hosts": [5]}, "allowed_hosts"),
        ({"allowed_hosts": None}, "allowed_hosts"),
        ({"allowed_hosts": {"logs.example.org"}}, "allowed_hosts"),
        ({"allowed_hosts": ["https://logs.example.org"]}, "allowed_hosts"),
        ({"sevre": "127.0.0.1:1"}, "sevre"),
    ],
)
def test_a_wrong_option_is_named(options: dict[str, Any], option: str) -> None:
    with pytest.raises(ConfigError, match=f"BroadcastHandler: {option}=") as caught:
        BroadcastHandler(**options)

    assert "short" not in str(caught.value)
    assert caught.value.remedy


def test_a_formatter_of_another_shape_is_refused() -> None:
    handler = BroadcastHandler()

    for formatter in (logging.Formatter(), JSONFormatter(rename_fields={"message": "msg"})):
        with pytest.raises(ConfigError, match="the viewer reads the plain line"):
            handler.setFormatter(formatter)

    handler.setFormatter(JSONFormatter())
    handler.setFormatter(None)


def test_a_record_that_cannot_be_written_is_counted(
    logger: logging.Logger, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    handler = BroadcastHandler()
    logger.addHandler(handler)
    monkeypatch.setattr(handler, "_json", None)
    logger.info("lost")
    assert handler.lost == 1
    assert "cannot keep a record" in capfd.readouterr().err


def test_a_missing_extra_says_what_to_install() -> None:
    script = """
import sys
sys.modules["starlette"] = None
from loghub.errors import MissingExtraError
from loghub.handlers.broadcast import BroadcastHandler
try:
    BroadcastHandler()
except MissingExtraError as error:
    print(error)
"""
    found = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=100, check=False)
    assert found.stdout == "BroadcastHandler needs the 'live' extra: pip install 'loghub[live]'\n"


def test_the_app_runs_its_lifespan_where_it_is_the_outermost(logger: logging.Logger) -> None:
    handler = BroadcastHandler()
    logger.addHandler(handler)

    for text in ("one", "two"):
        with served(handler.app) as address:
            logger.info(text)
            assert text in messages(str(address))


def test_end_of_the_process_waits_until_the_server_has_started() -> None:
    """A thread that is stopped while it starts may hold logging's lock, and the end would wait for it."""
    code = """
import asyncio, logging, uvicorn
import loghub
really = uvicorn.Server.startup

async def startup(server, sockets=None):
    await asyncio.sleep(0.2)
    await really(server, sockets)
    print("started", flush=True)

uvicorn.Server.startup = startup
handler = loghub.BroadcastHandler(serve="127.0.0.1:0")
handler.handle(logging.makeLogRecord({"msg": "x"}))
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout == "started\n"
