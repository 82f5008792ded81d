"""The last events of a process, shown by the process itself: a viewer without a hub.

The handler keeps lines in memory. What shows them is the hub's own app, imported when a handler is
made: with `serve` it has a small server in a daemon thread, and `handler.app` is an ASGI app to mount.
"""

import logging
from collections.abc import Sequence
from functools import partial
from types import ModuleType
from typing import TYPE_CHECKING
from weakref import finalize

from loghub.errors import ConfigError, MissingExtraError
from loghub.formatters import JSONFormatter
from loghub.handlers.diagnostics import say
from loghub.options import count, names_unknown_options, text
from loghub.wire.loopback import is_loopback

if TYPE_CHECKING:
    from loghub.hub.live import Live, Settings

_REMEDY = "use loghub.JSONFormatter without fmt, datefmt, prefix or renamed fields: the viewer reads the plain line"


class BroadcastHandler(logging.Handler):
    """Keep the last events in memory and show them in the browser.

    ```yaml
    handlers:
      live: {class: loghub.BroadcastHandler, serve: "127.0.0.1:8765", formatter: json}
    ```

    Mounted in an application of one's own, under any prefix:

    ```python
    app.mount("/logs", handler.app)
    ```

    Args:
        buffer: how many events are kept.
        serve: where to listen, as "127.0.0.1:8765"; port 0 takes a free one. Not served by default.
        allowed_hosts: names under which the viewer may be called, besides the loopback names.
        token: what callers must show; needed to listen beyond loopback.
        level: as in `logging.Handler`.

    Attributes:
        lost: records that could not be written as a line.

    The handlers of one address share events and server, also over several dictConfigs; so do the
    handlers of one name that are not served. When the port is taken, events are kept all the same.
    """

    @names_unknown_options
    def __init__(
        self,
        *,
        buffer: int = 500,
        serve: str | None = None,
        allowed_hosts: Sequence[str] = (),
        token: str | None = None,
        level: int | str = logging.NOTSET,
    ) -> None:
        owner = type(self).__name__
        self._hub = _import_live(owner)
        self._buffer = count(buffer, owner, "buffer")
        self._serve = None if serve is None else text(serve, owner, "serve")
        self._settings = _read_settings(owner, self._serve, allowed_hosts, token)
        self._live: Live | None = None
        self._seat = object()  # what the viewer's server knows of this handler
        self._is_attached = False
        self._json = JSONFormatter()
        super().__init__(level)
        self.lost = 0

        if self._serve is not None:
            self._attach()

    @property
    def app(self) -> "Live":
        """The viewer, search, tail and metrics as an ASGI app, to mount under any prefix."""
        return self._attach()

    @property
    def address(self) -> str | None:
        """Host and port on which it listens now; None where it does not."""
        address = self._live.address if self._live else None
        return None if address is None else str(address)

    def setFormatter(self, fmt: logging.Formatter | None) -> None:
        """Take a formatter that writes the plain line.

        Raises:
            ConfigError: it writes another one; the handler has let go of its server.
        """
        if fmt is not None and not (isinstance(fmt, JSONFormatter) and fmt.plain):
            self._leave()
            raise ConfigError(type(self).__name__, "formatter", type(fmt).__name__, _REMEDY)

        super().setFormatter(fmt)
        self._json = fmt or JSONFormatter()

    def handle(self, record: logging.LogRecord) -> bool:
        """Pass the record on, unless it tells how this handler's own viewer is served."""
        return bool(not self._hub.is_own_noise() and super().handle(record))

    def emit(self, record: logging.LogRecord) -> None:
        """Keep the record's line; after `close`, attach again."""
        try:
            self._attach().append(self._json.write_line(record))
        except Exception as error:  # noqa: BLE001 (a broken record must not reach the application)
            self.lost += 1
            say("BroadcastHandler", f"cannot keep a record ({error!r}); {self.lost} lost so far")

    def close(self) -> None:
        """Detach; events and server stay for the next handler of the same address or name."""
        self._leave()
        super().close()

    def _attach(self) -> "Live":
        if self._live is None:
            matter = f"{type(self).__name__} {self._serve or self.name or ''}".strip()
            self._live = self._hub.shared(
                self._shared_name(),
                self._settings,
                self._buffer,
                partial(say, matter),
                serve=self._serve is not None,
            )
            # A configuration that is refused forgets its handlers without closing them.
            finalize(self, self._live.leave, self._seat).atexit = False

        if not self._is_attached:
            self._is_attached = True
            self._live.enter(self._seat)

        return self._live

    def _leave(self) -> None:
        if self._is_attached and self._live is not None:
            self._is_attached = False
            self._live.leave(self._seat)

    def _shared_name(self) -> str | None:
        """Give the name under which others find the same events: none where any free port was asked for."""
        if self._serve is None:
            return self.name

        return self._serve if self._settings.port else None


def _import_live(owner: str) -> ModuleType:
    """Import the hub's side of it: the one place where a handler sees the hub.

    Raises:
        MissingExtraError: the extra 'live' is not installed.
    """
    try:
        from loghub.hub import live  # noqa: PLC0415 (only who makes this handler needs the extra)
    except ModuleNotFoundError as error:
        raise MissingExtraError(owner, "live") from error

    return live


def _read_settings(owner: str, serve: str | None, allowed_hosts: Sequence[str], token: str | None) -> "Settings":
    from loghub.hub.live import Settings, parse_address  # noqa: PLC0415 (as above)

    names = _names(owner, allowed_hosts)
    address = parse_address(serve or "127.0.0.1:0", owner, "serve")
    token = None if token is None else text(token, owner, "token")

    if token is None and not is_loopback(address.host):
        raise ConfigError(owner, "serve", serve, "set a token to listen beyond loopback, or listen on 127.0.0.1")

    return Settings(host=address.host, port=address.port, token=token, allowed_hosts=names, owner=owner)


def _names(owner: str, allowed_hosts: Sequence[str]) -> tuple[str, ...]:
    if isinstance(allowed_hosts, str | bytes) or not isinstance(allowed_hosts, Sequence):
        raise ConfigError(owner, "allowed_hosts", allowed_hosts, "give a list of names, as [logs.example.org]")

    # Item by item: a configuration's ext:// and cfg:// values are resolved by [] only.
    return tuple(text(allowed_hosts[index], owner, "allowed_hosts") for index in range(len(allowed_hosts)))
