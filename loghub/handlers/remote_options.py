"""The options of `RemoteHandler` that say where records go and what proves who sends them.

Each reader gives the value checked, or a ConfigError that names the option and the remedy. No error shows a secret.
"""

import re
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlsplit

from loghub.errors import ConfigError
from loghub.handlers import post
from loghub.handlers.post import PATH, Destination
from loghub.options import duration, text

OWNER = "RemoteHandler"
_USER = re.compile(r"^([^/@]*://)?.*@", re.DOTALL)  # as far as the last "@": a password may hold any character
_BEHIND = re.compile(r"([?#]).*", re.DOTALL)


def address(value: object) -> str:
    """Read the address of a hub."""
    example = "give the hub's address, as http://127.0.0.1:8514"

    try:
        url = text(value, OWNER, "url")
        parts = urlsplit(url)
        wrong = parts.scheme not in ("http", "https") or not parts.hostname or parts.port == 0
    except ConfigError as error:
        raise ConfigError(OWNER, "url", _shown(value), error.remedy) from None
    except ValueError:  # its text may hold a part of a password
        wrong = True

    if wrong or any(character.isspace() for character in url):
        raise ConfigError(OWNER, "url", _shown(value), example)

    if parts.username is not None or parts.password is not None:
        raise ConfigError(OWNER, "url", _shown(value), "give a secret as token or headers")

    if parts.query or parts.fragment or parts.path.rstrip("/").endswith(PATH):
        raise ConfigError(OWNER, "url", _shown(value), f"{example}, without what stands behind it")

    return url.rstrip("/")


def _shown(value: object) -> object:
    """Give an address as an error may show it: without what stands before an "@" or behind a "?" or "#"."""
    hidden = _BEHIND.sub(r"\1…", _USER.sub(r"\1…@", str(value)))
    return value if hidden == str(value) else hidden


def token(value: str | None) -> str | None:
    """Read a token; None where there is none."""
    if value is None or value == "":
        return None

    given = text(value, OWNER, "token")

    if not given.isascii() or not given.isprintable():
        raise ConfigError(OWNER, "token", "…", "a token is one line of ASCII")

    return given


def headers(value: Mapping[str, str] | None) -> tuple[tuple[str, str], ...]:
    """Read further headers."""
    if value is None:
        return ()

    if not isinstance(value, Mapping):
        raise ConfigError(OWNER, "headers", value, "give a mapping, as {X-Team: shop}")

    # Item by item: a configuration's ext:// and cfg:// values are resolved by [] only.
    return tuple((name, _header(name, value[name])) for name in value)


def _header(name: object, value: object) -> str:
    content = str(value)

    if not isinstance(name, str) or not f"{name}{content}".isascii() or not f"{name}{content}".isprintable():
        raise ConfigError(OWNER, "headers", name, "names and values are one line of ASCII")

    return content


def trust(value: object) -> bool | str:
    """Read what certificates are checked against."""
    if isinstance(value, bool):
        return value

    path = text(value, OWNER, "verify")

    if not Path(path).is_file():
        raise ConfigError(OWNER, "verify", value, "give true, false, or a file of certificates that exists")

    return path


def load(destination: Destination) -> None:
    """Load what sending needs; a file that cannot be used is a wrong option."""
    try:
        post.load(destination)
    except OSError as error:
        raise ConfigError(OWNER, "verify", destination.verify, f"{error}; give a PEM file of certificates") from error


def positive(value: object, option: str) -> float:
    """Read a length of time that is not nothing."""
    seconds = duration(value, OWNER, option)

    if not seconds:
        raise ConfigError(OWNER, option, value, 'give more than nothing, as "10 s"')

    return seconds
