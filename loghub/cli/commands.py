"""The table of commands. A command's module is loaded when the command is asked for, or help is."""

from importlib import import_module, metadata
from typing import cast

import click

_COMMANDS = {
    "check": "loghub.cli.check",
    "dead": "loghub.cli.dead",
    "demo": "loghub.cli.demo",
    "export": "loghub.cli.export",
    "files": "loghub.cli.files",
    "search": "loghub.cli.search",
    "serve": "loghub.cli.serve",
    "ship": "loghub.cli.ship",
    "sources": "loghub.cli.ledger",
    "store": "loghub.cli.store",
    "tail": "loghub.cli.tail",
}


class _Commands(click.Group):
    """A group whose commands live in modules of their own, each under the name `command`."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        del ctx
        return sorted(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        del ctx

        if cmd_name not in _COMMANDS:
            return None

        return cast("click.Command", import_module(_COMMANDS[cmd_name]).command)


def _print_version(ctx: click.Context, _parameter: click.Parameter, asked: bool) -> None:  # noqa: FBT001 (click's signature)
    if asked:
        click.echo(f"loghub {_version()}")
        ctx.exit()


def _version() -> str:
    try:
        return metadata.version("loghub")
    except metadata.PackageNotFoundError:
        return "(not installed: run from its source)"


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"], "show_default": True})
@click.option(
    "--version",
    is_flag=True,
    expose_value=False,
    is_eager=True,
    callback=_print_version,
    help="Print the version.",
)
def loghub() -> None:
    """Collect, store, search and show what Python's logging says."""
