"""Hubs for tests: a real server on a free port, in a thread."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import orjson
from starlette.types import ASGIApp

from loghub.event.model import Event, format_time
from loghub.hub.server import Server, address_of, bind
from loghub.hub.settings import Address, Settings
from loghub.hub.store.protocol import Incoming

SOURCE = "0123456789ab0123456789ab"
TIME_US = 1_790_000_000_000_000


@contextmanager
def served(app: ASGIApp, settings: Settings | None = None) -> Iterator[Address]:
    """Serve an app for the length of a `with` block."""
    listener = bind(Address("127.0.0.1", 0), "test")
    answers = threading.Event()
    server = Server(app, settings or Settings(), started=lambda _: answers.set())
    thread = threading.Thread(target=server.run, args=([listener],))
    thread.start()

    try:
        assert answers.wait(60)
        yield address_of(listener)
    finally:
        server.stop()
        thread.join(60)
        assert not thread.is_alive()


def wait_until(is_so: Callable[[], object], seconds: float = 60) -> None:
    """Wait for a condition, with a bound."""
    end = time.monotonic() + seconds

    while not is_so():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.005)


def line(message: str, at: int = 0, **fields: object) -> bytes:
    """Give a line whose time is `at` seconds after the first."""
    head = {"timestamp": format_time(TIME_US + at * 1_000_000), "level": "INFO", "message": message}
    return orjson.dumps(head | fields) + b"\n"


def batch(*lines: bytes, first: int = 1, source: str = SOURCE) -> Incoming:
    """Give a batch of lines."""
    seqs = range(first, first + len(lines))
    events = [Event.from_mapping(orjson.loads(text), now_us=TIME_US) for text in lines]
    return Incoming(source, first, seqs[-1], TIME_US, seqs, lines, events)
