"""The options of `RemoteHandler` that say where records go and what proves who sends them.

Rules:
1. The environment fills what the configuration leaves out: LOGHUB_URL the address, LOGHUB_TOKEN the token.
2. LOGHUB_TOKEN belongs to the address in LOGHUB_URL. It is sent there and nowhere else: a handler with another
   `url` sends it only if its configuration says so, with `token: "env:LOGHUB_TOKEN"`.
3. No error shows a part of an address that could hold a secret.
"""

import os
import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from loghub.errors import ConfigError
from loghub.handlers import post, tcp
from loghub.handlers.destination import Destination, Secret, Trust
from loghub.handlers.post import PATH, Post
from loghub.handlers.remote_secrets import basic, from_environment, headers, is_elsewhere, secret
from loghub.options import choice, duration, text
from loghub.wire.report import Report
from loghub.wire.syslog import BODIES

OWNER = "RemoteHandler"
UNACKNOWLEDGED = "at-least-once up to the socket"
URL_VARIABLE = "LOGHUB_URL"
TOKEN_VARIABLE = "LOGHUB_TOKEN"  # noqa: S105 (the variable's name)
_USER = re.compile(r"^([^/@]*://)?.*@", re.DOTALL)  # as far as the last "@": a password may hold any character
_BEHIND = re.compile(r"([?#]).*", re.DOTALL)
_EXAMPLE = "give the hub's address, as http://127.0.0.1:8514"
_NOWHERE = "http://127.0.0.1:8514"  # the address of a handler that is off and has none
_COMPRESS = {name: name for name in ("zstd", "gzip", "none")}
_PROTOCOLS = {"http": ("loghub",), "https": ("loghub",), "tcp": tuple(BODIES), "tls": tuple(BODIES)}
_TLS = ("https", "tls")


def destination(options: Mapping[str, Any]) -> Destination:
    """Read where batches go from the options of that name; the environment fills what is None.

    Raises:
        ConfigError: an option is wrong.
    """
    options = options if options["enabled"] else _without_environment(options)
    url, scheme = address(options["url"])
    pair = basic(options["username"], options["password"])
    token = secret(options["token"], "token")
    further = headers(options["headers"])

    if token and pair:
        raise ConfigError(OWNER, "token", "…", "give a token, or username and password, not both")

    if scheme in ("tcp", "tls"):
        _refuse_on_sockets(options)
    elif options["token"] is None and not pair and "authorization" not in {name.lower() for name, _ in further}:
        token = _token_for(url)

    return Destination(
        url,
        token,
        pair,
        further,
        secret(options["proxy"], "proxy"),
        choice(options["compress"], OWNER, "compress", _COMPRESS),
        _trust(scheme, options["verify"], options["cert"], options["key"]),
        _protocol(scheme, options["protocol"]),
    )


def address(value: object) -> tuple[str, str]:
    """Read an address, or that of LOGHUB_URL where there is none.

    Returns:
        The address, and its scheme.
    """
    option = "url"

    if value is None:
        value, option = os.environ.get(URL_VARIABLE) or None, URL_VARIABLE

    if value is None:
        raise ConfigError(OWNER, "url", None, f"{_EXAMPLE}, or set {URL_VARIABLE} in the environment")

    try:
        url = text(value, OWNER, option)
        parts = urlsplit(url)
        wrong = parts.scheme not in _PROTOCOLS or not parts.hostname or parts.port == 0
    except ConfigError as error:
        raise ConfigError(OWNER, option, _shown(value), error.remedy) from None
    except ValueError:  # its text may hold a part of a password
        wrong = True

    if wrong or any(character.isspace() for character in url):
        raise ConfigError(OWNER, option, _shown(value), _EXAMPLE)

    if parts.username is not None or parts.password is not None:
        remedy = "give a secret as token, as username and password, or in headers"
        raise ConfigError(OWNER, option, _shown(value), remedy)

    if parts.query or parts.fragment or parts.path.rstrip("/").endswith(PATH):
        raise ConfigError(OWNER, option, _shown(value), f"{_EXAMPLE}, without what stands behind it")

    if parts.scheme in ("tcp", "tls") and (parts.port is None or parts.path.strip("/")):
        raise ConfigError(OWNER, option, _shown(value), "give a host and a port, as tcp://127.0.0.1:6514")

    return url.rstrip("/"), parts.scheme


def load(place: Destination) -> None:
    """Load what sending needs; a file that cannot be used is a wrong option."""
    remedies = {"verify": "a PEM file of certificates", "cert": "a PEM certificate and its key, without a password"}

    for option, trust in {"verify": replace(place.trust, cert=None, key=None), "cert": place.trust}.items():
        try:
            (tcp if place.is_stream else post).load(replace(place, trust=trust))
        except OSError as error:
            raise ConfigError(OWNER, option, getattr(trust, option), f"{error}; give {remedies[option]}") from error


def carrier(place: Destination, report: Callable[[str], Report]) -> Post:
    """Make what carries batches to a destination.

    Args:
        place: where to.
        report: gives what the sender has to tell of a source.
    """
    return tcp.TCPPost(place) if place.is_stream else post.HTTPPost(place, report)


def positive(value: object, option: str) -> float:
    """Read a length of time that is not nothing."""
    seconds = duration(value, OWNER, option)

    if not seconds:
        raise ConfigError(OWNER, option, value, 'give more than nothing, as "10 s"')

    return seconds


def _shown(value: object) -> object:
    """Give an address as an error may show it: without what stands before an "@" or behind a "?" or "#"."""
    hidden = _BEHIND.sub(r"\1…", _USER.sub(r"\1…@", str(value)))
    return value if hidden == str(value) else hidden


def _without_environment(options: Mapping[str, Any]) -> Mapping[str, Any]:
    """Leave out what a machine need not have where the handler is switched off."""
    given = options["headers"]
    kept = {name: given[name] for name in given} if isinstance(given, Mapping) else given
    url = options["url"] or os.environ.get(URL_VARIABLE) or _NOWHERE
    known = {name: None if is_elsewhere(value) else value for name, value in options.items()}
    return known | {
        "url": url,
        "headers": {k: "" if is_elsewhere(v) else v for k, v in kept.items()} if isinstance(kept, dict) else kept,
    }


def _token_for(url: str) -> Secret | None:
    """Give LOGHUB_TOKEN to the address that it was given for."""
    if not os.environ.get(TOKEN_VARIABLE) or not is_token_for(url):
        return None

    return from_environment(f"env:{TOKEN_VARIABLE}", "token")


def is_token_for(url: str) -> bool:
    """Tell whether LOGHUB_TOKEN was given for an address: LOGHUB_URL names it."""
    return _same(os.environ.get(URL_VARIABLE, "")) == _same(url)


def _same(url: str) -> tuple[str, str | None, int | None, str] | None:
    """Give what two spellings of one address have in common."""
    try:
        parts = urlsplit(url)
        port = parts.port or {"http": 80, "https": 443}.get(parts.scheme)
    except ValueError:
        return None

    return parts.scheme, parts.hostname, port, parts.path.rstrip("/")


def _trust(scheme: str, verify: object, cert: object, key: object) -> Trust:
    if (cert is not None or key is not None) and scheme not in _TLS:
        raise ConfigError(
            OWNER, "cert", cert, "an own certificate needs an address that begins with https:// or tls://"
        )

    if key is not None and cert is None:
        raise ConfigError(OWNER, "cert", None, "give the certificate that belongs to the key")

    return Trust(
        verify if isinstance(verify, bool) else _file(verify, "verify", "true, false, or a file of certificates"),
        None if cert is None else _file(cert, "cert", "a file with the own certificate"),
        None if key is None else _file(key, "key", "a file with the certificate's key"),
    )


def _file(value: object, option: str, what: str) -> str:
    path = text(value, OWNER, option)

    if not Path(path).is_file():
        raise ConfigError(OWNER, option, value, f"give {what} that exists")

    return path


def _protocol(scheme: str, value: object) -> str:
    known = _PROTOCOLS[scheme]
    return known[0] if value is None else choice(value, OWNER, "protocol", dict(zip(known, known, strict=True)))


def _refuse_on_sockets(options: Mapping[str, Any]) -> None:
    """Refuse what only HTTP has a place for."""
    for option in ("token", "username", "password", "headers", "proxy"):
        if options[option]:
            shown = "…" if option != "username" else options[option]
            raise ConfigError(OWNER, option, shown, "a plain connection has no place for it: use http:// or https://")
