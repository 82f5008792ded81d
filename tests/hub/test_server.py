import asyncio
import json
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest
from served_hub import SOURCE, line, wait_until
from websockets.asyncio.client import connect as async_connect
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import connect

from loghub.errors import ConfigError, StoreError
from loghub.hub.api.app import create_app
from loghub.hub.server import Server, address_of, bind, serve
from loghub.hub.settings import Address, Settings
from loghub.hub.store.memory import MemoryStore

from processes import HubProcess

OPENSSL = shutil.which("openssl") or ""
TOKEN = "a-token-of-the-test"


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[HubProcess]:
    with HubProcess(tmp_path) as process:
        yield process


def send(hub: HubProcess, first: int, last: int) -> dict[str, int]:
    body = b"".join(line(str(number)) for number in range(first, last + 1))
    answer = httpx.post(
        f"{hub.url}/api/v1/ingest", content=body, headers={"Idempotency-Key": f"{SOURCE}:{first}-{last}"}
    )
    assert answer.status_code == 200
    found: dict[str, int] = answer.json()
    return found


def read(hub: HubProcess, cursor: str | None, count: int) -> tuple[list[str], str]:
    """Read so many events of a tail behind a cursor, and give the cursor behind them."""
    found: list[str] = []
    address = f"{hub.url.replace('http', 'ws')}/api/v1/tail"

    with connect(f"{address}?cursor={cursor}" if cursor else address) as tail:
        while True:
            frame = json.loads(tail.recv(60))
            assert frame["type"] in ("events", "heartbeat"), frame
            found += [event["message"] for event in frame.get("events", ())]
            cursor = frame.get("cursor", cursor)

            if len(found) >= count and cursor:
                return found, cursor


def test_a_tail_resumes_over_restarts_without_a_gap_and_without_an_event_twice(hub: HubProcess) -> None:
    _, cursor = read(hub, None, 0)
    seen: list[str] = []

    for round_number, end in enumerate((signal.SIGTERM, signal.SIGKILL, signal.SIGKILL)):
        first = round_number * 200 + 1
        send(hub, first, first + 99)
        found, cursor = read(hub, cursor, 100)
        seen += found
        send(hub, first + 100, first + 199)
        hub.stop(end)
        hub.start()
        assert send(hub, first + 100, first + 199) == {"accepted": 0, "duplicate": 100, "quarantined": []}

    found, _ = read(hub, cursor, 600 - len(seen))
    assert seen + found == [str(number) for number in range(1, 601)]


def test_open_tails_do_not_hold_up_the_end(hub: HubProcess) -> None:
    with connect(f"{hub.url.replace('http', 'ws')}/api/v1/tail") as tail:
        tail.recv(60)
        hub.stop(signal.SIGTERM)

        with pytest.raises(ConnectionClosed) as closed:
            list(tail)

    assert closed.value.rcvd is not None
    assert closed.value.rcvd.code == 1012


def test_a_signal_ends_the_hub_in_order(tmp_path: Path) -> None:
    code = (
        "import sys, pathlib; from loghub.hub.server import serve; from loghub.hub.settings import Settings; "
        "serve(Settings(port=0, data=pathlib.Path(sys.argv[1])), started=lambda url: print(url, flush=True)); "
        "print('ended')"
    )

    for number in (signal.SIGTERM, signal.SIGINT):
        with subprocess.Popen(
            [sys.executable, "-c", code, str(tmp_path)], stdout=subprocess.PIPE, text=True
        ) as process:
            assert process.stdout is not None
            address = process.stdout.readline().strip()
            assert httpx.get(f"{address}/readyz").status_code == 200
            process.send_signal(number)
            assert process.communicate(timeout=100)[0] == "ended\n"
            assert process.returncode == 0


ENDLESS = """
import contextlib, duckdb, pathlib, sys
from loghub.hub import server
from loghub.hub.settings import Settings
from loghub.hub.store import duck

class Endless(duck.DuckStore):
    def search(self, *args, **options):
        with duckdb.connect() as self.engine:
            print("begun", flush=True)
            self.engine.execute("SELECT count(*) FROM range(1000000000000) t(n) WHERE hash(n) = 1").fetchall()

    def interrupt(self):
        with contextlib.suppress(duckdb.ConnectionException):  # closed
            self.engine.interrupt()

duck.DuckStore = Endless
server.serve(Settings(port=0, data=pathlib.Path(sys.argv[1])), started=lambda url: print(url, flush=True))
"""


def test_a_long_search_does_not_hold_up_the_end(tmp_path: Path) -> None:
    with (
        subprocess.Popen(
            [sys.executable, "-c", ENDLESS, str(tmp_path)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        ) as process,
        ThreadPoolExecutor(1) as clients,
    ):
        assert process.stdout is not None
        address = process.stdout.readline().strip()
        search = clients.submit(httpx.get, f"{address}/api/v1/search", timeout=200)

        try:
            assert process.stdout.readline() == "begun\n"
            process.send_signal(signal.SIGTERM)
            assert process.communicate(timeout=100) == ("", "")
        finally:
            process.kill()

        assert process.returncode == 0
        assert search.result(60).status_code == 503


def test_a_taken_port_is_named_before_the_data_is_touched(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]

        with pytest.raises(ConfigError, match=rf"loghub serve: port='127.0.0.1:{port}'.*choose another"):
            serve(Settings(port=port, data=tmp_path / "data"))

    assert not (tmp_path / "data").exists()


def test_an_address_of_another_machine_is_named() -> None:
    with pytest.raises(ConfigError, match=r"test: port='192\.0\.2\.1:0'"):
        bind(Address("192.0.2.1", 0), "test")


def test_a_second_hub_on_the_same_data_is_refused(hub: HubProcess) -> None:
    with pytest.raises(StoreError):
        serve(Settings(port=0, data=hub.data))


def test_loopback_has_an_ipv6_address_too() -> None:
    if not socket.has_ipv6:
        pytest.skip("no IPv6 here")

    try:
        listener = bind(Address("::1", 0), "test")
    except ConfigError:
        pytest.skip("no IPv6 here")

    with listener:
        assert str(address_of(listener)).startswith("[::1]:")


@pytest.mark.skipif(not OPENSSL, reason="needs openssl to make a certificate")
def test_tls_serves_pages_sockets_and_secure_cookies(tmp_path: Path) -> None:
    certificate, key = tmp_path / "cert.pem", tmp_path / "key.pem"
    subprocess.run(
        [OPENSSL, "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "1",
         "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost", "-keyout", key, "-out", certificate],
        check=True, capture_output=True,
    )  # fmt: skip
    settings = Settings(token=TOKEN, tls_cert=certificate, tls_key=key)
    trust = ssl.create_default_context(cafile=str(certificate))
    addresses: list[str] = []
    listener = bind(Address("127.0.0.1", 0), "test")
    server = Server(create_app(MemoryStore(), settings, ingest=True), settings, started=addresses.append)
    thread = threading.Thread(target=server.run, args=([listener],))
    thread.start()
    wait_until(lambda: addresses)
    port = int(addresses[0].rpartition(":")[2])
    assert addresses[0].startswith("https://127.0.0.1:")

    with httpx.Client(base_url=f"https://localhost:{port}", verify=trust) as client:
        answer = client.post("/api/v1/session", json={"token": TOKEN}, headers={"Origin": f"https://localhost:{port}"})
        assert "; Secure" in answer.headers["Set-Cookie"]
        assert client.get("/api/v1/search").status_code == 200
        cookie = f"loghub_session={client.cookies['loghub_session']}"

    asyncio.run(first_frame(f"wss://localhost:{port}/api/v1/tail", trust, {"Cookie": cookie}))

    with pytest.raises(InvalidStatus, match="401"):
        asyncio.run(first_frame(f"wss://localhost:{port}/api/v1/tail", trust, {}))

    server.stop()
    thread.join(60)


async def first_frame(url: str, trust: ssl.SSLContext, headers: dict[str, str]) -> None:
    """Wait for a frame; in one thread, since older Pythons let two use one TLS connection at once, and it may hang."""
    async with async_connect(url, ssl=trust, additional_headers=headers, open_timeout=60) as tail:
        await asyncio.wait_for(tail.recv(), 60)


def test_answers_do_not_wait_for_the_acknowledgement_of_their_head() -> None:
    with bind(Address("127.0.0.1", 0), "test") as listener, socket.create_connection(listener.getsockname()):
        accepted, _ = listener.accept()

        with accepted:
            assert accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
