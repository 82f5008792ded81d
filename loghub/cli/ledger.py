"""`loghub sources`: who sends to a hub, and what is missing, to the record."""

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import click

from loghub.cli.hub_source import TOKEN, hub_at
from loghub.errors import require

if TYPE_CHECKING:
    from rich.table import Table

_OWNER = "loghub sources"
_DEFAULT = "http://127.0.0.1:8514"
_COUNTS = ("sent", "acked", "queued", "retried", "dead", "dropped")
_SHORT = 6  # digits of a source's random end by which people tell it from others


@click.command("sources")
@click.argument("url", envvar="LOGHUB_URL", default=_DEFAULT)
@TOKEN
@click.option("--limit", type=click.IntRange(1, 5000), default=1000, help="How many, those that were seen last first.")
@click.option("--json", "as_json", is_flag=True, help="Print what the hub answers, as JSON.")
def command(url: str, token: str | None, limit: int, *, as_json: bool) -> None:
    """Show who sends to a hub, and what is missing.

    It asks the hub at URL what became of the records of each process, exactly.
    A "?" stands for what nobody has told the hub.
    """
    with hub_at(url, token) as hub:
        sources: Any = hub.get("sources", {"limit": str(limit)})["sources"]

    if as_json:
        click.echo(json.dumps({"sources": sources}, indent=2))
        return

    if not sources:
        click.echo("Nobody has sent anything yet.")
        return

    require("rich.console", _OWNER, "cli").Console().print(_table(sources, datetime.now(UTC)))

    for source in sources:
        for gap in source["gaps"]:
            click.echo(_sentence(source, gap))


def _table(sources: list[dict[str, Any]], now: datetime) -> "Table":
    table: Table = require("rich.table", _OWNER, "cli").Table(box=None, pad_edge=False)

    for name in ("service", "host", "process", "source"):
        table.add_column(name, overflow="fold")

    for name in (*_COUNTS, "lost", "last seen", "skew"):
        table.add_column(name, justify="right", no_wrap=True)

    for source in sources:
        lost = sum(gap["count"] for gap in source["gaps"])
        table.add_row(
            *(_text(source[name]) for name in ("service", "hostname", "process")),
            source["source"][-_SHORT:],
            *(_text(source[name]) for name in _COUNTS),
            f"[bold red]{lost}[/]" if lost else "0",
            _age(source["last_seen"], now),
            _skew(source["skew_ms"]),
        )

    return table


def _text(value: object) -> str:
    escape = require("rich.markup", _OWNER, "cli").escape
    return "?" if value is None else str(escape(_calm(value)))


def _calm(value: object) -> str:
    """Show a text that somebody sent: nothing in it moves the cursor."""
    return "".join(letter if letter.isprintable() else ascii(letter)[1:-1] for letter in str(value))


def _age(moment: str, now: datetime) -> str:
    seconds = max(int((now - datetime.fromisoformat(moment)).total_seconds()), 0)

    for unit, length in (("d", 86_400), ("h", 3_600), ("min", 60)):
        if seconds >= 2 * length:
            return f"{seconds // length} {unit} ago"

    return f"{seconds} s ago"


def _skew(milliseconds: int | None) -> str:
    return "?" if milliseconds is None else f"{milliseconds:+d} ms"


def _sentence(source: dict[str, Any], gap: dict[str, Any]) -> str:
    who = " on ".join(_calm(source[name]) for name in ("service", "hostname") if source[name])
    numbers = f"{gap['first']}" if gap["count"] == 1 else f"{gap['first']} to {gap['last']}"
    return (
        f"{source['source'][-_SHORT:]} ({who or 'unnamed'}, process {source['process'] or '?'}) lost {gap['count']}"
        f" between {gap['from']} and {gap['to']}: numbers {numbers}"
    )
