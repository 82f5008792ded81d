"""RemoteHandler to an aggregator on a plain or TLS socket: what arrives, and what is sent again when it breaks."""

import json
import logging
import os
import re
import socket
import ssl
import struct
import sys
import threading
import warnings
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from loghub.errors import ConfigError
from loghub.handlers.delivery import Pace, Trouble
from loghub.handlers.destination import Destination, Trust
from loghub.handlers.remote import RemoteHandler
from loghub.handlers.tcp import TCPPost
from loghub.wire.batch import Batch

from processes import free_port
from scripted_hub import wait_until

CERTIFICATE = Path(__file__).with_name("self_signed.pem")
SOURCE = "0" * 24
_number = count()
Act = Callable[[socket.socket], bytes]
"""Reads from a connection as it likes and gives what it read."""


def read_all(connection: socket.socket) -> bytes:
    return b"".join(iter(lambda: connection.recv(65536), b""))


def cut_after(count: int) -> Act:
    """Read so many bytes, then reset the connection."""

    def act(connection: socket.socket) -> bytes:
        got = b""

        while len(got) < count:
            got += connection.recv(count - len(got))

        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        return got

    return act


def half_close(connection: socket.socket) -> bytes:
    """Say after the first bytes that nothing will come, and read on."""
    got = connection.recv(65536)
    connection.shutdown(socket.SHUT_WR)
    return got + read_all(connection)


def talk(connection: socket.socket) -> bytes:
    connection.sendall(b"220 welcome\r\n")
    return read_all(connection)


@dataclass
class Aggregator:
    """A listener that keeps what each connection sent."""

    script: deque[Act]
    tls: bool = False
    received: list[bytearray] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.listener = socket.socket()
        # Little fits into the kernel: what is not read is not confirmed.
        self.listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65_536)
        self.port = free_port()
        self.listener.bind(("127.0.0.1", self.port))
        self.listener.listen()
        threading.Thread(target=self._accept, daemon=True).start()

    @property
    def url(self) -> str:
        return f"{'tls' if self.tls else 'tcp'}://127.0.0.1:{self.port}"

    @property
    def lines(self) -> list[bytes]:
        """Give the whole lines of all connections; a torn one may only stand at a connection's end."""
        return [line for got in self.received for line in bytes(got).splitlines(keepends=True) if line.endswith(b"\n")]

    @property
    def messages(self) -> list[str]:
        return [json.loads(line)["message"] for line in self.lines]

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return

            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        with suppress(OSError):
            if self.tls:
                context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
                context.load_cert_chain(CERTIFICATE)
                connection = context.wrap_socket(connection, server_side=True)

            got = bytearray()
            self.received.append(got)

            with connection:
                act = self.script.popleft() if self.script else None

                if act is not None:
                    got += act(connection)
                    return

                while data := connection.recv(65536):
                    got += data


@contextmanager
def aggregator(*script: Act, tls: bool = False) -> Iterator[Aggregator]:
    made = Aggregator(deque(script), tls)

    try:
        yield made
    finally:
        with suppress(OSError):
            made.listener.shutdown(socket.SHUT_RDWR)

        made.listener.close()


class QuickHandler(RemoteHandler):
    """Retries in milliseconds."""

    def _pace(self) -> Pace:
        return Pace(0.01, 0.02)


def attached(url: str, **options: Any) -> tuple[logging.Logger, QuickHandler]:
    # An engine is kept by its options; a free port may be one that an earlier test had.
    options = {"queue_bytes": 32_000_000 + next(_number), **options}
    handler = QuickHandler(url, **{"linger": "5 ms", "exit_deadline": "100 ms", "timeout": "60 s", **options})
    logger = logging.Logger("shop.cart")  # noqa: LOG001 (one that no other test sees)
    logger.addHandler(handler)
    return logger, handler


@pytest.mark.parametrize("tls", [False, True])
def test_lines_arrive_over_one_connection(*, tls: bool) -> None:
    with aggregator(tls=tls) as there:
        logger, handler = attached(there.url, verify=str(CERTIFICATE) if tls else True)

        for number in range(50):
            logger.info("%d", number)
            assert number % 10 or handler.flush(60)

        assert handler.flush(60)
        wait_until(lambda: len(there.lines) == 50)
        assert there.messages == [str(number) for number in range(50)]
        assert len(there.received) == 1
        handler.close()


@pytest.mark.parametrize("protocol", ["syslog", "syslog-structured"])
def test_syslog_is_counted_in_octets(protocol: str) -> None:
    with aggregator() as there:
        logger, handler = attached(there.url, protocol=protocol)
        logger.info("größer")
        logger.info("two\nlines")
        assert handler.flush(60)
        wait_until(lambda: any(b"two" in got for got in there.received))
        stream = bytes(there.received[0])
        found = []

        while stream:
            count, _, rest = stream.partition(b" ")
            found.append(rest[: int(count)])
            stream = rest[int(count) :]

        assert len(found) == 2
        assert all(re.match(rb"<14>1 20\d\d-\S+Z \S+ \S+ \d+ shop\.cart \[meta sequenceId=", text) for text in found)
        assert "größer".encode() in found[0]
        handler.close()


@pytest.mark.parametrize("cut", [1, 150, 2000])
def test_connection_that_is_reset_mid_line_gets_whole_lines_again_over_a_new_one(cut: int) -> None:
    with aggregator(cut_after(cut)) as there:
        logger, handler = attached(there.url, linger="60 s")

        for number in range(200):
            logger.info("%d %s", number, "x" * 3000)

        assert handler.flush(60)
        wait_until(lambda: len(there.lines) >= 200)
        assert there.lines[-200:] == bytes(there.received[-1]).splitlines(keepends=True)
        assert [message.split()[0] for message in there.messages[-200:]] == [str(number) for number in range(200)]
        assert handler.counters.acked == 200
        assert handler.counters.retries["no answer"] >= 1
        handler.close()


def test_connection_whose_read_side_is_closed_is_left_for_a_new_one() -> None:
    with aggregator(half_close) as there:
        logger, handler = attached(there.url)
        logger.info("a")
        assert handler.flush(60)
        wait_until(lambda: _is_closing(there.port) or len(there.received) == 2)
        logger.info("b")
        assert handler.flush(60)
        wait_until(lambda: "b" in there.messages)
        assert set(there.messages) == {"a", "b"}
        assert b'"b"' not in there.received[0]
        handler.close()


def _is_closing(port: int) -> bool:
    """Tell whether a connection to that port has got the other side's end: state 08, CLOSE_WAIT."""
    rows = [row.split() for row in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    return any(row[2].endswith(f":{port:04X}") and row[3] == "08" for row in rows)


def test_what_the_other_side_says_is_passed_over() -> None:
    with aggregator(talk) as there:
        logger, handler = attached(there.url)
        logger.info("a")
        assert handler.flush(60)
        logger.info("b")
        assert handler.flush(60)
        assert handler.counters.acked == 2
        handler.close()
        wait_until(lambda: len(there.received) == 1)


def test_aggregator_that_comes_later_gets_everything() -> None:
    with aggregator() as gone:
        port = gone.port

    logger, handler = attached(gone.url)
    logger.info("a")
    wait_until(lambda: sum(handler.counters.retries.values()) >= 2)
    assert handler.counters.acked == 0

    with socket.create_server(("127.0.0.1", port)) as listener:
        logger.info("b")
        connection, _ = listener.accept()

        with connection:
            reader = connection.makefile("rb")
            assert [json.loads(reader.readline())["message"] for _ in "ab"] == ["a", "b"]
            assert handler.flush(60)

    assert handler.counters.acked == 2
    handler.close()


def test_machine_that_takes_nothing_is_no_delivery() -> None:
    """Its kernel confirms what fits into its buffers, then no more: the batch is as a whole not delivered."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        post = TCPPost(Destination(f"tcp://127.0.0.1:{silent.getsockname()[1]}", protocol="ndjson"))
        answer = post.send(Batch(SOURCE, 1, (b"x" * 50_000_000 + b"\n",)), 0.3)
        assert answer.status is Trouble.NO_ANSWER
        post.close()


def test_certificate_that_is_not_trusted_holds() -> None:
    with aggregator(tls=True) as there:
        post = TCPPost(Destination(there.url, protocol="ndjson"))
        assert post.send(Batch(SOURCE, 1, (b"{}\n",)), 60).status is Trouble.BAD_CERTIFICATE
        assert not any(there.received)
        post.close()


def test_certificate_of_another_name_holds() -> None:
    with aggregator(tls=True) as there:
        url = there.url.replace("127.0.0.1", "127.0.0.2")
        listener = socket.create_server(("127.0.0.2", there.port))
        there.listener.close()
        there.listener = listener
        threading.Thread(target=there._accept, daemon=True).start()
        post = TCPPost(Destination(url, protocol="ndjson", trust=Trust(str(CERTIFICATE))))
        assert post.send(Batch(SOURCE, 1, (b"{}\n",)), 60).status is Trouble.BAD_CERTIFICATE
        post.close()


def test_fork_leaves_the_parent_its_connection() -> None:
    with aggregator(tls=True) as there:
        post = TCPPost(Destination(there.url, protocol="ndjson", trust=Trust(str(CERTIFICATE))))
        assert post.send(Batch(SOURCE, 1, (b"1\n",)), 60).status == 200

        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)  # from 3.12 on: there are threads
            pid = os.fork()

        if not pid:
            post.abandon()
            os._exit(0)

        os.waitpid(pid, 0)
        assert post.send(Batch(SOURCE, 2, (b"2\n",)), 60).status == 200
        wait_until(lambda: there.lines == [b"1\n", b"2\n"])
        post.close()


def test_guarantee_says_how_far_a_record_is_certain_to_come() -> None:
    handler = RemoteHandler("tcp://127.0.0.1:9", exit_deadline=0)
    assert handler.guarantee == "best-effort, at-least-once up to the socket"
    handler.close()


def test_spool_is_in_the_guarantee_and_outlives_an_aggregator_that_is_not_there(tmp_path: Path) -> None:
    with aggregator() as gone:
        port = gone.port

    logger, handler = attached(gone.url, spool=str(tmp_path))
    assert handler.guarantee == "process, at-least-once up to the socket"
    logger.info("a")
    wait_until(lambda: sum(handler.counters.retries.values()) >= 1)

    with socket.create_server(("127.0.0.1", port)) as listener:
        connection, _ = listener.accept()

        with connection, connection.makefile("rb") as reader:
            assert json.loads(reader.readline())["message"] == "a"
            assert handler.flush(60)

    handler.close()


@pytest.mark.skipif(sys.platform != "linux", reason="other systems have other names for these")
def test_machine_that_vanishes_is_noticed_by_the_kernel() -> None:
    with aggregator() as there:
        post = TCPPost(Destination(there.url, protocol="ndjson"))
        assert post.send(Batch(SOURCE, 1, (b"{}\n",)), 60).status == 200
        assert post._socket is not None
        assert post._socket.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE) == 1
        assert post._socket.getsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE) == 30
        assert post._socket.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT) == 60_000
        post.close()


def test_file_of_certificates_that_is_none_is_named() -> None:
    with pytest.raises(ConfigError) as caught:
        RemoteHandler("tls://127.0.0.1:9", verify=__file__)

    assert caught.value.option == "verify"
