"""The spool's options as people write them, and whose a directory is within this process."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol

from loghub.errors import ConfigError
from loghub.handlers.destination import Destination
from loghub.handlers.spool.overflow import POLICIES
from loghub.handlers.spool.settings import SMALLEST, Settings
from loghub.options import choice, count, duration, size, switch, text

VARIABLE = "LOGHUB_SPOOL"
_OWNER = "RemoteHandler"
_DURABILITIES = {name: name for name in ("process", "interval", "batch", "record")}


class Sender(Protocol):
    """What sends from a directory."""

    @property
    def in_use(self) -> bool:
        """Whether a handler uses it."""

    def retire(self) -> None:
        """Let go of the directory: another destination takes what is left along."""


_directories: dict[Path, dict[int, tuple[Destination, Sender]]] = {}


def spool_settings(options: Mapping[str, Any], destination: str) -> Settings | None:
    """Read the options of a spool; None where no directory is named, by LOGHUB_SPOOL neither.

    Raises:
        ConfigError: one of them is wrong.
    """
    sends = switch(options["send"], _OWNER, "send")
    policy = choice(options["overflow"], _OWNER, "overflow", POLICIES)
    waits = duration(options["overflow_timeout"], _OWNER, "overflow_timeout")
    durability = choice(options["durability"], _OWNER, "durability", _DURABILITIES)
    room = _room(options["spool_size"])
    keep = keep_seconds(options["keep"])
    ring = (count(options["queue"], _OWNER, "queue"), size(options["queue_bytes"], _OWNER, "queue_bytes"))
    folder = options["spool"] or os.environ.get(VARIABLE)

    if folder:
        return Settings(
            _folder(folder), destination, room, policy, waits if policy.waits else 0.0, durability, sends, ring, keep
        )

    if not sends:
        raise ConfigError(_OWNER, "send", options["send"], "what is not sent is spooled; name a directory as spool")

    return None


def keep_seconds(value: object) -> float:
    """Read how long records are kept that cannot be sent; 0 for as long as there is room.

    Raises:
        ConfigError: it is no length of time, or nothing.
    """
    if value is None:
        return 0.0

    seconds = duration(value, _OWNER, "keep")

    if not seconds:
        raise ConfigError(_OWNER, "keep", value, 'give more than nothing, as "7 days", or leave it out')

    return seconds


def own_directory(folder: Path, destination: Destination, sender: Sender) -> None:
    """Note that a sender uses a directory; one of another destination that is no longer in use lets go of it.

    The same address with another token is another destination: one's records must not go out in the other's name,
    and what is left of a token that was withdrawn goes out with the new one.

    Raises:
        ConfigError: another destination uses it.
    """
    users = _directories.setdefault(folder.resolve(), {})

    for key, (its, other) in tuple(users.items()):
        if its == destination:
            continue

        if other.in_use:
            differs = "" if its.url != destination.url else " with other options"
            remedy = f"it belongs to the handler for {its.url}{differs}; give each destination a directory of its own"
            raise ConfigError(_OWNER, "spool", str(folder), remedy)

        del users[key]
        other.retire()

    users[id(sender)] = (destination, sender)


def _folder(value: object) -> Path:
    path = Path(text(value, _OWNER, "spool")).expanduser().absolute()

    if path.exists() and not path.is_dir():
        raise ConfigError(_OWNER, "spool", value, "there is a file of that name; give a directory")

    return path


def _room(value: object) -> int:
    room = size(value, _OWNER, "spool_size")

    if room < SMALLEST:
        raise ConfigError(_OWNER, "spool_size", value, f"give {SMALLEST // 1024} KiB at least")

    return room
