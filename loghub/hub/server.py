"""A hub as a process: a socket, a store behind the app, and an orderly end.

It prints nothing and configures no logging; whoever starts it hears of the address through a callback.
"""

import signal
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import TYPE_CHECKING

import uvicorn
from starlette.types import ASGIApp

from loghub.errors import ConfigError, MissingExtraError
from loghub.hub.api.app import create_app
from loghub.hub.api.parts import Parts
from loghub.hub.prefix import Prefixed
from loghub.hub.settings import Address, Settings

if TYPE_CHECKING:
    from loghub.hub.store.duck import DuckStore

_SIGNALS = (signal.SIGINT, signal.SIGTERM)
_GRACE = 5  # seconds for requests under way when the hub ends
_THREADS = 5  # seconds for calls of the engine that were interrupted
_PING = 20.0  # seconds between pings of a WebSocket
_PONG = 120.0  # a client may be slow, or stopped in a debugger; only a dead one is let go
_MAX_MESSAGE = 64 * 1024  # bytes of a WebSocket message; clients have nothing to say


def serve(
    settings: Settings,
    *,
    started: Callable[[str], None] | None = None,
    tell: Callable[[str], None] | None = None,
) -> None:
    """Run a hub until SIGINT or SIGTERM; what was acknowledged is on disk, whenever it ends.

    Args:
        settings: what the hub is told.
        started: called with the address, as "http://127.0.0.1:8514", once it answers.
        tell: called with a sentence about watched files that cannot be read or stored.

    Raises:
        ConfigError: the port is taken, or the address is not one of this machine.
        MissingExtraError: the extra 'hub' is not installed.
        StoreError: the data directory cannot be used.
    """
    store_type = _import_store(settings.owner)
    listener = bind(Address(settings.host, settings.port), settings.owner)

    with listener:
        store = store_type(
            settings.data,
            keep_us=settings.keep_us,
            keep_bytes=settings.keep_bytes,
            keep_free=settings.keep_free,
            keep_rules=settings.keep_rules,
            keep_sources_us=settings.keep_sources_us,
        )

        try:
            app = create_app(store, settings, ingest=True)

            with _watching(settings, app.state.parts, tell) as end_watch:
                below = Prefixed(app, settings.prefix) if settings.prefix else app
                Server(below, settings, started=started, ending=end_watch).run([listener])

            app.state.parts.wait(_THREADS)
        finally:
            store.close()


@contextmanager
def _watching(settings: Settings, parts: Parts, tell: Callable[[str], None] | None) -> Iterator[Callable[[], None]]:
    """Watch files where there are any to watch; gives what is to be called when the hub begins to end."""
    if not settings.watch or parts.writer is None:
        yield parts.end_searches
        return

    from loghub.hub.watch import Watch  # noqa: PLC0415 (the server in an application has none)

    watch = Watch(settings, parts.writer, parts.counters, tell)
    watch.start()

    def end() -> None:
        watch.stop()
        parts.end_searches()

    try:
        yield end
    finally:
        watch.close()


def _import_store(owner: str) -> "type[DuckStore]":
    try:
        from loghub.hub.store.duck import DuckStore  # noqa: PLC0415 (the app alone needs no engine)
    except ModuleNotFoundError as error:
        raise MissingExtraError(owner, "hub") from error

    return DuckStore


class Server(uvicorn.Server):
    """uvicorn, as a hub needs it: no logging of its own, no signal that kills it before the store is closed.

    Args:
        app: what it serves.
        settings: TLS, and the address to tell.
        started: called with the address once it answers.
        ending: called when it is to end, before it waits for the requests under way.
    """

    def __init__(
        self,
        app: ASGIApp,
        settings: Settings,
        *,
        started: Callable[[str], None] | None = None,
        ending: Callable[[], None] | None = None,
    ) -> None:
        super().__init__(
            uvicorn.Config(
                app,
                loop="asyncio",  # "auto" looks for uvloop in the server's thread, under the lock of imports
                log_config=None,
                access_log=False,
                proxy_headers=False,
                server_header=False,
                timeout_graceful_shutdown=_GRACE,
                ws_per_message_deflate=False,
                ws_max_size=_MAX_MESSAGE,
                ws_ping_interval=_PING,
                ws_ping_timeout=_PONG,
                ssl_certfile=settings.tls_cert,
                ssl_keyfile=settings.tls_key,
            )
        )
        self._scheme = "https" if settings.tls_cert else "http"
        self._on_started = started
        self._on_ending = ending

    def stop(self) -> None:
        """End it soon; from any thread."""
        self.should_exit = True

    def descriptors(self) -> list[int]:
        """Give the descriptors of the connections that are open."""
        found = [protocol.transport.get_extra_info("socket") for protocol in list(self.server_state.connections)]
        return [connection.fileno() for connection in found if connection is not None and connection.fileno() >= 0]

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Begin to answer, and tell the address."""
        await super().startup(sockets)

        if self._on_started and sockets:
            self._on_started(f"{self._scheme}://{address_of(sockets[0])}")

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Let go of whoever waits for a search, then end."""
        if self._on_ending:
            self._on_ending()

        await super().shutdown(sockets)

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """End on SIGINT and SIGTERM; unlike uvicorn's, it does not send the signal again when all is done."""
        if threading.current_thread() is not threading.main_thread():
            yield
            return

        before = {number: signal.signal(number, self._on_signal) for number in _SIGNALS}

        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def _on_signal(self, _number: int, _frame: FrameType | None) -> None:
        self.force_exit = self.should_exit  # the second one does not wait for requests
        self.should_exit = True


def bind(address: Address, owner: str) -> socket.socket:
    """Take a port.

    Raises:
        ConfigError: it is taken, or the host is not one of this machine.
    """
    try:
        found = socket.getaddrinfo(address.host, address.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
        listener = socket.create_server(found[0][4][:2], family=found[0][0], backlog=2048)
    except OSError as error:
        raise ConfigError(owner, "port", str(address), f"{error.strerror or error}: choose another") from error

    # What is accepted inherits it. asyncio sets it on sockets made with IPPROTO_TCP alone, and without it an answer's
    # body waits for the acknowledgement of its head: 40 ms for each answer on a kept connection.
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return listener


def address_of(listener: socket.socket) -> Address:
    """Give the address on which a socket really listens."""
    host, port = listener.getsockname()[:2]
    return Address(host, port)
