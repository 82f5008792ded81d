"""The last events of this process, and the app that shows them: what stands behind `BroadcastHandler`.

Rules:
1. A `Live` has a name: the address that it serves, or the name of its handler. Whoever asks
   for that name shares it, so a second dictConfig finds its events, its app and its server again.
2. The app needs no start: it can be mounted under any prefix and asked from any event loop.
3. The server has a daemon thread with a loop of its own. When the port is taken, events are kept all
   the same, it is said once, and it is tried again every few seconds. When no thread can be started,
   a later event tries again. When the last handler has left
   and none came back within a few seconds, the server ends and the port is free.
4. A forked child owns nothing of its parent's server: it lets go of the sockets, and tries to
   serve for itself at its first event.
5. What the app and its server log while they work for a viewer is not for that viewer: `is_own_noise`
   tells. Otherwise each frame of a tail could be the cause of the next one.
6. The end of the process waits until a server that is starting has started, a second at most: its thread is stopped
   where it stands, and what it holds then, as logging's lock for an instant, is never given back.
"""

import atexit
import os
import threading
import time
from collections.abc import Callable
from contextvars import ContextVar
from typing import TYPE_CHECKING
from weakref import WeakSet

from starlette.types import Receive, Scope, Send

from loghub.errors import ConfigError
from loghub.hub.api.app import create_app
from loghub.hub.server import Server, address_of, bind
from loghub.hub.settings import Address, Settings, parse_address
from loghub.hub.store.memory import MemoryStore

if TYPE_CHECKING:
    import socket

__all__ = ["Live", "Settings", "is_own_noise", "parse_address", "shared"]

RETRY_SECONDS = 5.0
LINGER_SECONDS = 5.0
THREAD_PAUSE_SECONDS = 1.0
_EXIT_SECONDS = 1.0

_own: ContextVar[bool] = ContextVar("loghub.hub.live", default=False)
_named: "dict[str, Live]" = {}
_all: "WeakSet[Live]" = WeakSet()
_lock = threading.RLock()


def is_own_noise() -> bool:
    """Tell whether what is logged here and now comes from the app or its server."""
    return _own.get()


def shared(name: str | None, settings: Settings, buffer: int, say: Callable[[str], None], *, serve: bool) -> "Live":
    """Give the `Live` of that name, for a handler to enter; without a name, one that nobody shares.

    Args:
        name: the address, or the handler's name.
        settings: where to serve, and who may call; they replace those of before.
        buffer: how many events are kept.
        say: called with a sentence when the port is taken.
        serve: whether it has a server.
    """
    with _lock:
        live = _named.get(name) if name else None

        if live is None:
            live = Live(settings, buffer, say, serve=serve)
            _all.add(live)

            if name:
                _named[name] = live

    live.change(settings, buffer)
    return live


class Live:
    """Events in memory, and their app.

    Args:
        settings: where to serve, and who may call.
        buffer: how many events are kept.
        say: called with a sentence when the port is taken.
        serve: whether it has a server.
    """

    def __init__(self, settings: Settings, buffer: int, say: Callable[[str], None], *, serve: bool) -> None:
        self.store = MemoryStore(buffer)
        self._settings = settings
        self._app = create_app(self.store, settings, ingest=False)
        self._say = say
        self._serve = serve
        self._handlers: set[object] = set()  # adding and discarding need no lock
        self._left_at = 0.0
        self._lock = threading.RLock()
        self._listener: socket.socket | None = None
        self._address: Address | None = None
        self._server: Server | None = None
        self._thread: threading.Thread | None = None
        self._no_thread_before = 0.0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer, wherever this app is mounted."""
        token = _own.set(True)

        try:
            await self._app(scope, receive, send)
        finally:
            _own.reset(token)

    @property
    def address(self) -> Address | None:
        """Where it listens now."""
        return self._address

    def append(self, line: bytes) -> None:
        """Add one line; after a fork, begin to serve."""
        self.store.append_line(line)

        if self._serve and self._thread is None:
            self._start()

    def enter(self, handler: object) -> None:
        """Take a handler in: its token, as it may be forgotten unclosed; the first one opens the port."""
        with self._lock:
            self._handlers.add(handler)

            if self._serve and self._thread is None:
                self._start()

    def leave(self, handler: object) -> None:
        """Let a handler go, once or twice; it takes no lock, as the collector may call it in any thread."""
        if handler in self._handlers:
            self._left_at = time.monotonic()
            self._handlers.discard(handler)

    def change(self, settings: Settings, buffer: int) -> None:
        """Take new settings, keeping the events and the server."""
        with self._lock:
            if buffer != self.store.maxlen:
                self.store.resize(buffer)

            if settings != self._settings:
                self._settings = settings
                self._app = create_app(self.store, settings, ingest=False)

    @property
    def is_starting(self) -> bool:
        """Whether the server is about to answer."""
        server, thread = self._server, self._thread
        is_up = server is not None and server.started
        return thread is not None and thread.is_alive() and self._listener is not None and not is_up

    def is_left(self) -> bool:
        """Tell whether no handler came back in time."""
        return not self._handlers and time.monotonic() - self._left_at > LINGER_SECONDS

    def after_fork(self) -> None:
        """Let go of the parent's server in a forked child."""
        self._lock = threading.RLock()
        self.store.after_fork()
        self._forget_sockets()
        self._listener = self._address = self._server = self._thread = None

    def _start(self) -> None:
        with self._lock:
            if self._thread is not None or time.monotonic() < self._no_thread_before:
                return

            self._listen()
            self._import_server()
            thread = threading.Thread(target=self._run, name="loghub-live", daemon=True)
            self._thread = thread

        try:
            thread.start()
        except RuntimeError:  # too many threads, or the interpreter is about to end
            with self._lock:
                self._close_listener()
                self._no_thread_before = time.monotonic() + THREAD_PAUSE_SECONDS
                self._thread = None

    def _import_server(self) -> None:
        """Import what uvicorn imports at its start: a fork while another thread imports would leave the child stuck."""
        config = _LiveServer(self, self._settings).config
        config.load()
        config.get_loop_factory()

    def _listen(self) -> bool:
        """Try to take the port."""
        try:
            self._listener = bind(Address(self._settings.host, self._settings.port), self._settings.owner)
        except ConfigError:
            return False

        self._address = address_of(self._listener)
        return True

    def _run(self) -> None:
        """Serve until the last handler has left; the body of the server's thread."""
        _own.set(True)
        pause = threading.Event()
        has_said = False

        while not self._has_ended():
            if self._listener is not None or self._listen():
                self._serve_once()

            elif not has_said:
                has_said = True
                self._say(f"the port is taken; keeping events in memory, trying again every {RETRY_SECONDS:g} s")

            if self._listener is None and not self.is_left():
                pause.wait(RETRY_SECONDS)

    def _serve_once(self) -> None:
        listener = self._listener
        self._server = server = _LiveServer(self, self._settings)

        try:
            if listener is not None:
                server.run([listener])
        except Exception as error:  # noqa: BLE001 (whatever it is, the application goes on)
            self._say(f"the server ended ({error!r}); trying again in {RETRY_SECONDS:g} s")
        finally:
            self._server = None
            self._close_listener()

    def _has_ended(self) -> bool:
        with self._lock:
            if not self.is_left():
                return False

            self._close_listener()
            self._thread = None
            return True

    def _close_listener(self) -> None:
        listener, self._listener, self._address = self._listener, None, None

        if listener is not None:
            listener.close()

    def _forget_sockets(self) -> None:
        """Point the inherited descriptors elsewhere.

        They are not closed: objects of the parent's loop still hold their numbers, and would close
        whatever has these numbers later.
        """
        held = [] if self._listener is None else [self._listener.fileno()]

        if self._server is not None:
            held += self._server.descriptors()

        if held:
            null = os.open(os.devnull, os.O_RDWR)

            for descriptor in held:
                os.dup2(null, descriptor, inheritable=False)

            os.close(null)


class _LiveServer(Server):
    """A server that ends when the last handler has left."""

    def __init__(self, live: Live, settings: Settings) -> None:
        super().__init__(live, settings)
        self._live = live

    async def on_tick(self, counter: int) -> bool:
        """Look whether anybody is left."""
        return await super().on_tick(counter) or self._live.is_left()


def _before_exit() -> None:
    until = time.monotonic() + _EXIT_SECONDS

    while time.monotonic() < until and any(live.is_starting for live in list(_all)):
        time.sleep(0.005)


atexit.register(_before_exit)


def _after_fork() -> None:
    global _lock  # noqa: PLW0603 (another thread may have held it)
    _lock = threading.RLock()

    for live in list(_all):
        live.after_fork()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
