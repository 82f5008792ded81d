"""The followers of `tail.py`: many WebSockets in one cheap process, which reads no more of a frame than it must.

It is given the port and, on its standard input, a line of JSON with the queries, later one with the number of events
that each query matches. It says "ready" when all have their first frame. In the end it prints what came.
"""

import base64
import json
import os
import re
import selectors
import socket
import sys
import time
import urllib.parse
from dataclasses import dataclass, field
from typing import Any

_CURSOR = re.compile(rb'"_cursor":"[^"~]*~([0-9a-f]+)"')
_SENT = re.compile(rb'"sent":([0-9.]+)')
_EVENTS = b'{"type":"events"'
_TEXT, _CLOSE, _PING, _PONG = 1, 8, 9, 10
_PIECE = 2**18
_PATIENCE_S = 30.0


@dataclass(slots=True)
class Follower:
    """One subscriber, and what came to it."""

    link: socket.socket = field(repr=False)
    waiting: bytearray = field(default_factory=bytearray)
    frames: int = 0
    delivered: int = 0
    gaps: int = 0
    skipped: int = 0
    disorder: int = 0
    last: int = -1

    @property
    def counted(self) -> int:
        """Events that it had, or was told of."""
        return self.delivered + self.skipped

    def read(self, delays: list[float]) -> None:
        """Take what is there."""
        piece = self.link.recv(_PIECE)
        assert piece, "the hub closed a tail"
        self.waiting += piece

        while (frame := self._next()) is not None:
            code, payload = frame
            assert code != _CLOSE, payload

            if code == _PING:
                self.link.sendall(bytes([0x80 | _PONG, 0x80 | len(payload), 0, 0, 0, 0]) + payload)

            elif code == _TEXT:
                self._take(payload, delays)

    def _next(self) -> tuple[int, bytes] | None:
        """Cut off the first frame of RFC 6455, once it is whole."""
        have = self.waiting

        if len(have) < 2:
            return None

        start, size = 2, have[1] & 0x7F

        if size > 125:
            start = 4 if size == 126 else 10
            size = int.from_bytes(have[2:start]) if len(have) >= start else 2**62

        if len(have) < start + size:
            return None

        frame = have[0] & 0x0F, bytes(have[start : start + size])
        del have[: start + size]
        return frame

    def _take(self, payload: bytes, delays: list[float]) -> None:
        self.frames += 1

        if not payload.startswith(_EVENTS):
            told = json.loads(payload)
            self.gaps += told["type"] == "gap"
            self.skipped += told.get("count", 0)
            return

        places = [int(place, 16) for place in _CURSOR.findall(payload)]

        if places:
            self.disorder += sum(later <= before for before, later in zip([self.last, *places], places, strict=False))
            self.last = places[-1]
            self.delivered += len(places)
            delays.append(time.time() - float(_SENT.findall(payload, len(payload) - 2000)[-1]))


def connect(port: int, query: str) -> Follower:
    """Open a tail, and wait for its first frame."""
    link = socket.create_connection(("127.0.0.1", port))
    key = base64.b64encode(os.urandom(16)).decode()
    path = f"/api/v1/tail?{urllib.parse.urlencode({'query': query})}"
    link.sendall(
        f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        f"Sec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n\r\n".encode()
    )
    follower = Follower(link)
    head = b""

    while b"\r\n\r\n" not in head:
        head += link.recv(_PIECE)

    assert head.startswith(b"HTTP/1.1 101"), head
    follower.waiting += head.partition(b"\r\n\r\n")[2]

    while not follower.frames:
        follower.read([])

    return follower


def main() -> None:
    """Follow until all that matches was delivered or counted, or for too long."""
    port = int(sys.argv[1])
    followers = [connect(port, query) for query in json.loads(sys.stdin.readline())]
    selector = selectors.DefaultSelector()
    delays: list[float] = []
    expected: list[int] | None = None
    selector.register(sys.stdin, selectors.EVENT_READ)

    for follower in followers:
        selector.register(follower.link, selectors.EVENT_READ, follower)

    sys.stdout.write("ready\n")
    sys.stdout.flush()
    began, end = time.process_time(), float("inf")

    while time.monotonic() < end and (expected is None or _lacks(followers, expected)):
        for key, _ in selector.select(1.0):
            if key.data is not None:
                key.data.read(delays)
            else:
                expected = json.loads(sys.stdin.readline())
                end = time.monotonic() + _PATIENCE_S

    sys.stdout.write(json.dumps(_report(followers, delays, time.process_time() - began)) + "\n")


def _lacks(followers: list[Follower], expected: list[int]) -> bool:
    return any(follower.counted < count for follower, count in zip(followers, expected, strict=True))


def _report(followers: list[Follower], delays: list[float], cpu: float) -> dict[str, Any]:
    keys = ("frames", "delivered", "gaps", "skipped", "disorder")
    told = [{key: getattr(follower, key) for key in keys} for follower in followers]
    return {"followers": told, "delays": delays, "cpu": cpu}


if __name__ == "__main__":
    main()
