"""A hub on a real socket that answers as a test scripts it and stores by source and sequence number."""

import json
import socket
import ssl
import struct
import threading
import time
import zlib
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import zstandard

from loghub.wire.batch import Identity, parse_key

from processes import free_port

Act = Callable[["ScriptedHub", socket.socket, "Received"], bool]
"""Answers a request; tells whether the connection stays."""

OK_BODY = b'{"accepted":1,"duplicate":0,"quarantined":[]}'


@dataclass(frozen=True, slots=True)
class Received:
    """A request as it came in."""

    path: str
    headers: dict[str, str]
    lines: tuple[bytes, ...]

    @property
    def key(self) -> str:
        return self.headers["idempotency-key"]

    @property
    def identity(self) -> Identity:
        identity = parse_key(self.key)
        assert identity is not None
        return identity


def status(code: int, *headers: str, body: bytes = OK_BODY, stay: bool = True) -> Act:
    """Answer with a status; the lines are stored if it is a success."""

    def act(hub: "ScriptedHub", connection: socket.socket, received: Received) -> bool:
        if 200 <= code < 300:
            hub.store(received)

        names = "".join(f"{header}\r\n" for header in headers)
        head = f"HTTP/1.1 {code} Scripted\r\nContent-Length: {len(body)}\r\n{names}\r\n"
        connection.sendall(head.encode() + body)
        return stay

    return act


def reset(*, after: bytes = b"", stored: bool = False) -> Act:
    """Send some bytes and reset the connection."""

    def act(hub: "ScriptedHub", connection: socket.socket, received: Received) -> bool:
        if stored:
            hub.store(received)

        connection.sendall(after)
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        return False

    return act


def hang(until: threading.Event) -> Act:
    """Answer nothing until an event is set, then 200."""

    def act(hub: "ScriptedHub", connection: socket.socket, received: Received) -> bool:
        until.wait(200)
        return status(200)(hub, connection, received)

    return act


@dataclass
class ScriptedHub:
    """Acts one by one for each request, then `otherwise` for all that follow."""

    script: deque[Act] = field(default_factory=deque)
    otherwise: Act = field(default_factory=lambda: status(200))
    requests: list[Received] = field(default_factory=list)
    stored: dict[tuple[str, int], bytes] = field(default_factory=dict)
    port: int = 0
    certificate: Path | None = None
    asks_for: Path | None = None  # who may call, by certificate

    def __post_init__(self) -> None:
        self._changed = threading.Condition()
        self._connections: set[socket.socket] = set()
        self.open()

    @property
    def url(self) -> str:
        return f"{'https' if self.certificate else 'http'}://127.0.0.1:{self.port}"

    @property
    def messages(self) -> list[str]:
        """What is stored, in the order of the sequence."""
        return [json.loads(line)["message"] for _, line in sorted(self.stored.items())]

    def open(self) -> None:
        self.port = self.port or free_port()
        self._listener = socket.create_server(("127.0.0.1", self.port))
        threading.Thread(target=self._accept, args=(self._listener,), daemon=True).start()

    def close(self) -> None:
        """Go away as a killed process does: the listener and all connections."""
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)

        self._listener.close()

        for connection in tuple(self._connections):
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    def store(self, received: Received) -> None:
        with self._changed:
            for seq, line in enumerate(received.lines, received.identity.first):
                self.stored.setdefault((received.identity.source, seq), line)

            self._changed.notify_all()

    def wait_for(self, condition: Callable[[], bool], timeout: float = 60.0) -> None:
        """Wait until something that requests change is so."""
        with self._changed:
            assert self._changed.wait_for(condition, timeout), (
                f"{len(self.requests)} requests, {len(self.stored)} lines"
            )

    def _accept(self, listener: socket.socket) -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return

            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        if self.certificate is not None:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(self.certificate)

            if self.asks_for is not None:
                context.load_verify_locations(self.asks_for)
                context.verify_mode = ssl.CERT_REQUIRED

            try:
                connection = context.wrap_socket(connection, server_side=True)
            except OSError:  # the client does not trust us
                connection.close()
                return

        self._connections.add(connection)

        try:
            with connection, connection.makefile("rb") as reader, suppress(OSError, ValueError):
                while (received := _receive(reader.readline, reader.read)) is not None:
                    with self._changed:
                        self.requests.append(received)
                        act = self.script.popleft() if self.script else self.otherwise
                        self._changed.notify_all()

                    if not act(self, connection, received):
                        return
        finally:
            self._connections.discard(connection)


def _receive(readline: Callable[[], bytes], read: Callable[[int], bytes]) -> Received | None:
    start = readline()

    if not start:
        return None

    headers = {}

    while (line := readline().strip()) != b"":
        name, _, value = line.decode().partition(":")
        headers[name.lower()] = value.strip()

    length = int(headers.get("content-length", -1))
    body = read(length) if length >= 0 else b""

    if len(body) != length:  # the client was killed in the midst of it
        return None

    encoding = headers.get("content-encoding")

    if encoding == "gzip":
        body = zlib.decompress(body, 16 + zlib.MAX_WBITS)
    elif encoding == "zstd":
        body = zstandard.ZstdDecompressor().decompress(body)

    return Received(start.split()[1].decode(), headers, tuple(body.splitlines(keepends=True)))


@contextmanager
def scripted_hub(*script: Act, otherwise: Act | None = None, certificate: Path | None = None) -> Iterator[ScriptedHub]:
    """Give a hub that is gone afterwards; with a certificate it speaks TLS."""
    hub = ScriptedHub(deque(script), otherwise or status(200), certificate=certificate)

    try:
        yield hub
    finally:
        hub.close()


def wait_until(condition: Callable[[], bool], timeout: float = 60.0) -> None:
    """Wait, with a bound, for what nobody notifies of."""
    end = time.monotonic() + timeout

    while not condition():
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.005)
