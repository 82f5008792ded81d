"""The options of `RemoteHandler` that hold secrets: tokens, passwords, headers.

"env:NAME" and "file:PATH" stand for one that is kept elsewhere. What is meant to be there and is not, is an error:
a handler never goes without a secret that it was told to use. No error shows one.
"""

import os
from collections.abc import Mapping

from loghub.errors import ConfigError
from loghub.handlers.destination import Secret
from loghub.options import text

_OWNER = "RemoteHandler"


def secret(value: object, option: str) -> Secret | None:
    """Read a secret: a text, "env:NAME" or "file:PATH"; None where there is none."""
    if value is None or value == "":
        return None

    if isinstance(value, str) and value.startswith("env:"):
        return from_environment(value, option)

    if isinstance(value, str) and value.startswith("file:"):
        return _from_file(value, option)

    if isinstance(value, str) and "${" in value:
        text(value, _OWNER, option)  # says what to do

    if not isinstance(value, str) or not value.isascii() or not value.isprintable():
        raise ConfigError(_OWNER, option, "…", 'give one line of ASCII, "env:NAME" or "file:PATH"')

    return Secret(value)


def basic(username: object, password: object) -> tuple[str, Secret] | None:
    """Read a name and a password; None where there is neither."""
    if not username and not password:
        return None

    if not isinstance(username, str) or not username.isprintable() or ":" in username or "${" in username:
        raise ConfigError(_OWNER, "username", username, "give the name that belongs to the password; it holds no colon")

    return username, secret(password, "password") or Secret("")


def headers(value: Mapping[str, str] | None) -> tuple[tuple[str, Secret], ...]:
    """Read further headers; each may hold a secret."""
    if value is None:
        return ()

    if not isinstance(value, Mapping):
        raise ConfigError(_OWNER, "headers", "…", "give a mapping, as {X-Team: shop}")

    # Item by item: a configuration's ext:// and cfg:// values are resolved by [] only.
    return tuple((name, _header(name, value[name])) for name in value)


def _header(name: object, value: object) -> Secret:
    if not isinstance(name, str) or not name.isascii() or not name.isprintable():
        raise ConfigError(_OWNER, "headers", name, "names and values are one line of ASCII")

    content = str(value)

    if not content.isascii() or not content.isprintable():
        raise ConfigError(_OWNER, "headers", name, "names and values are one line of ASCII")

    return secret(content, "headers") or Secret("")


def is_elsewhere(value: object) -> bool:
    """Tell whether a text stands for a secret that is kept elsewhere."""
    return isinstance(value, str) and value.startswith(("env:", "file:"))


def from_environment(value: str, option: str) -> Secret:
    """Read a secret that a variable holds, from "env:NAME"."""
    name = value.removeprefix("env:").strip()
    found = os.environ.get(name, "")

    if not name or not found:
        raise ConfigError(_OWNER, option, value, f"set {name or 'a variable'} in the environment: it is empty")

    if not found.isascii() or not found.isprintable():
        raise ConfigError(_OWNER, option, value, f"{name} must hold one line of ASCII")

    return Secret(found)


def _from_file(value: str, option: str) -> Secret:
    found = Secret("", value.removeprefix("file:").strip())

    try:
        found.reveal()
    except (OSError, ValueError) as error:
        raise ConfigError(_OWNER, option, value, f"give a file that can be read: {error}") from None

    return found
