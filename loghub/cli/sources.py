"""What a command reads from: files, or a hub where an address is given."""

import sys
from collections.abc import Sequence
from pathlib import Path

from loghub.errors import ConfigError
from loghub.reading.sets import files_of, logs_among

_SCHEMES = ("http://", "https://")


def is_address(source: str) -> bool:
    """Tell whether a source is the address of a hub."""
    return source.startswith(_SCHEMES)


def hub_among(sources: Sequence[str], owner: str) -> str | None:
    """Give the address of the hub that a command reads from; None where it reads files.

    Raises:
        ConfigError: there is a hub beside other sources.
    """
    hubs = [source for source in sources if is_address(source)]

    if hubs and len(sources) > 1:
        raise ConfigError(owner, "FILE", hubs[0], "give files, or the address of one hub alone")

    return hubs[0] if hubs else None


def logs_of(sources: Sequence[str], owner: str, *, may_come: bool = False) -> list[Path]:
    """Give the logs among the files; the rotated files of one count as part of it.

    Args:
        sources: as they were typed.
        owner: the command, for errors.
        may_come: whether a log may begin to exist later.

    Raises:
        ConfigError: there is no such log.
    """
    logs = logs_among([Path(source) for source in sources])

    for log in logs:
        if not files_of(log) and not may_come:
            raise ConfigError(owner, "FILE", str(log), "give a log that exists")

        if log.is_dir():
            raise ConfigError(owner, "FILE", str(log), f'give files, as "{log}/*.jsonl"')

    return logs


def warn(text: str) -> None:
    """Say something beside the output."""
    print(f"loghub: {text}", file=sys.stderr, flush=True)  # noqa: T201 (a command speaks)
