"""`loghub.RemoteHandler`: sends records to a hub, from a thread of its own.

It writes the plain line and nothing else: a preset or renamed fields are for files and other
collectors. With a spool, a record whose call has returned survives the death of the process.
Without one the guarantee is "best-effort": what waits in memory is lost when the process is killed.
It never raises into the application, and never waits for the network in it.
"""

import logging
from collections import Counter as Sums
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from weakref import finalize

from loghub.errors import ConfigError
from loghub.event.encode import safe_text
from loghub.formatters import JSONFormatter
from loghub.handlers import lifetime
from loghub.handlers import remote_options as options
from loghub.handlers.delivery import Pace
from loghub.handlers.destination import Destination
from loghub.handlers.diagnostics import say
from loghub.handlers.journal import Counters
from loghub.handlers.memory import Backlog, MemoryRing
from loghub.handlers.own_noise import hush, is_own_thread
from loghub.handlers.post import LOGGERS
from loghub.handlers.spool import Settings, Spool, keep_seconds, own_directory, spool_settings
from loghub.handlers.worker import Engine, Limits
from loghub.metrics import Family, register
from loghub.options import count, duration, names_unknown_options, size, switch

_OWNER = options.OWNER
_HAND_OVER = 1.0  # so old become records that another process sends, and so many directories it finds a second
_FLUSH = 0.1  # a dictConfig flushes each old handler while it holds logging's lock


@dataclass(frozen=True, slots=True)
class _Plan:
    """All that two handlers must have in common to share an engine."""

    spool: Settings | None
    destination: Destination
    limits: Limits
    records: int
    size: int
    keep: float
    pace: Pace


class RemoteHandler(logging.Handler):
    """Send records to a hub.

    ```yaml
    handlers:
      remote: {class: loghub.RemoteHandler, url: "http://127.0.0.1:8514"}
    ```

    Handlers with the same options share one engine, which outlives them: a new configuration loses nothing.

    Args:
        url: the hub's address; a path in it is the prefix under which the hub is served. Left out, LOGHUB_URL gives it.
        enabled: true, false or "env:NAME". Where the variable LOGHUB_REMOTE is set, it wins.
        token: a token for ingest, "env:NAME" or "file:PATH". LOGHUB_TOKEN is sent only to the address in LOGHUB_URL.
        username: for basic authentication, in place of a token.
        password: the same; may be "env:NAME" or "file:PATH".
        headers: further HTTP headers; a value may be "env:NAME" or "file:PATH".
        proxy: a proxy's address. Left out, that of the environment (HTTP_PROXY and the like) is used unless the
            hub's address is loopback.
        compress: "zstd", "gzip" or "none".
        verify: whether certificates are checked: true, false, or a file of certificates to trust.
        cert: a file with an own certificate, for a hub that asks for one.
        key: a file with its key, where it does not stand in `cert`.
        protocol: of a tcp:// or tls:// address: "ndjson" or "syslog".
        queue: records that may wait or be under way; beyond that the oldest that wait are dropped and counted.
        queue_bytes: their bytes.
        batch_records: records in one request.
        batch_bytes: their bytes, before compression.
        linger: how long a record waits for others.
        timeout: for one request.
        exit_deadline: how long the end of the process may be held up to deliver what waits.
        spool: a directory in which records wait, of this destination alone; without one they wait in memory.
        spool_size: bytes that it may take, of all processes together.
        overflow: what gives way then: drop_oldest, drop_new, block, or by_level, which keeps room for errors.
        overflow_timeout: how long a call waits for room with `block`.
        durability: when records are brought to the disk: process (when the kernel likes: they survive the
            process, not a loss of power), interval (every 500 ms), batch (before it goes) or record (in the call).
        keep: how long a record waits for a hub that takes it, before it is dropped and counted, in whole segments of a
            spool; left out, as long as there is room.
        send: whether this process sends what it spools; otherwise `loghub ship` does.
        level: records below it are passed over.

    Attributes:
        enabled: what came of the option.
        sends: whether this process sends, and does not leave that to `loghub ship`.
        lost: records that could not be written as a line.

    Raises:
        ConfigError: an option is wrong; says which and what to write.
        MissingExtraError: httpx is not installed.
    """

    @names_unknown_options
    def __init__(  # noqa: PLR0913 (options of a configuration, by name)
        self,
        url: str | None = None,
        *,
        enabled: bool | str = "env:LOGHUB_REMOTE",
        token: str | None = None,
        username: str | None = None,
        password: str | None = None,
        headers: Mapping[str, str] | None = None,
        proxy: str | None = None,
        compress: str = "zstd",
        verify: bool | str = True,
        cert: str | None = None,
        key: str | None = None,
        protocol: str | None = None,
        queue: int = 100_000,
        queue_bytes: int | str = "32 MB",
        batch_records: int = 500,
        batch_bytes: int | str = "1 MB",
        linger: float | str = "50 ms",
        timeout: float | str = "10 s",
        exit_deadline: float | str = "5 s",
        spool: str | None = None,
        spool_size: int | str = "512 MB",
        overflow: str = "drop_oldest",
        overflow_timeout: float | str = "1 s",
        durability: str = "process",
        keep: float | str | None = None,
        send: bool | str = True,
        level: int | str = logging.NOTSET,
    ) -> None:
        # Options come first: once logging's own constructor has run, even a half-made handler is flushed at exit.
        given = dict(locals())
        self.enabled = given["enabled"] = switch(enabled, _OWNER, "enabled", override="LOGHUB_REMOTE")
        destination = options.destination(given)
        settings = spool_settings(given, destination.url)
        self.sends = settings is None or settings.send
        self._plan = _Plan(
            settings,
            destination,
            Limits(
                count(batch_records, _OWNER, "batch_records"),
                size(batch_bytes, _OWNER, "batch_bytes"),
                duration(linger, _OWNER, "linger"),
                options.positive(timeout, "timeout"),
                duration(exit_deadline, _OWNER, "exit_deadline"),
                0.0 if self.sends else _HAND_OVER,
            ),
            count(queue, _OWNER, "queue"),
            size(queue_bytes, _OWNER, "queue_bytes"),
            keep_seconds(keep),
            self._pace(),
        )
        self.url = destination.url

        if self.enabled:
            options.load(self._plan.destination)
            hush(*LOGGERS)

        self._line_of = JSONFormatter().write_line
        self._seat = object()  # what the engine knows of this handler
        self._attached = False
        self._engine: Engine | None = None
        super().__init__(level)
        self.lost = 0

        if self.enabled:
            self._engine = self._join()
            # A configuration that is refused forgets its handlers without closing them.
            finalize(self, self._engine.detach, self._seat).atexit = False

    def setFormatter(self, fmt: logging.Formatter | None) -> None:
        """Take a formatter that writes the plain line.

        Raises:
            ConfigError: it writes something else, which the hub does not take; the handler has let go of its engine.
        """
        if fmt is not None and not (isinstance(fmt, JSONFormatter) and fmt.plain):
            self._leave()
            remedy = "it does not write the plain line, which is what a hub takes; use a loghub.JSONFormatter without"
            raise ConfigError(_OWNER, "formatter", type(fmt).__name__, f"{remedy} preset, fmt or renamed fields")

        super().setFormatter(fmt)
        self._line_of = (fmt or JSONFormatter()).write_line

    def handle(self, record: logging.LogRecord) -> bool:
        """Pass a record on; lines are encoded side by side, and the engine has a lock of its own.

        What the sending threads log themselves is turned away first of all.
        """
        if is_own_thread():
            return False

        if not self.filters:
            self.emit(record)
            return True

        passed: Any = self.filter(record)

        if passed:  # from Python 3.12 on a filter may give another record
            self.emit(passed if isinstance(passed, logging.LogRecord) else record)

        return bool(passed)

    def emit(self, record: logging.LogRecord) -> None:
        """Queue a record; a handler that was closed is attached again."""
        engine = self._engine

        if engine is None:
            return

        try:
            if not self._attached:
                self._join()

            engine.append(self._line_of(record), record.levelno or 0)
        except Exception as error:  # noqa: BLE001 (a handler never raises into the application)
            self.lost += 1
            say(_OWNER, f"cannot send a record ({type(error).__name__}: {safe_text(error)}); {self.lost} lost so far")

    def flush(self, timeout: float | None = None) -> bool:  # type: ignore[override]  # logging gives back nothing
        """Send what waits now.

        Args:
            timeout: seconds to wait until the hub has it; left out, a moment.

        Returns:
            Whether the hub has answered for all of it.
        """
        if self._engine is None:
            return True

        if timeout is None and self._engine.exiting:  # logging.shutdown: what came after the exit hook
            return self._engine.finish_exit()

        return self._engine.flush(_FLUSH if timeout is None else timeout)

    def close(self) -> None:
        """Let go of the engine, which still delivers what waits; takes no time."""
        self._leave()
        super().close()

    @property
    def guarantee(self) -> str:
        """What a record survives whose call has returned.

        "best-effort": nothing, it waits in memory (without a spool, or while its disk refuses); "process": the
        death of the process; "power": a loss of power too. For a tcp:// or tls:// address it goes on: ",
        at-least-once up to the socket", since nobody acknowledges anything there.
        """
        kept = "best-effort" if self._engine is None else self._engine.guarantee
        return f"{kept}, {options.UNACKNOWLEDGED}" if self._plan.destination.is_stream else kept

    @property
    def counters(self) -> Counters:
        """What became of the records of all handlers with these options, in this process."""
        return Counters() if self._engine is None else self._engine.counters

    def _pace(self) -> Pace:
        """Give the pace of retries; tests of a subclass have a quicker one."""
        return Pace()

    def _join(self) -> Engine:
        settings = self._plan.spool
        engine = lifetime.keep((_OWNER, self._plan), self._make_engine)

        if settings is not None:
            own_directory(settings.folder, self._plan.destination, engine)

        engine.attach(self._seat)
        self._attached = True
        _engines[engine] = self.url
        return engine

    def _leave(self) -> None:
        if self._engine is not None and self._attached:
            self._attached = False
            self._engine.detach(self._seat)

    def _make_engine(self) -> Engine:
        plan = self._plan
        engine = Engine(
            f"{_OWNER}({plan.destination.url})",
            plan.limits,
            lambda source: _backlog(plan, source),
            lambda: options.carrier(plan.destination, engine.report),
            plan.pace,
        )
        return engine


def _backlog(plan: _Plan, source: str) -> Backlog:
    return Spool(plan.spool) if plan.spool else MemoryRing(source, plan.records, plan.size, plan.keep)


_engines: dict[Engine, str] = {}
_FATES = ("acked", "dead", "dropped", "queued")


def _families() -> Iterable[Family]:
    """Give the counters of all engines for `loghub.metrics`."""
    counts = [(url, engine.counters) for engine, url in tuple(_engines.items())]
    # Two engines of one address differ in their options; what a reader asks for is the address.
    appended: Sums[tuple[str, ...]] = Sums()
    fates: Sums[tuple[str, ...]] = Sums()
    retries: Sums[tuple[str, ...]] = Sums()
    waiting: Sums[tuple[str, ...]] = Sums()
    oldest: dict[tuple[str, ...], float] = {}
    spooled: dict[tuple[str, ...], float] = {}
    broken: Sums[tuple[str, ...]] = Sums()

    for url, counted in counts:
        appended[url,] += counted.appended
        retries[url,] += sum(counted.retries.values())
        waiting[url,] += counted.queued_bytes
        broken[url,] += counted.circuit != "closed"
        oldest[url,] = max(counted.oldest, oldest.get((url,), 0.0))
        spooled[url,] = max(counted.spool_bytes, spooled.get((url,), 0))  # they share a directory

        for fate in _FATES:
            fates[url, fate] += getattr(counted, fate)

    yield Family("loghub_remote_records_total", "Records taken in by RemoteHandler.", "counter", ("url",), appended)
    yield Family(
        "loghub_remote_records", "Records of RemoteHandler by what became of them.", "gauge", ("url", "fate"), fates
    )
    yield Family("loghub_remote_retries_total", "Requests that had to be made again.", "counter", ("url",), retries)
    yield Family("loghub_remote_queued_bytes", "Bytes of the records that wait.", "gauge", ("url",), waiting)
    yield Family("loghub_remote_oldest_seconds", "How long the oldest record has waited.", "gauge", ("url",), oldest)
    yield Family("loghub_remote_spool_bytes", "Bytes of the spool's directory.", "gauge", ("url",), spooled)
    yield Family("loghub_remote_circuits_open", "Senders that only probe.", "gauge", ("url",), broken)


register(_families)
