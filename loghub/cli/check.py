"""`loghub check`: what is wrong with a configuration, and where a record arrives."""

import os
from pathlib import Path

import click

from loghub.cli.trial import errors_in, try_out
from loghub.config import load
from loghub.options import duration


@click.command("check")
@click.argument("config", type=click.Path(path_type=Path))
@click.option("--dry-run", is_flag=True, help="Only look for mistakes: open no file, send nothing.")
@click.option("--wait", default="10 s", metavar="TIME", help="How long to wait for a hub.")
@click.pass_context
def command(context: click.Context, config: Path, *, dry_run: bool, wait: str) -> None:
    """Check a configuration and send one test record through each of its handlers.

    CONFIG is a file as loghub.configure takes it: .yaml, .yml, .toml or .json. Exit status: 0 where all is well, 1
    where something is wrong.
    """
    seconds = duration(wait, "loghub check", "--wait")
    filled = load(config)
    errors = errors_in(filled, dry=dry_run)

    for error in errors:
        click.echo(f"error  {error}", err=True)

    if errors:
        context.exit(1)

    if dry_run:
        click.echo(f"{os.fspath(config)} has no mistakes")
        return

    outcomes = list(try_out(filled, seconds))
    width = max((len(outcome.handler) for outcome in outcomes), default=0)

    for outcome in outcomes:
        click.echo(f"{'ok' if outcome.is_good else 'failed':6} {outcome.handler:{width}}  {outcome.what}")

    context.exit(0 if all(outcome.is_good for outcome in outcomes) else 1)
