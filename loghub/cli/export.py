"""`loghub export`: all events of a hub that match, in a file.

Rules:
1. It writes to `FILE.part`, which gets its real name when it is whole.
2. A broken connection is taken up again behind the last whole event; so is, with --resume, an export of before.
   That goes for ndjson without an archive, whose lines say where they are; other formats begin anew.
"""

import os
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any, BinaryIO

import click

from loghub.cli.hub_source import TOKEN, hub_at
from loghub.cli.printing import INTERRUPTED
from loghub.cli.sources import warn
from loghub.client import Hub
from loghub.errors import ConfigError, HubError, require
from loghub.event.encode import decode

_OWNER = "loghub export"
_FORMATS = {".ndjson": "ndjson", ".jsonl": "ndjson", ".csv": "csv", ".txt": "text", ".parquet": "parquet"}
_ARCHIVES = {".gz": "gz", ".zip": "zip"}
_FILE = click.Path(path_type=Path, dir_okay=False)
_KIND = click.Choice(sorted(set(_FORMATS.values())))
_TRIES = 5
_PAUSE_S = 1.0
_LAST_LINE = 4 * 2**20  # a hub takes lines of 1 MiB


@click.command("export")
@click.argument("query")
@click.argument("url")
@click.option(
    "-o", "--output", "target", type=click.Path(path_type=Path, dir_okay=False), help="Where to; stdout by default."
)
@click.option(
    "--format", "kind", type=click.Choice(sorted(set(_FORMATS.values()))), help="By the file's name by default."
)
@click.option("--archive", type=click.Choice(["none", "gz", "zip"]), help="By the file's name by default.")
@click.option("--from", "since", metavar="TIME", help='The time at which it begins, as "-1d" or RFC 3339.')
@click.option("--to", "until", metavar="TIME", help="The time before which it ends.")
@click.option("--resume", is_flag=True, help="Go on with a file that was not finished.")
@TOKEN
def command(query: str, url: str, target: Path | None, token: str | None, **options: Any) -> None:  # noqa: ANN401 (click)
    """Write all events of a hub that match to a file.

    The query is the viewer's; "| fields a, b" behind it chooses columns. The file's name says the format:
    events.ndjson, events.csv.gz, events.zip, events.parquet.
    """
    kind, archive = _shape(target, options["kind"], options["archive"])
    asked = {"query": query, "from": options["since"], "to": options["until"], "format": kind, "archive": archive}

    with hub_at(url, token) as hub:
        try:
            if target is None:
                _write_out(hub, asked)
            else:
                _Export(hub, asked, target, resume=options["resume"]).run()
        except KeyboardInterrupt:
            raise SystemExit(INTERRUPTED) from None


def _shape(target: Path | None, kind: str | None, archive: str | None) -> tuple[str, str]:
    """Give format and archive, as they were asked for or as the file's name says them."""
    suffixes = target.suffixes if target else []
    packed = _ARCHIVES.get(suffixes[-1], "none") if suffixes else "none"
    inner = suffixes[-2:-1] if packed != "none" else suffixes[-1:]
    return kind or _FORMATS.get(inner[0] if inner else "", "ndjson"), archive or packed


def _write_out(hub: Hub, asked: dict[str, str | None]) -> None:
    try:
        for piece in hub.export(asked):
            sys.stdout.buffer.write(piece)

        sys.stdout.buffer.flush()
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


class _Export:
    """One export into a file."""

    def __init__(self, hub: Hub, asked: dict[str, str | None], target: Path, *, resume: bool) -> None:
        self._hub = hub
        self._asked = asked
        self._target = target
        self._part = target.with_name(target.name + ".part")
        self._can_resume = asked["format"] == "ndjson" and asked["archive"] == "none"
        self._count_lines = asked["archive"] == "none" and asked["format"] in ("ndjson", "csv")

        if resume and not self._can_resume:
            raise ConfigError(_OWNER, "--resume", str(target), "only ndjson without an archive can be taken up again")

        if target.exists():
            raise ConfigError(_OWNER, "--output", str(target), "choose another name: this file is there already")

        if not resume:
            self._part.unlink(missing_ok=True)

    def run(self) -> None:
        """Write the file, and show how far it is."""
        progress = require("rich.progress", _OWNER, "cli")
        console = require("rich.console", _OWNER, "cli").Console(stderr=True)
        total = self._hub.count(_filter(self._asked), since=self._asked["from"], until=self._asked["to"])
        columns = (
            progress.TextColumn("{task.description}"),
            progress.BarColumn(),
            progress.TextColumn("{task.completed:,.0f} of {task.total:,.0f} events"),
            progress.TextColumn("{task.fields[size]}"),
            progress.TimeElapsedColumn(),
        )

        with progress.Progress(*columns, console=console) as bar:
            task = bar.add_task(self._target.name, total=total, size="")

            with self._part.open("a+b") as file:
                for events in self._filled(file):
                    bar.update(task, advance=events if self._count_lines else 0, size=_size(file.tell()))

            bar.update(task, completed=total)

        self._part.rename(self._target)

    def _filled(self, file: BinaryIO) -> Iterator[int]:
        """Write until the file is whole; give the lines of each piece."""
        for attempt in range(1, _TRIES + 1):
            cursor = _cut(file) if self._can_resume else None

            if cursor is None:
                file.truncate(0)

            try:
                for piece in self._hub.export({**self._asked, "cursor": cursor}):
                    file.write(piece)
                    yield piece.count(b"\n")
            except HubError as error:
                if error.status is not None or attempt == _TRIES:
                    raise

                warn(f"{error}: trying again")
                time.sleep(_PAUSE_S)
            else:
                return


def _cut(file: BinaryIO) -> str | None:
    """Cut off a line without an end; give the id of the last event."""
    size = file.seek(0, os.SEEK_END)
    start = file.seek(max(0, size - _LAST_LINE))
    text = file.read()
    whole = text.rfind(b"\n") + 1
    file.truncate(start + whole)
    file.seek(0, os.SEEK_END)
    last = text[:whole].rstrip(b"\n").rpartition(b"\n")[2]

    with suppress(ValueError):
        return str(decode(last)["_id"])

    return None


def _filter(asked: dict[str, str | None]) -> str:
    """Give the query without its stage."""
    from loghub.query.stages import parse_stages  # noqa: PLC0415 (only where there is a bar to fill)

    return str(parse_stages(asked["query"] or "")[0])


def _size(count: int) -> str:
    return f"{count / 1e6:,.1f} MB"
