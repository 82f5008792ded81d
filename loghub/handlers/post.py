"""One batch over HTTP: a POST with a synchronous httpx client, and what came back as an `Answer`.

Rules:
1. `send` never raises: whatever goes wrong is an answer too.
2. Only a whole answer counts. A 200 whose body breaks off is no acknowledgement; the same batch is sent again.
3. Modules are loaded and TLS is set up when a handler is made (`load`), not at the first request. A fork while
   another thread is inside of an import or of OpenSSL's set-up leaves the child with a lock that nobody will ever
   release: seen in 1 of 40 forks while threads log.
4. No redirect is followed: a batch and its token go to the address that the configuration names.
5. HTTP_PROXY, HTTPS_PROXY, ALL_PROXY and NO_PROXY of the environment are heeded, except for a hub on this machine:
   there is no proxy through which loopback could be reached. SSL_CERT_FILE and SSL_CERT_DIR are heeded always, where
   `verify` is true.

Used by one thread at a time; it starts none.
"""

import os
import ssl
import time
import zlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Protocol
from urllib.parse import urlsplit

from loghub.errors import require
from loghub.handlers.delivery import Answer, Delivery, Effect, Trouble, Verdict, effect_of
from loghub.handlers.destination import Destination, Secret, http_context
from loghub.wire.batch import KEY_HEADER, Batch
from loghub.wire.loopback import is_loopback
from loghub.wire.rejection import rejected_places
from loghub.wire.report import DIGEST_HEADER, REPORT_HEADER, Report, digest, write_report

if TYPE_CHECKING:
    import socket

PATH = "/api/v1/ingest"
LOGGERS = ("httpx", *(f"httpcore.{part}" for part in ("connection", "http11", "http2", "proxy", "socks")))
"""Loggers that tell of each request."""

_MAX_ANSWER = 1_000_000
_UNPROVEN = (401, 403, 407)
_GZIP = 16 + zlib.MAX_WBITS


_MODULES = ("httpcore", "certifi", "encodings.idna")  # what httpx and the host's name load at the first request


class Post(Protocol):
    """What carries a batch to its destination."""

    def send(self, batch: Batch, timeout: float) -> Answer:
        """Send a batch and give the answer; never raises."""

    def close(self) -> None:
        """Let go of the connection."""

    def abandon(self) -> None:
        """Let go of what a fork copied from the parent: no I/O, no lock, so that the parent's connection lives on."""


def attempts(batch: Batch, delivery: Delivery, post: Post, timeout: float) -> Iterator[tuple[Batch, Verdict]]:
    """Send a batch, part by part and as often as needed; whoever asks for the next attempt has waited before.

    Args:
        batch: what to send.
        delivery: what decides.
        post: what carries it.
        timeout: seconds for one request.

    Returns:
        Each part that was sent, and what became of it.
    """
    delivery.start(batch)

    while (part := delivery.current) is not None:
        delivery.sending()
        yield part, delivery.answered(post.send(part, timeout), time.time())


def load(destination: Destination) -> None:
    """Load and set up what sending needs.

    Raises:
        MissingExtraError: httpx or zstandard is not installed.
        OSError: a file of certificates cannot be used.
    """
    for module in ("httpx", *_MODULES):
        require(module, "RemoteHandler", "remote")

    if destination.compress == "zstd":
        require("zstandard", "RemoteHandler", "remote")

    http_context(destination.trust, tls=destination.url.startswith("https:"))


def _no_report(_source: str) -> Report:
    return Report()


class HTTPPost:
    """Posts batches to a hub over one connection that is kept open.

    Args:
        destination: where to.
        report: gives what the sender has to tell of a source, beside each batch.
    """

    def __init__(self, destination: Destination, report: Callable[[str], Report] = _no_report) -> None:
        self._destination = destination
        self._report = report
        self._httpx = require("httpx", "RemoteHandler", "remote")
        self._client: Any = None
        self._socket: socket.socket | None = None
        self._head = _Deadline()
        self._packed: tuple[Batch | None, bytes] = (None, b"")
        self._pack = _PACKERS[destination.compress]()

    def send(self, batch: Batch, timeout: float) -> Answer:
        """Post a batch.

        Args:
            batch: what to send.
            timeout: seconds for connecting, for each wait on the network, and for the head and the body of the answer.
        """
        try:
            return self._exchange(batch, timeout)
        except Exception as error:  # noqa: BLE001 (everything is an answer: nothing may end the worker)
            trouble = Trouble.BAD_CERTIFICATE if _is_bad_certificate(error) else Trouble.NO_ANSWER
            return Answer(trouble, detail=self._destination.conceal(f"{type(error).__name__}: {error}")[:300])

    def close(self) -> None:
        """Close the connection; a later `send` opens another."""
        client, self._client, self._socket = self._client, None, None

        if client is not None:
            with suppress(Exception):
                client.close()

    def abandon(self) -> None:
        """Close this process's copy of the parent's socket; the client and its locks are left alone."""
        connection, self._client, self._socket = self._socket, None, None

        if connection is not None and (descriptor := connection.detach()) >= 0:
            with suppress(OSError):
                os.close(descriptor)

    def _exchange(self, batch: Batch, timeout: float) -> Answer:
        if self._client is None:
            self._client = self._open()

        request: dict[str, Any] = {
            "content": self._body(batch),
            "headers": self._headers(batch),
            "timeout": timeout,
            "extensions": {"trace": self._notice},
        }

        self._head.seconds = timeout

        with self._client.stream("POST", self._destination.url + PATH, **request) as response:
            body = _read(response, time.monotonic() + timeout)

        if response.status_code in _UNPROVEN:  # a secret in a file may be another by the next time
            self.close()

        return _answer(response.status_code, response.headers, rejected_places(body, batch))

    def _open(self) -> Any:  # noqa: ANN401 (httpx is an extra)
        destination = self._destination
        headers = {"Content-Type": "application/x-ndjson", "User-Agent": "loghub"}

        if destination.compress != "none":
            headers["Content-Encoding"] = destination.compress

        if destination.token:
            headers["Authorization"] = f"Bearer {destination.token.reveal()}"

        limits = self._httpx.Limits(max_connections=1, max_keepalive_connections=1, keepalive_expiry=30.0)
        return self._httpx.Client(
            auth=_basic(destination.basic),
            headers=headers | {name: value.reveal() for name, value in destination.headers},
            verify=http_context(destination.trust, tls=destination.url.startswith("https:")),
            limits=limits,
            proxy=destination.proxy and destination.proxy.reveal(),
            trust_env=not is_loopback(urlsplit(destination.url).hostname or ""),
        )

    def _headers(self, batch: Batch) -> dict[str, str]:
        report = replace(self._report(batch.source), time=time.time_ns() // 1_000_000)
        return {
            KEY_HEADER: batch.key,
            DIGEST_HEADER: digest(batch.key, batch.lines),
            REPORT_HEADER: write_report(report),
        }

    def _body(self, batch: Batch) -> bytes:
        """Join and compress the lines, once for all the times that a batch is sent."""
        if self._packed[0] is not batch:
            self._packed = (batch, self._pack(b"".join(batch.lines)))

        return self._packed[1]

    def _notice(self, event: str, info: Mapping[str, Any]) -> None:
        """Remember the socket of a new connection, for `abandon`; bound the wait for the head of an answer."""
        if event.endswith(("connect_tcp.complete", "start_tls.complete")):
            self._socket = info["return_value"].get_extra_info("socket")
            self._head.watch(info["return_value"])
        elif event.endswith("receive_response_headers.started"):
            self._head.begin()
        elif event.endswith(("receive_response_headers.complete", "receive_response_headers.failed")):
            self._head.end()


class _Deadline:
    """Bounds the wait for the head of an answer as a whole: the timeout of each read does not, where a server drips.

    httpx has no option for that (encode/httpx#1450), nor for a network of one's own, as httpcore has. Where a later
    version gives no such stream, the timeout of each read is what is left.

    Attributes:
        seconds: how long it may take.
    """

    def __init__(self) -> None:
        self.seconds = 0.0
        self._until: float | None = None

    def begin(self) -> None:
        self._until = time.monotonic() + self.seconds

    def end(self) -> None:
        self._until = None

    def watch(self, stream: Any) -> None:  # noqa: ANN401 (httpx is an extra)
        """Put the deadline before each read of a connection."""
        read = stream.read

        def bounded(size: int, timeout: float | None = None) -> bytes:
            if self._until is None:
                return read(size, timeout)  # type: ignore[no-any-return]

            if (left := self._until - time.monotonic()) <= 0:
                raise TimeoutError("the head of the answer does not end")

            return read(size, left if timeout is None else min(left, timeout))  # type: ignore[no-any-return]

        stream.read = bounded


def _basic(pair: tuple[str, Secret] | None) -> tuple[str, str] | None:
    return None if pair is None else (pair[0], pair[1].reveal())


# The fast levels: a log compresses well at any.
def _gzip() -> Callable[[bytes], bytes]:
    return lambda body: (packer := zlib.compressobj(1, zlib.DEFLATED, _GZIP)).compress(body) + packer.flush()


def _zstd() -> Callable[[bytes], bytes]:
    packer: Callable[[bytes], bytes] = require("zstandard", "RemoteHandler", "remote").ZstdCompressor(1).compress
    return packer


_PACKERS: dict[str, Callable[[], Callable[[bytes], bytes]]] = {
    "zstd": _zstd,
    "gzip": _gzip,
    "none": lambda: lambda body: body,
}


def _read(response: Any, until: float) -> bytes:  # noqa: ANN401 (httpx is an extra)
    """Read the answer to its end; the timeout of each wait does not bound a server that drips."""
    body = b""

    for chunk in response.iter_raw():
        body += chunk

        if len(body) > _MAX_ANSWER or time.monotonic() > until:
            raise TimeoutError("the answer does not end")

    return body


def _answer(status: int, headers: Mapping[str, str], rejected: tuple[int, ...]) -> Answer:
    kind = headers.get("content-type", "")

    if effect_of(status) is Effect.ACK and kind.startswith("text/html"):  # a login page, another web server
        return Answer(Trouble.NO_HUB, detail=f"HTTP {status} with a web page")

    where = headers.get("location")
    detail = f"to {where.partition('?')[0]}"[:300] if where else ""
    return Answer(status, headers.get("retry-after"), detail, rejected)


def _is_bad_certificate(error: BaseException | None) -> bool:
    while error is not None:
        if isinstance(error, ssl.SSLCertVerificationError):
            return True

        error = error.__cause__ or error.__context__

    return False
