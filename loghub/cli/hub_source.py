"""What `loghub search` and `loghub tail` do where they are given the address of a hub."""

import os
from collections.abc import Iterable

import click

from loghub.cli.printing import Printer
from loghub.cli.sources import warn
from loghub.client import Fields, Hub, event_of
from loghub.event.encode import encode
from loghub.handlers.remote_options import TOKEN_VARIABLE, is_token_for

TOKEN = click.option(
    "--token",
    show_default=False,
    help="What the hub wants to be shown. LOGHUB_TOKEN is sent to the address in LOGHUB_URL, and to no other.",
)


def hub_at(url: str, token: str | None) -> Hub:
    """Open a hub, with the token that was given or, if it is meant for this hub, that of the environment."""
    return Hub(url, token=token or (os.environ.get(TOKEN_VARIABLE) if is_token_for(url) else None))


def search_hub(url: str, token: str | None, query: str, number: int | None, printer: Printer) -> bool:
    """Show what a hub has, oldest first; tell whether there was anything."""
    with hub_at(url, token) as hub:
        if number is None:
            return _show(hub.search(query, order="oldest").lines(), printer)

        return _show([*hub.search(query, limit=number).lines()][::-1], printer)


def tail_hub(url: str, token: str | None, query: str, number: int, printer: Printer, *, follow: bool) -> None:
    """Show the last events of a hub, and then those that come."""
    with hub_at(url, token) as hub:
        cursor = hub.tail_cursor(query)  # before the last ones are read: what comes between is in both
        last = [*hub.search(query, limit=number).lines()][::-1] if number else []
        _show(last, printer)

        if follow:
            shown = {event["_id"] for event in last}
            new = hub.tail_lines(query, cursor=cursor, on_gap=_say_gap)
            _show((event for event in new if event["_id"] not in shown), printer, at_once=True)


def _show(events: Iterable[Fields], printer: Printer, *, at_once: bool = False) -> bool:
    is_any = False

    for fields in events:
        event = event_of(fields)
        printer.show(encode(event.fields)[:-1], event)
        is_any = True

        if at_once:
            printer.flush()

    printer.flush()
    return is_any


def _say_gap(count: int) -> None:
    warn(f"{count} events were passed over: this reader is too slow")
