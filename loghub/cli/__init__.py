"""FLOOR 5. The `loghub` command.

Only `main` stands here. Everything else is loaded when a command runs, so that a missing
extra ends in a sentence and not in a traceback.
"""

import sys
from importlib import import_module

from loghub.errors import LoghubError, QuerySyntaxError, require


def main() -> None:
    """Run the command. What loghub refuses is said on stderr, of a query with its place; exit status 2."""
    try:
        require("click", "the loghub command", "cli")
        import_module("loghub.cli.commands").loghub.main(prog_name="loghub")
    except LoghubError as error:
        print(f"loghub: {_place(error)}{error}", file=sys.stderr)  # noqa: T201 (click may be missing)
        sys.exit(2)


def _place(error: LoghubError) -> str:
    """Give a query that cannot be read with a mark below the place, and nothing for another error."""
    if not isinstance(error, QuerySyntaxError):
        return ""

    text = "".join(character if character.isprintable() else " " for character in error.query)
    return f"{text}\n{' ' * (len('loghub: ') + error.position)}^\n"
