"""`loghub ship`: a process beside an application that only writes, which sends what it has written."""

import os
import signal
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import click

from loghub.cli.destination import destination, to_a_hub
from loghub.errors import ConfigError
from loghub.handlers.log_supply import LogSupply, state_of
from loghub.handlers.own_noise import delivering
from loghub.handlers.remote_options import URL_VARIABLE, carrier, load
from loghub.handlers.shipping import Stop, Supply, ship
from loghub.handlers.spool import Settings, Spool
from loghub.handlers.spool.owner import read_meta
from loghub.options import duration
from loghub.reading.sets import logs_among
from loghub.wire.report import Report

_OWNER = "loghub ship"
_LOGS = ("*.jsonl", "*.json", "*.log")
_EVERY = 1.0  # seconds between two looks for what has been left in a spool
_FORMAT = "v1"


@click.command("ship")
@click.argument("paths", type=click.Path(path_type=Path), nargs=-1, required=True, metavar="DIR|FILE...")
@click.option("--once", is_flag=True, help="Send what is there and end.")
@click.option("--patience", metavar="TIME", help="End with status 1 after so long without success.")
@click.option("--state", type=click.Path(path_type=Path), help="Where it is remembered how far files were read.")
@to_a_hub
@click.pass_context
def command(
    context: click.Context,
    /,
    paths: tuple[Path, ...],
    *,
    once: bool,
    patience: str | None,
    state: Path | None,
    **options: Any,  # noqa: ANN401 (click gives them)
) -> None:
    """Send what an application has written to a hub: spools and log files.

    DIR is the spool of a RemoteHandler with `send: false`, or a directory of log files; FILE is a log, which is
    followed across its rotations. Each line has one effect at the hub, however often this is ended and begun again.
    """
    if options["url"] is None and not os.environ.get(URL_VARIABLE):
        options["url"] = _url_of_spools(paths)

    place = destination(options, _OWNER)
    load(place)
    waits = float("inf") if patience is None else duration(patience, _OWNER, "--patience")
    post = carrier(place, lambda _: Report())
    find = _Finder(paths, place.url, state)
    stop = Stop()

    for name in (signal.SIGTERM, signal.SIGINT):
        signal.signal(name, lambda *_: stop.set())

    try:
        find()
        click.echo(f"Sending to {place.url}")

        for path in paths:
            if not path.exists():
                click.echo(f"{path} is not there yet", err=True)

        with delivering():
            done = ship(find, post, stop, once=once, patience=waits)
    finally:
        post.close()
        find.close()

    context.exit(0 if done or stop.is_set() else 1)


class _Finder:
    """Finds what there is to send, again and again: logs may come."""

    def __init__(self, paths: Sequence[Path], url: str, state: Path | None) -> None:
        self._url = url
        self._state = state
        self._found: dict[Path, Supply] = {}
        self._paths = paths

    def __call__(self) -> list[Supply]:
        """Give all of them. A directory may come after us, or be empty at first: it is what it turns out to be."""
        for path in self._paths:
            if not path.is_dir():
                self._add(path, self._log)
            elif isinstance(self._found.get(path), LogSupply):  # there was nothing of that name
                self._found.pop(path).close()

            if (path / _FORMAT).is_dir():
                self._add(path, self._spool)
            elif path.is_dir() and path not in self._found:
                for log in logs_among(sorted(file for name in _LOGS for file in path.glob(name))):
                    self._add(log, self._log)

        return list(self._found.values())

    def close(self) -> None:
        """Let go of all."""
        for supply in self._found.values():
            supply.tend()
            supply.close()

    def _add(self, path: Path, make: Callable[[Path], Supply]) -> None:
        if path not in self._found:
            self._found[path] = make(path)

    def _log(self, path: Path) -> Supply:
        return LogSupply(path, state_of(path, self._url, self._state))

    def _spool(self, path: Path) -> Supply:
        return Spool(Settings(path, self._url, adopt_every=_EVERY))


def _url_of_spools(paths: Sequence[Path]) -> str | None:
    """Give the address that the records in spools are meant for, if they name one and no other."""
    urls = {read_meta(folder).destination for path in paths for folder in (path / _FORMAT).glob("*")} - {""}

    if len(urls) > 1:
        remedy = f"these spools were written for {', '.join(sorted(urls))}; say which hub gets them"
        raise ConfigError(_OWNER, "--url", None, remedy)

    return next(iter(urls), None)
