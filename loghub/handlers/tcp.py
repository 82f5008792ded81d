"""One batch over a plain TCP or TLS connection, for aggregators that take JSON lines or syslog; no HTTP, no answer.

Rules:
1. Nobody answers. A batch counts as delivered when the other machine has confirmed all of its bytes (Linux tells;
   elsewhere: when this machine's socket has taken them) and the connection still stands. What the program over there
   does with them is not known: delivery is at-least-once up to its socket, and no further.
2. A connection that the other side has closed, or half closed, is noticed before and after each batch; a machine that
   has vanished by keepalive and by TCP_USER_TIMEOUT. Whatever breaks, the whole batch is sent again over a new
   connection, from the start of its first line: a torn line is only ever the last one of a connection.
3. What the other side says is read and forgotten.
4. TLS is set up and checked as for HTTP: host name, `verify`, an own certificate.

Used by one thread at a time; it starts none.
"""

import os
import socket
import ssl
import struct
import sys
import time
from contextlib import suppress
from urllib.parse import urlsplit

from loghub.handlers.delivery import Answer, Trouble
from loghub.handlers.destination import Destination, socket_context
from loghub.wire.batch import Batch
from loghub.wire.syslog import BODIES

if sys.platform == "linux":
    import fcntl

_OK = 200
_PIECE = 65_536
_SIOCOUTQ = 0x5411  # of Linux: bytes that the other side has not confirmed
_FIRST_LOOK = 0.0001
_LONGEST_LOOK = 0.02
_MOST_READS = 16
_KEEPALIVE = {"TCP_KEEPIDLE": 30, "TCP_KEEPINTVL": 10, "TCP_KEEPCNT": 3}


def load(destination: Destination) -> None:
    """Set up what sending needs.

    Raises:
        OSError: a file of certificates cannot be used.
    """
    if destination.url.startswith("tls:"):
        socket_context(destination.trust)


class TCPPost:
    """Sends batches over one connection that is kept open."""

    def __init__(self, destination: Destination) -> None:
        self._destination = destination
        self._body = BODIES[destination.protocol]
        self._socket: socket.socket | None = None

    def send(self, batch: Batch, timeout: float) -> Answer:
        """Send a batch.

        Args:
            batch: what to send.
            timeout: seconds for connecting, and again for all the rest.
        """
        try:
            connection = self._connection(timeout)
            until = time.monotonic() + timeout
            _send(connection, memoryview(self._body(batch)), until)
            _await_confirmation(connection, until)
            _refuse_if_closed(connection)
        except ssl.SSLCertVerificationError as error:
            self.close()
            return Answer(Trouble.BAD_CERTIFICATE, detail=_words(error))
        except Exception as error:  # noqa: BLE001 (everything is an answer: nothing may end the worker)
            self.close()
            return Answer(Trouble.NO_ANSWER, detail=_words(error))

        return Answer(_OK)

    def close(self) -> None:
        """Close the connection; a later `send` opens another."""
        connection, self._socket = self._socket, None

        if connection is not None:
            with suppress(OSError):
                connection.close()

    def abandon(self) -> None:
        """Close this process's copy of the parent's socket, without a word on the wire."""
        connection, self._socket = self._socket, None

        if connection is not None and (descriptor := connection.detach()) >= 0:
            with suppress(OSError):
                os.close(descriptor)

    def _connection(self, timeout: float) -> socket.socket:
        if self._socket is not None:
            try:
                _refuse_if_closed(self._socket)
            except OSError:
                self.close()

        if self._socket is None:
            self._socket = _connect(self._destination, timeout)

        return self._socket


def _connect(destination: Destination, timeout: float) -> socket.socket:
    parts = urlsplit(destination.url)
    connection = socket.create_connection((parts.hostname, parts.port), timeout)

    try:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        patience = {"TCP_USER_TIMEOUT": max(int(timeout * 1000), 1)}

        for name, value in (_KEEPALIVE | patience).items():
            if hasattr(socket, name):  # not every system has each
                connection.setsockopt(socket.IPPROTO_TCP, getattr(socket, name), value)

        if parts.scheme == "tls":
            connection = socket_context(destination.trust).wrap_socket(connection, server_hostname=parts.hostname)
    except BaseException:
        connection.close()
        raise

    return connection


def _send(connection: socket.socket, body: memoryview, until: float) -> None:
    while body:
        connection.settimeout(_left(until))
        body = body[connection.send(body[:_PIECE]) :]


def _await_confirmation(connection: socket.socket, until: float) -> None:
    """Wait until the other machine has all bytes; where the system cannot tell, do not."""
    if sys.platform != "linux":
        return

    pause = _FIRST_LOOK

    while struct.unpack("i", fcntl.ioctl(connection.fileno(), _SIOCOUTQ, bytes(4)))[0]:
        _refuse_if_closed(connection)  # after a reset the count stays as it was
        time.sleep(min(pause, _left(until)))
        pause = min(2 * pause, _LONGEST_LOOK)


def _left(until: float) -> float:
    left = until - time.monotonic()

    if left <= 0:
        raise TimeoutError("the other side takes nothing")

    return left


def _refuse_if_closed(connection: socket.socket) -> None:
    """Read what is there without waiting.

    Raises:
        OSError: the other side has closed its end, or reset the connection.
    """
    connection.settimeout(0)

    for _ in range(_MOST_READS):
        try:
            said = connection.recv(_PIECE)
        except (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError):
            return

        if not said:
            raise ConnectionResetError("the other side has closed the connection")


def _words(error: Exception) -> str:
    return f"{type(error).__name__}: {error}"[:300]
