"""A bad network between senders and a hub: a proxy that does to each request what a seed says.

It knows just enough HTTP to see where a request ends. It never answers by itself: a 200 that a client sees has been
the hub's, whole or broken off. Whatever it repeats is byte for byte what a sender sent.
"""

import random
import re
import socket
import struct
import threading
import time
from collections import Counter, deque
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

_LENGTH = re.compile(rb"\r\ncontent-length: *([0-9]+)\r\n", re.IGNORECASE)
_KEY = re.compile(rb"\r\nidempotency-key: *([0-9a-f:-]+)\r\n", re.IGNORECASE)
_CHUNK = 65536
_PATIENCE = 10.0


@dataclass(frozen=True, slots=True)
class Exchange:
    """One request on its way: who sent it, its bytes and where its body begins."""

    client: socket.socket
    head: bytes
    body: bytes

    @property
    def whole(self) -> bytes:
        return self.head + self.body


class BadNetwork:
    """Listens, and passes requests on to a hub as well as it feels like.

    Args:
        port: the hub's.
        seed: of what happens; the same requests in the same order meet the same fates.
        share: of the requests that something happens to.
    """

    def __init__(self, port: int, seed: int, share: float = 0.35) -> None:
        self.fates: Counter[str] = Counter()
        self.on_forwarded: Callable[[], None] | None = None
        self._hub = ("127.0.0.1", port)
        self._chance = random.Random(seed)
        self._share = share
        self._old: deque[bytes] = deque(maxlen=50)
        self._lock = threading.Lock()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        threading.Thread(target=self._accept, daemon=True).start()

    def calm(self) -> None:
        """Do no more harm."""
        self._share = 0.0

    def close(self) -> None:
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)

        self._listener.close()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return

            threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        client.settimeout(_PATIENCE)

        with client, suppress(OSError):
            stays = True

            while stays and (exchange := _receive(client)) is not None:
                name = self._draw()
                stays = _FATES[name](self, exchange)

                with self._lock:
                    self._old.append(exchange.whole)

    def _draw(self) -> str:
        with self._lock:
            name = self._chance.choice(tuple(_FATES)[1:]) if self._chance.random() < self._share else "passed"
            self.fates[name] += 1
            return name

    def number(self, below: float) -> float:
        """Give a number from 0 to `below`."""
        with self._lock:
            return self._chance.uniform(0, below)

    def ask(self, request: bytes) -> bytes:
        """Send a request to the hub on a connection of its own and give the whole answer.

        Raises:
            OSError: there was none.
        """
        with socket.create_connection(self._hub, _PATIENCE) as hub:
            hub.settimeout(_PATIENCE)
            hub.sendall(request)

            if self.on_forwarded is not None:
                self.on_forwarded()

            answer = _receive(hub)

        if answer is None:
            raise ConnectionResetError("the hub went away")

        return answer.whole

    def old(self) -> bytes | None:
        """Give a request of earlier."""
        with self._lock:
            return self._chance.choice(self._old) if self._old else None

    def flipped(self, exchange: Exchange) -> bytes:
        """Flip one bit of the lines or of the key that names them."""
        data = bytearray(exchange.whole)
        key = _KEY.search(exchange.head)
        in_body = bool(exchange.body) and (key is None or self.number(1) < 0.8)
        start, end = (len(exchange.head), len(data)) if in_body or key is None else key.span(1)
        place = start + int(self.number(end - start - 1))
        data[place] ^= 1 << int(self.number(7))

        # A control byte in a header makes the request unreadable, which is another matter than a damaged key.
        return bytes(data) if in_body or chr(data[place]) in "0123456789abcdef" else exchange.whole


def _receive(connection: socket.socket) -> Exchange | None:
    """Read a request or an answer with its body; None where the other side went away before."""
    data = b""

    while b"\r\n\r\n" not in data:
        piece = connection.recv(_CHUNK)

        if not piece:
            return None

        data += piece

    end = data.index(b"\r\n\r\n") + 4
    length = _LENGTH.search(data[:end])
    missing = end + int(length[1] if length else 0) - len(data)

    while missing > 0:
        piece = connection.recv(_CHUNK)

        if not piece:
            return None

        data += piece
        missing -= len(piece)

    return Exchange(connection, data[:end], data[end:])


def _reset(client: socket.socket) -> bool:
    client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    return False


def _pass(network: BadNetwork, exchange: Exchange) -> bool:
    try:
        answer = network.ask(exchange.whole)
    except OSError:
        return _reset(exchange.client)

    exchange.client.sendall(answer)
    return True


def _delay(network: BadNetwork, exchange: Exchange) -> bool:
    time.sleep(network.number(0.05))
    return _pass(network, exchange)


def _cut_before(_network: BadNetwork, exchange: Exchange) -> bool:
    return _reset(exchange.client)


def _cut_inside(network: BadNetwork, exchange: Exchange) -> bool:
    """The hub gets a part of the request, the client nothing."""
    whole = exchange.whole

    with suppress(OSError), socket.create_connection(network._hub, _PATIENCE) as hub:
        hub.sendall(whole[: int(network.number(len(whole) - 1))])

    return _reset(exchange.client)


def _half_close(network: BadNetwork, exchange: Exchange) -> bool:
    """The client sees the end of the stream at once; the request still arrives."""
    exchange.client.shutdown(socket.SHUT_WR)

    with suppress(OSError):
        network.ask(exchange.whole)

    return False


def _lose_answer(network: BadNetwork, exchange: Exchange) -> bool:
    with suppress(OSError):
        network.ask(exchange.whole)

    return _reset(exchange.client)


def _break_answer(network: BadNetwork, exchange: Exchange) -> bool:
    """The hub's own 200 sets out and dies on its way."""
    with suppress(OSError):
        answer = network.ask(exchange.whole)
        exchange.client.sendall(answer[: max(len(answer) - 1 - int(network.number(60)), 20)])

    return _reset(exchange.client)


def _corrupt(network: BadNetwork, exchange: Exchange) -> bool:
    try:
        exchange.client.sendall(network.ask(network.flipped(exchange)))
    except OSError:
        return _reset(exchange.client)

    return True


def _repeat(network: BadNetwork, exchange: Exchange) -> bool:
    with suppress(OSError):
        network.ask(exchange.whole)

    return _pass(network, exchange)


def _repeat_old(network: BadNetwork, exchange: Exchange) -> bool:
    """A request of long ago comes again, out of order."""
    old = network.old()

    with suppress(OSError):
        network.ask(old or exchange.whole)

    return _pass(network, exchange)


_FATES: dict[str, Callable[[BadNetwork, Exchange], bool]] = {
    "passed": _pass,
    "delayed": _delay,
    "cut before the hub": _cut_before,
    "cut within the request": _cut_inside,
    "half-closed": _half_close,
    "answer lost": _lose_answer,
    "answer broken off": _break_answer,
    "one bit flipped": _corrupt,
    "sent twice": _repeat,
    "an old one sent again": _repeat_old,
}
