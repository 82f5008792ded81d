"""FLOOR 5. The `loghub` command.

Only `main` stands here. Everything else is loaded when a command runs, so that a missing
extra ends in a sentence and not in a traceback.
"""

import sys
from importlib import import_module

from loghub.errors import LoghubError, require


def main() -> None:
    """Run the command. What loghub refuses is one line on stderr and exit status 2."""
    try:
        require("click", "the loghub command", "cli")
        import_module("loghub.cli.commands").loghub.main(prog_name="loghub")
    except LoghubError as error:
        print(f"loghub: {error}", file=sys.stderr)  # noqa: T201 (click may be missing)
        sys.exit(2)
