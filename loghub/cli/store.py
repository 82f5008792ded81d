"""`loghub store`: a hub's data directory, looked at and worked on while no hub has it open."""

import json
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

import click

from loghub.errors import ConfigError, DirectoryInUseError, LoghubError, StoreError, require
from loghub.event.model import format_time
from loghub.query.parse import parse
from loghub.query.predicate import predicate
from loghub.query.times import parse_moment

if TYPE_CHECKING:
    from rich.table import Table

    from loghub.hub.store.duck import DuckStore

_OWNER = "loghub store"
_DAMAGED = 1
_EVER = 2**61
_DIR = click.argument("data", metavar="DIR", type=click.Path(path_type=Path))
_JSON = click.option("--json", "as_json", is_flag=True, help="Print JSON.")


_INSTEAD = {
    "check": "stop it first; while it runs, it names the files that it cannot read: curl URL/api/v1/stats",
    "repair": "stop it first",
    "stats": "ask it, curl URL/api/v1/stats, or stop it first",
    "export": "ask it, loghub export QUERY URL, or stop it first",
    "import": "stop it first",
    "delete": "ask it, curl -X DELETE 'URL/api/v1/events?query=QUERY', or stop it first",
}
"""What to do where a hub runs there."""


class _Commands(click.Group):
    """Commands that want a directory for themselves."""

    def invoke(self, context: click.Context) -> object:
        try:
            return super().invoke(context)
        except DirectoryInUseError as error:
            what = _INSTEAD[context.invoked_subcommand or ""]
            raise StoreError(f"{error.directory} is in use by a hub (process {error.owner}): {what}") from error


@click.group("store", cls=_Commands)
def command() -> None:
    """Check, repair, copy or thin out the data directory DIR of a hub that is not running.

    DIR is what `loghub serve` has as --data. A running hub is asked instead: GET /api/v1/stats,
    DELETE /api/v1/events, loghub export.
    """
    for module in ("duckdb", "re2", "starlette"):
        require(module, _OWNER, "hub")


@command.command("check")
@_DIR
@_JSON
def _check(data: Path, *, as_json: bool) -> None:
    """Read all of it, and say what is damaged; exit status 1 where something is. It changes nothing."""
    from loghub.hub.store.check import check  # noqa: PLC0415 (needs the extra that was looked for above)

    found = check(data)

    if as_json:
        findings = [{"path": str(each.path), "text": each.text, "is_damage": each.is_damage} for each in found.findings]
        sums = {"is_sound": found.is_sound, "events": found.events, "parts": found.parts, "frames": found.frames}
        click.echo(json.dumps(sums | {"findings": findings}, indent=2))
    else:
        for each in found.findings:
            click.echo(f"{'DAMAGED' if each.is_damage else 'note'}  {each.path}: {each.text}")

        click.echo(f"{found.events} events in {found.parts} sealed files and {found.frames} frames of the log")

    if not found.is_sound:
        raise SystemExit(_DAMAGED)


@command.command("repair")
@_DIR
def _repair(data: Path) -> None:
    """Set aside what is damaged, in DIR/damaged, and say what is lost by it."""
    from loghub.hub.store.repair import repair  # noqa: PLC0415 (as above)

    done = repair(data)

    for path, events in done.aside.items():
        lost = "" if events is None else f": {events} events at most are lost"
        click.echo(f"set aside as {path}{lost}")

    click.echo(
        f"{done.events} events are there" if done.aside else f"Nothing is damaged, {done.events} events are there"
    )


@command.command("stats")
@_DIR
@_JSON
def _stats(data: Path, *, as_json: bool) -> None:
    """Say how much there is, and list the parts."""
    with _opened(data) as store:
        stats, parts = store.stats(), sorted(store.parts, key=lambda part: part.extent.first)
        sources = len(store.accounts())

    room = stats.room
    used = room.sealed + room.log if room else 0
    rows: list[dict[str, str | int]] = [
        {
            "file": part.path.name if part.path else "(log)",
            "events": part.extent.count,
            "bytes": part.size,
            "oldest": format_time(part.extent.min_us),
            "newest": format_time(part.extent.max_us),
            "received": format_time(part.extent.received_us),
        }
        for part in parts
        if part.extent.count
    ]
    sums = {"events": stats.events, "bytes": used, "log_bytes": room.log if room else 0, "sources": sources}

    if as_json:
        click.echo(json.dumps(sums | {"parts": rows}, indent=2))
        return

    click.echo(f"{stats.events} events of {sources} sources in {len(rows)} parts, {used} bytes")

    if rows:
        require("rich.console", _OWNER, "cli").Console().print(_table(rows))


def _table(rows: list[dict[str, str | int]]) -> "Table":
    table: Table = require("rich.table", _OWNER, "cli").Table(box=None, pad_edge=False)

    for name in rows[0]:
        table.add_column(name, justify="right" if name in ("events", "bytes") else "left", overflow="fold")

    for row in rows:
        table.add_row(*map(str, row.values()))

    return table


@command.command("export")
@_DIR
@click.option("-o", "--output", type=click.File("wb"), default="-", help="The file; standard output without it.")
@click.option("-q", "--query", default="", help="Only events that match.")
def _export(data: Path, output: BinaryIO, query: str) -> None:
    """Write all events as NDJSON, in order of arrival, with their ids and when they were received."""
    from loghub.hub.store.transfer import export_lines  # noqa: PLC0415 (as above)

    matches = predicate(parse(query), now_us=_now_us())
    count = 0

    with _opened(data) as store:
        for line in export_lines(store, matches):
            output.write(line)
            count += 1

    output.flush()
    click.echo(f"{count} events", err=True)


@command.command("import")
@_DIR
@click.argument("files", nargs=-1, type=click.File("rb"), metavar="[FILE]...")
def _import(data: Path, files: tuple[BinaryIO, ...]) -> None:
    """Store what `loghub store export` wrote; standard input without a FILE. DIR is made where it is missing.

    Doing it again has no second effect. Where DIR has had later events of a source, earlier ones are passed over:
    so import into it before the source sends to it.
    """
    from loghub.hub.store.repair import open_as_it_is  # noqa: PLC0415 (as above)
    from loghub.hub.store.transfer import import_lines  # noqa: PLC0415 (as above)

    store = open_as_it_is(data)

    try:
        for file in files or (sys.stdin.buffer,):
            done = import_lines(store, file)
            click.echo(f"{done.accepted} events are stored now{_passed_over(done.duplicate)}")
    except OSError as error:
        raise LoghubError(f"{_OWNER} import: {error}: make room, and import the same again") from error
    finally:
        store.close()


def _passed_over(count: int) -> str:
    return f"; {count} were passed over, since it has had them or later ones of their source" if count else ""


@command.command("delete")
@_DIR
@click.argument("query")
@click.option("--from", "start", metavar="TIME", help='Only events from then on, as "2026-11-22" or "-7d".')
@click.option("--to", "end", metavar="TIME", help="Only events before.")
@click.option("--dry-run", is_flag=True, help="Count them, and delete nothing.")
@click.option("--yes", is_flag=True, help="Do not ask.")
def _delete(data: Path, query: str, start: str | None, end: str | None, *, dry_run: bool, yes: bool) -> None:
    """Delete the events that match, for good; "" matches all."""
    from loghub.hub.store.protocol import Span  # noqa: PLC0415 (as above)

    tree, now_us = parse(query), _now_us()
    span = Span(_moment(start, "--from", now_us, -_EVER), _moment(end, "--to", now_us, _EVER))

    with _opened(data) as store:
        count = store.total(tree, span, now_us=now_us)

        if dry_run:
            click.echo(f"{count} events match")
            return

        if count and not yes:
            click.confirm(f"Delete {count} events for good?", abort=True)

        click.echo(f"{store.delete(tree, span, now_us=now_us)} events were deleted")


def _moment(text: str | None, option: str, now_us: int, otherwise: int) -> int:
    if text is None:
        return otherwise

    try:
        return parse_moment(text, now_us)
    except ValueError as error:
        raise ConfigError(f"{_OWNER} delete", option, text, f"give a time, as 2026-11-22 or -7d: {error}") from error


@contextmanager
def _opened(data: Path) -> Iterator["DuckStore"]:
    """Open a store that is there."""
    from loghub.hub.store.check import hold_existing  # noqa: PLC0415 (needs the extra)
    from loghub.hub.store.repair import open_as_it_is  # noqa: PLC0415 (the same)

    hold_existing(data).release()
    store = open_as_it_is(data)

    try:
        yield store
    finally:
        store.close()


def _now_us() -> int:
    return time.time_ns() // 1000
