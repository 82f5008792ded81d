"""The options of commands that send to a hub. They are those of RemoteHandler, and the environment fills them alike."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import click

from loghub.errors import ConfigError
from loghub.handlers import remote_options
from loghub.handlers.destination import Destination

_DEFAULTS = {
    "enabled": True,
    "username": None,
    "password": None,
    "headers": None,
    "proxy": None,
    "compress": "zstd",
    "verify": True,
    "cert": None,
    "key": None,
    "protocol": None,
}
_OPTIONS = (
    click.option("--url", help="The hub's address; LOGHUB_URL where it is left out."),
    click.option(
        "--token",
        help='What the hub wants to see: "env:NAME" or "file:PATH". LOGHUB_TOKEN is sent to the address in LOGHUB_URL.',
    ),
    click.option("--verify", metavar="FILE", help="A file of certificates to trust."),
    click.option("--cert", type=click.Path(path_type=Path), help="An own certificate."),
    click.option("--key", type=click.Path(path_type=Path), help="Its key."),
)


def to_a_hub(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command the options that say which hub."""
    for option in reversed(_OPTIONS):
        command = option(command)

    return command


def destination(options: Mapping[str, Any], owner: str) -> Destination:
    """Read where to send.

    Raises:
        ConfigError: an option is wrong; it names the command as its owner.
    """
    given = {
        name: value for name, value in options.items() if value is not None and name in (*_DEFAULTS, "url", "token")
    }

    try:
        return remote_options.destination({"url": None, "token": None} | _DEFAULTS | given)
    except ConfigError as error:
        raise ConfigError(owner, f"--{error.option}", error.value, error.remedy) from None
