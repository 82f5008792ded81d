"""What a hub may be told, checked when it is told.

A `Settings` that exists is one that can be served: in particular, it never listens beyond
loopback, nor answers to another name, without a token. It reads no file and opens no socket.
"""

import os
import re
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from loghub.errors import ConfigError
from loghub.hub.store.keep import NOTHING_FREE, Free, Rule
from loghub.wire.loopback import is_address, is_loopback

_DAY_US = 86_400_000_000
_MAX_PORT = 65535
_MIN_TOKEN = 8
_PORT_REMEDY = "the port is a number from 0 to 65535; 0 takes a free port"
_PREFIX = re.compile(r"(/[A-Za-z0-9_.~-]+)*")
_NAME = re.compile(r"(\*\.)?[a-z0-9_]([a-z0-9_.-]*[a-z0-9_])?", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """How much the hub takes on at once.

    Attributes:
        body: bytes of one request as they come.
        unpacked: bytes of one request after decompression.
        lines: lines of one request.
        line: bytes of one line; a longer one is quarantined.
        waiting: bytes of requests that wait for the disk, all together; above it, senders are told to wait.
        lag: events that a tail may be behind before it is moved ahead.
        frame: bytes of events in one frame of a tail.
        heartbeat: seconds of silence after which a tail says that it is alive.
        session: seconds for which a browser stays signed in.
    """

    body: int = 16 * 2**20
    unpacked: int = 32 * 2**20
    lines: int = 100_000
    line: int = 2**20
    waiting: int = 64 * 2**20
    lag: int = 50_000
    frame: int = 2**20
    heartbeat: float = 15.0
    session: float = 30 * 86_400.0


def data_directory(environment: Mapping[str, str] = os.environ, platform: str = sys.platform) -> Path:
    """Give the directory where programs of this platform keep a user's data."""
    home = Path.home()

    if platform == "win32":
        return Path(environment.get("LOCALAPPDATA") or home / "AppData" / "Local") / "loghub"

    if platform == "darwin":
        return home / "Library" / "Application Support" / "loghub"

    return Path(environment.get("XDG_DATA_HOME") or home / ".local" / "share") / "loghub"


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """The options of a hub.

    Attributes:
        host: the address to listen on.
        port: 0 takes a free one.
        data: the data directory.
        token: what callers must show; needed beyond loopback.
        allowed_hosts: names under which the hub may be called, besides the loopback names and `host`;
            `*.example.org` allows each name below it. They need a token.
        prefix: a path below which it answers too, as "/logs", for a proxy that leaves it on.
        tls_cert: a certificate chain; with `tls_key` it makes the hub speak TLS.
        tls_key: the key of `tls_cert`.
        keep_us: microseconds for which events are kept.
        keep_bytes: bytes of disk that events may take.
        keep_free: how much of the disk stays free, by letting the oldest events go.
        keep_rules: queries whose events are kept for less time.
        keep_sources_us: microseconds for which a silent source is remembered at least.
        watch: patterns of log files that it reads, as "logs/*.jsonl".
        limits: how much it takes on at once.
        owner: who has these options, for errors.

    Raises:
        ConfigError: an option cannot be used.
    """

    host: str = "127.0.0.1"
    port: int = 8514
    data: Path = field(default_factory=data_directory)
    token: str | None = field(default=None, repr=False)
    allowed_hosts: tuple[str, ...] = ()
    prefix: str = ""
    tls_cert: Path | None = None
    tls_key: Path | None = None
    keep_us: int = 14 * _DAY_US
    keep_bytes: int = 5 * 10**9
    keep_free: Free = NOTHING_FREE
    keep_rules: tuple[Rule, ...] = ()
    keep_sources_us: int = 90 * _DAY_US
    watch: tuple[str, ...] = ()
    limits: Limits = field(default_factory=Limits)
    owner: str = "loghub serve"

    def __post_init__(self) -> None:
        if not 0 <= self.port <= _MAX_PORT:
            raise ConfigError(self.owner, "port", self.port, _PORT_REMEDY)

        self._check_names()
        self._check_token()
        self._check_tls()

        if not _PREFIX.fullmatch(self.prefix):
            raise ConfigError(self.owner, "prefix", self.prefix, 'use a path without a slash at its end, as "/logs"')

        if not all(self.watch):
            raise ConfigError(self.owner, "watch", "", 'give a pattern of files, as "logs/*.jsonl"')

        if self.keep_us <= 0:
            raise ConfigError(self.owner, "keep", self.keep_us, "use a length of time above zero, as 14 days")

        if self.keep_sources_us <= 0:
            raise ConfigError(
                self.owner, "keep_sources", self.keep_sources_us, "use a length of time above zero, as 90 days"
            )

        if self.keep_bytes <= 0:
            raise ConfigError(self.owner, "keep_bytes", self.keep_bytes, "use a size above zero, as 5 GB")

    @property
    def names(self) -> tuple[str, ...]:
        """The names under which it may be called, besides the loopback names."""
        return (*self.allowed_hosts, self.host) if self.host not in ("", "0.0.0.0", "::") else self.allowed_hosts  # noqa: S104 (compared, not bound)

    def _check_token(self) -> None:
        if self.token is None:
            if not is_loopback(self.host):
                raise ConfigError(
                    self.owner,
                    "host",
                    self.host,
                    "set a token to listen beyond loopback, or listen on 127.0.0.1",
                )

            if not all(map(is_loopback, self.allowed_hosts)):  # a proxy may call from this machine for anybody
                raise ConfigError(
                    self.owner,
                    "allowed_hosts",
                    ", ".join(self.allowed_hosts),
                    "set a token too: who calls by such a name may be anywhere",
                )

        elif (
            len(self.token) < _MIN_TOKEN
            or not self.token.isascii()
            or not self.token.isprintable()
            or " " in self.token
        ):
            raise ConfigError(
                self.owner,
                "token",
                "…",
                f"use at least {_MIN_TOKEN} printable ASCII characters without a space, better 32",
            )

    def _check_names(self) -> None:
        for name in self.allowed_hosts:
            if not _NAME.fullmatch(name) and not is_address(name.strip("[]")):
                raise ConfigError(
                    self.owner,
                    "allowed_hosts",
                    name,
                    "use names as logs.example.org, *.example.org or addresses, without scheme, port and path",
                )

    def _check_tls(self) -> None:
        if (self.tls_cert is None) != (self.tls_key is None):
            missing = "tls_key" if self.tls_key is None else "tls_cert"
            raise ConfigError(self.owner, missing, None, "give tls_cert and tls_key together")

        for option, path in (("tls_cert", self.tls_cert), ("tls_key", self.tls_key)):
            if path is not None and not path.is_file():
                raise ConfigError(self.owner, option, str(path), "there is no such file")


@dataclass(frozen=True, slots=True)
class Address:
    """Where something listens."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


def parse_address(text: str, owner: str, option: str) -> Address:
    """Read "127.0.0.1:8765", "[::1]:8765" or "localhost:0".

    Raises:
        ConfigError: it is no address.
    """
    host, colon, port = text.rpartition(":")
    bracketed = host.startswith("[") and host.endswith("]")
    bare = host[1:-1] if bracketed else host

    if not colon or not bare or (":" in bare) != bracketed or not (port.isascii() and port.isdigit()):
        raise ConfigError(owner, option, text, 'use host and port, as "127.0.0.1:8765" or "[::1]:8765"')

    if int(port) > _MAX_PORT:
        raise ConfigError(owner, option, text, _PORT_REMEDY)

    return Address(bare, int(port))
