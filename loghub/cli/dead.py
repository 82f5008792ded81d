"""`loghub dead`: the records that a hub refused for good, as a spool keeps them."""

import datetime as dt
import json
from collections import Counter
from pathlib import Path
from typing import Any

import click

from loghub.cli.destination import destination, to_a_hub
from loghub.errors import LoghubError
from loghub.handlers.own_noise import delivering
from loghub.handlers.remote_options import carrier, load
from loghub.handlers.replay import replay
from loghub.handlers.spool.dead import DeadRecord, dead_records, purge
from loghub.options import duration
from loghub.wire.report import Report

_OWNER = "loghub dead"
_DIR = click.argument("spool", type=click.Path(path_type=Path, exists=True, file_okay=False), metavar="DIR")
_ID = click.option("--id", "names", multiple=True, metavar="ID", help="Only this record; may be repeated.")


@click.group("dead")
def command() -> None:
    """Look at the records in DIR that a hub refused for good, send them again, or delete them.

    DIR is the directory that RemoteHandler has as spool.
    """


@command.command("list")
@_DIR
def _list(spool: Path) -> None:
    """List them, one in a line: id, when, why, and how the message begins."""
    reasons: Counter[str] = Counter()

    for record in dead_records(spool):
        reasons[record.reason] += 1
        click.echo(f"{record.id}  {_time(record)}  {record.reason}  {_beginning(record.line)}")

    click.echo(f"{reasons.total()} dead records", err=True)


@command.command("show")
@_DIR
@_ID
def _show(spool: Path, names: tuple[str, ...]) -> None:
    """Print them, as the lines that they are."""
    for record in _chosen(spool, names):
        click.echo(record.line.rstrip(b"\n"))


@command.command("replay")
@_DIR
@_ID
@click.option("--patience", default="1 minute", metavar="TIME", help="How long it may take in all.")
@to_a_hub
def _replay(spool: Path, names: tuple[str, ...], patience: str, **options: Any) -> None:  # noqa: ANN401 (click gives them)
    """Send them again, under a source id of their own; what arrives is deleted here."""
    place = destination(options, _OWNER)
    load(place)
    post = carrier(place, lambda _: Report())

    try:
        with delivering():
            done = replay(
                spool,
                post,
                lambda record: not names or record.id in names,
                patience=duration(patience, _OWNER, "--patience"),
            )
    finally:
        post.close()

    click.echo(f"{done.acked} arrived, {done.refused} were refused again, {done.left} are left")

    if done.refused or done.left:
        raise LoghubError(f"{_OWNER}: {done.reason}")


@command.command("purge")
@_DIR
@_ID
@click.option("--yes", is_flag=True, help="Do not ask.")
def _purge(spool: Path, names: tuple[str, ...], *, yes: bool) -> None:
    """Delete them."""
    count = len(_chosen(spool, names))

    if count and not yes:
        click.confirm(f"Delete {count} records for good?", abort=True)

    gone = purge(spool, lambda record: not names or record.id in names)
    click.echo(f"{gone} deleted")


def _chosen(spool: Path, names: tuple[str, ...]) -> list[DeadRecord]:
    found = [record for record in dead_records(spool) if not names or record.id in names]
    missing = set(names) - {record.id for record in found}

    if missing:
        raise LoghubError(f"{_OWNER}: there is no record {', '.join(sorted(missing))} in {spool}")

    return found


def _time(record: DeadRecord) -> str:
    return dt.datetime.fromtimestamp(record.time, dt.UTC).isoformat(timespec="seconds")


def _beginning(line: bytes) -> str:
    try:
        text = str(json.loads(line)["message"])
    except (ValueError, KeyError, TypeError):
        text = line.decode("utf-8", "replace")

    return json.dumps(text[:60], ensure_ascii=False)  # control characters stay visible
