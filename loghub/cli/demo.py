"""`loghub demo`: a hub and a small shop whose logs it shows."""

from pathlib import Path

import click

from loghub.errors import require
from loghub.options import duration

_NEEDS = (("httpx", "remote"), ("uvicorn", "hub"), ("starlette", "hub"), ("yaml", "cli"), ("rich", "cli"))


@click.command("demo")
@click.option("--port", type=click.IntRange(0, 65535), default=8514, help="Where the hub listens; 0 takes a free port.")
@click.option("--for", "length", metavar="TIME", help='How long it runs, as "30s" or "5 min"; until Ctrl-C by default.')
@click.option("--data", type=click.Path(path_type=Path), help="Keep what the hub stores here; thrown away by default.")
@click.option("--no-browser", is_flag=True, help="Do not open the browser.")
def command(port: int, length: str | None, data: Path | None, *, no_browser: bool) -> None:
    """Show a shop of three services whose logs arrive in a hub, live.

    The shop's whole logging is one YAML file, which is printed for copying.
    """
    seconds = None if length is None else duration(length, "loghub demo", "--for")

    for module, extra in _NEEDS:
        require(module, "loghub demo", extra)

    from loghub.demo.run import Options, run  # noqa: PLC0415 (needs the extras that were looked for above)

    raise SystemExit(run(Options(port=port, seconds=seconds, data=data, browser=not no_browser)))
