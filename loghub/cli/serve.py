"""`loghub serve`: a hub. Its options are read here; what they must be is checked by `Settings`."""

from pathlib import Path
from typing import Any

import click

from loghub.errors import ConfigError, require
from loghub.options import duration, size

_OWNER = "loghub serve"
_NEEDS = ("starlette", "uvicorn", "websockets", "duckdb", "re2", "prometheus_client", "zstandard")
_FILE = click.Path(path_type=Path)


@click.command("serve")
@click.option("--data", type=_FILE, help="Where events are kept; the user's data directory by default.")
@click.option("--host", default="127.0.0.1", help="The address to listen on; beyond loopback a token is needed.")
@click.option("--port", type=click.IntRange(0, 65535), default=8514, help="0 takes a free port, and says which.")
@click.option(
    "--token",
    envvar="LOGHUB_TOKEN",
    show_envvar=True,
    show_default=False,
    help="What callers must show. Others can read a command line: prefer the variable or the file.",
)
@click.option("--token-file", type=_FILE, help="A file that holds the token.")
@click.option("--allowed-host", "allowed_hosts", metavar="NAME", multiple=True, help="A further name of this hub.")
@click.option("--prefix", metavar="PATH", default="", help="A path below which it answers too, as /logs: for a proxy.")
@click.option("--tls-cert", type=_FILE, help="A certificate chain; speaks TLS, together with --tls-key.")
@click.option("--tls-key", type=_FILE, help="The certificate's key.")
@click.option("--keep", default="14 days", metavar="TIME", help="How long events are kept.")
@click.option("--keep-size", default="5 GB", metavar="SIZE", help="How much disk they may take.")
@click.option("--keep-free", default="0 B", metavar="SIZE", help="How much of the disk stays free, as '2 GB' or '5 %'.")
@click.option(
    "--keep-query",
    "keep_queries",
    nargs=2,
    multiple=True,
    metavar="QUERY TIME",
    help="How long events that match are kept, as level:debug '1 day'; again for more.",
)
@click.option(
    "--keep-sources",
    default="90 days",
    metavar="TIME",
    help="How long the hub remembers what it has of a silent sender, of more than 100 000.",
)
@click.option("--watch", metavar="PATTERN", multiple=True, help="Log files to read, as 'logs/*.jsonl'; again for more.")
def command(**options: Any) -> None:  # noqa: ANN401 (click gives them by name)
    """Start a hub: it collects, stores, searches and shows.

    Handlers send to it (loghub.RemoteHandler), browsers look at it, both at the printed address.
    """
    for module in _NEEDS:
        require(module, _OWNER, "hub")

    from loghub.hub.server import serve  # noqa: PLC0415 (needs the extra that was looked for above)
    from loghub.hub.settings import Settings, data_directory  # noqa: PLC0415 (the same)
    from loghub.hub.store.keep import read_free, read_rule  # noqa: PLC0415 (the same)

    data = options["data"] or data_directory()
    settings = Settings(
        host=options["host"],
        port=options["port"],
        data=data,
        token=_token(options["token"], options["token_file"]),
        allowed_hosts=options["allowed_hosts"],
        prefix=options["prefix"],
        tls_cert=options["tls_cert"],
        tls_key=options["tls_key"],
        watch=options["watch"],
        keep_us=round(duration(options["keep"], _OWNER, "--keep") * 1_000_000),
        keep_bytes=size(options["keep_size"], _OWNER, "--keep-size"),
        keep_free=read_free(options["keep_free"], _OWNER, "--keep-free"),
        keep_rules=tuple(read_rule(query, age, _OWNER, "--keep-query") for query, age in options["keep_queries"]),
        keep_sources_us=round(duration(options["keep_sources"], _OWNER, "--keep-sources") * 1_000_000),
    )
    serve(
        settings,
        started=lambda url: click.echo(f"The hub listens at {url} and keeps its data in {data}"),
        tell=lambda sentence: click.echo(f"loghub: {sentence}", err=True),
    )


def _token(given: str | None, file: Path | None) -> str | None:
    """Take the token from where it was given; no message ever shows it."""
    if file is None:
        return given

    if given is not None:
        raise ConfigError(_OWNER, "--token-file", str(file), "give the token in one place: there is one without a file")

    try:
        token = file.read_text("utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(_OWNER, "--token-file", str(file), f"give a file that can be read: {error}") from error

    if not token:
        raise ConfigError(_OWNER, "--token-file", str(file), "write the token into it: the file is empty")

    return token
