"""Where batches go, what proves who sends them, and what the other side is trusted by. Data, and TLS contexts.

A secret never shows: not in the repr of what holds it, not in an error, not in a message about a failure.
"""

import functools
import os
import ssl
from dataclasses import dataclass, field
from pathlib import Path

from loghub.errors import require

_LEAST_SECRET = 4  # shorter ones would take words out of a sentence, and are none


@dataclass(frozen=True, slots=True)
class Secret:
    """A text that nobody may see, or the file that it is read from.

    A file is read each time, so that a secret that is renewed there needs no restart.
    """

    _text: str = field(repr=False)
    file: str | None = None

    def reveal(self) -> str:
        """Give the text.

        Raises:
            OSError: the file cannot be read.
            ValueError: what it holds is not one line of printable ASCII; the error does not show it.
        """
        if self.file is None:
            return self._text

        try:
            text = Path(self.file).read_text("utf-8").strip()
        except UnicodeDecodeError:
            text = ""

        if not text or not text.isascii() or not text.isprintable():
            raise ValueError(f"{self.file} does not hold one line of printable ASCII")

        return text


@dataclass(frozen=True, slots=True)
class Trust:
    """What a connection is trusted by.

    Attributes:
        verify: true, false, or a file of certificates that sign the other side's.
        cert: a file with the own certificate, and the chain behind it.
        key: a file with its key; the same file where it is left out.
    """

    verify: bool | str = True
    cert: str | None = None
    key: str | None = None


@dataclass(frozen=True, slots=True)
class Destination:
    """Where batches go and how.

    Attributes:
        url: the hub's address, without the path of the API; or tcp://host:port, tls://host:port.
        token: sent as a bearer token.
        basic: a name and a password for basic authentication.
        headers: further headers, as pairs.
        proxy: the address of a proxy; left out, the environment names one.
        compress: "zstd", "gzip" or "none".
        trust: what certificates are checked against.
        protocol: "loghub", or the framing of a TCP connection.
    """

    url: str
    token: Secret | None = None
    basic: tuple[str, Secret] | None = None
    headers: tuple[tuple[str, Secret], ...] = ()
    proxy: Secret | None = None
    compress: str = "gzip"
    trust: Trust = Trust()
    protocol: str = "loghub"

    @property
    def is_stream(self) -> bool:
        """Whether it is a connection on which nobody answers."""
        return self.url.startswith(("tcp:", "tls:"))

    def conceal(self, text: str) -> str:
        """Take every secret out of a text that people see."""
        for secret in (self.token, self.basic and self.basic[1], self.proxy, *(pair[1] for pair in self.headers)):
            known = _known(secret)
            text = text.replace(known, "…") if len(known) >= _LEAST_SECRET else text

        return text


def _known(secret: Secret | None) -> str:
    try:
        return secret.reveal() if secret else ""
    except (OSError, ValueError):
        return ""


@functools.cache
def http_context(trust: Trust, *, tls: bool) -> ssl.SSLContext:
    """Make the TLS context of an HTTP client, once; where there is no TLS httpx wants one, and an empty one is cheap.

    Raises:
        OSError: a file cannot be used.
    """
    if isinstance(trust.verify, str) or not tls:
        context = _context(trust) if tls else ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    else:  # httpx brings certificates along, for machines that have none
        context = require("httpx", "RemoteHandler", "remote").create_ssl_context(verify=trust.verify)

    return _with_own(context, trust)


@functools.cache
def socket_context(trust: Trust) -> ssl.SSLContext:
    """Make the TLS context of a socket, once.

    Raises:
        OSError: a file cannot be used.
    """
    return _with_own(_context(trust), trust)


def _context(trust: Trust) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=trust.verify if isinstance(trust.verify, str) else None)

    if trust.verify is False:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE

    return context


def _with_own(context: ssl.SSLContext, trust: Trust) -> ssl.SSLContext:
    if trust.cert is not None:
        # Without a password of ours OpenSSL would ask for one on the terminal.
        context.load_cert_chain(os.fspath(trust.cert), trust.key, password="")

    return context
