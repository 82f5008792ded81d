"""`loghub files`: what a log consists of, and what its retention would delete."""

import json
import sys
import time
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from loghub.cli.survey import Surveyed, survey
from loghub.errors import ConfigError, require
from loghub.event.model import format_time
from loghub.handlers.retention import Retention, expired, parse_retention, prune
from loghub.readable import is_terminal
from loghub.segments import Segment, segments

if TYPE_CHECKING:
    from rich.table import Table

_OWNER = "loghub files"
_UNITS = ("B", "kB", "MB", "GB", "TB")
_STEP = 1000
_PIPE_WIDTH = 500
"""No name is folded where no terminal is; rich takes 80 columns then."""


@click.command("files")
@click.argument("log", metavar="FILE", type=click.Path(path_type=Path, dir_okay=False))
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.option("--prune", "prunes", is_flag=True, help="Delete the segments that the options below do not keep.")
@click.option("--dry-run", is_flag=True, help="With --prune: show them, and delete nothing.")
@click.option("--keep", metavar="TIME", help='Age up to which segments are kept, as "14 days".')
@click.option("--keep-files", metavar="N", help="How many segments are kept.")
@click.option("--keep-total", metavar="SIZE", help='Bytes that the log and its segments may take, as "5 GB".')
@click.option("--keep-free", metavar="SIZE", help='Bytes of the disk that segments leave free, as "1 GB".')
def command(log: Path, *, as_json: bool, prunes: bool, dry_run: bool, **kept: str | None) -> None:
    """List the files of a log: the segments it was rolled over to, oldest first, and FILE itself.

    Each with the times of its first and last event, its size and its lines. Nothing but FILE and its
    segments is looked at, or deleted.
    """
    retention = parse_retention(
        kept["keep"], kept["keep_files"], _OWNER, keep_total=kept["keep_total"], keep_free=kept["keep_free"]
    )
    log = log.absolute()
    _check(log, retention, prunes=prunes, dry_run=dry_run)

    if prunes:
        _prune(log, retention, dry_run=dry_run, as_json=as_json)
    else:
        _list(log, as_json=as_json)


def _check(log: Path, retention: Retention, *, prunes: bool, dry_run: bool) -> None:
    """Refuse what makes no sense, before anything is deleted."""
    if prunes and not retention:
        raise ConfigError(
            _OWNER, "--prune", True, "say what is kept: --keep, --keep-files, --keep-total or --keep-free"
        )

    if retention and not prunes:
        raise ConfigError(_OWNER, "--keep…", True, "these go with --prune; add --dry-run to see what would be deleted")

    if dry_run and not prunes:
        raise ConfigError(_OWNER, "--dry-run", True, "it goes with --prune")

    if not log.is_file() and not segments(log):
        raise ConfigError(_OWNER, "FILE", str(log), "there is no such log, and no segment of it")


def _list(log: Path, *, as_json: bool) -> None:
    found = list(survey(log))

    if as_json:
        click.echo(json.dumps({"files": [_as_json(one) for one in found]}, indent=2))
        return

    width = None if is_terminal(sys.stdout) else _PIPE_WIDTH
    require("rich.console", _OWNER, "cli").Console(width=width).print(_table(found))

    for one in found:
        if one.damage:
            click.echo(f"{one.path.name} is damaged after line {one.lines}: {one.damage}", err=True)


def _as_json(one: Surveyed) -> dict[str, Any]:
    times = {"rolled": one.rolled and one.rolled.isoformat(), "first": _time(one.first_us), "last": _time(one.last_us)}
    fields = {key: value for key, value in asdict(one).items() if key not in ("rolled", "first_us", "last_us")}
    return {**fields, "path": str(one.path), **times}


def _time(time_us: int | None) -> str | None:
    return None if time_us is None else format_time(time_us)


def _table(found: Sequence[Surveyed]) -> "Table":
    table: Table = require("rich.table", _OWNER, "cli").Table(box=None, pad_edge=False)

    for title in ("file", "first event", "last event", "size", "lines"):
        counts = title in ("size", "lines")
        table.add_column(title, justify="right" if counts else "left", no_wrap=title != "file", overflow="fold")

    for one in found:
        lines = f"{one.lines:,}" + (" damaged" if one.damage else "")
        table.add_row(one.path.name, _moment(one.first_us), _moment(one.last_us), _size(one.size), lines)

    if len(found) > 1:
        table.add_row(
            f"{len(found)} files", "", "", _size(sum(f.size for f in found)), f"{sum(f.lines for f in found):,}"
        )

    return table


def _moment(time_us: int | None) -> str:
    return "" if time_us is None else format_time(time_us)[:19].replace("T", " ") + "Z"


def _size(number: float) -> str:
    """Write bytes for people.

    >>> _size(1_500_000)
    '1.5 MB'
    """
    for unit in _UNITS:
        if number < _STEP or unit == _UNITS[-1]:
            break

        number /= _STEP

    return f"{number:.0f} {unit}" if unit == "B" else f"{number:.1f} {unit}"


def _prune(log: Path, retention: Retention, *, dry_run: bool, as_json: bool) -> None:
    now = time.time()
    found = expired(log, retention, now)
    before = len(segments(log))
    gone = [str(segment.path) for segment in found] if dry_run else [str(path) for path in prune(log, retention, now)]
    held = [] if dry_run else [segment for segment in found if segment.path.exists()]

    if as_json:
        click.echo(json.dumps({"dry_run": dry_run, "deleted": gone, "held": [str(s.path) for s in held]}, indent=2))
        return

    for path in gone:
        click.echo(path)

    would = "would be" if dry_run else "are"
    size = _sum(segment for segment in found if segment not in held)
    click.echo(f"{len(found) - len(held)} of {before} segments, {size}, {would} deleted.", err=True)

    for segment in held:
        click.echo(f"{segment.path.name} stays: a process still writes to it.", err=True)


def _sum(found: Iterable[Segment]) -> str:
    return _size(sum(segment.size for segment in found))
