"""`loghub tail`: the last events of logs, and those that come, across rotations."""

import time
from collections.abc import Sequence

import click

from loghub.cli.hub_source import TOKEN, tail_hub
from loghub.cli.printing import INTERRUPTED, Chooser, Printer, end_quietly, output
from loghub.cli.sources import hub_among, logs_of, warn
from loghub.reading.follow import Follower

_PAUSE = 0.1


@click.command("tail")
@click.argument("files", metavar="FILE...|URL", nargs=-1, required=True)
@click.option("-q", "--query", default="", show_default=False, help="Only what matches, as 'level>=warning'.")
@click.option("-f", "--follow", is_flag=True, help="Go on with what comes, until Ctrl-C.")
@click.option("-n", "number", type=click.IntRange(0), default=10, help="How many of the last events are shown.")
@click.option("--json", "as_json", is_flag=True, help="Write the lines as they are.")
@TOKEN
def command(query: str, files: tuple[str, ...], number: int, token: str | None, *, follow: bool, as_json: bool) -> None:
    """Show the last events of logs or of a hub, and with -f those that come.

    It follows a log by its name: rolled over, moved, truncated, deleted or not there yet.
    """
    printer = Printer(output(), as_json=as_json)
    url = hub_among(files, "loghub tail")

    try:
        if url is not None:
            tail_hub(url, token, query, number, printer, follow=follow)

        else:
            _tail_files(query, files, number, printer, follow=follow)
    except KeyboardInterrupt:
        end_quietly(INTERRUPTED)
    except BrokenPipeError:
        end_quietly(0)


def _tail_files(query: str, files: tuple[str, ...], number: int, printer: Printer, *, follow: bool) -> None:
    chooser = Chooser(query)
    logs = logs_of(files, "loghub tail", may_come=follow)
    followers = [Follower(log, tell=lambda path, reason: warn(f"{path}: {reason}")) for log in logs]
    _show_last(followers, number, chooser, printer, with_fragment=not follow)

    while follow:
        _show_new(followers, chooser, printer)
        time.sleep(_PAUSE)


def _show_last(
    followers: Sequence[Follower], number: int, chooser: Chooser, printer: Printer, *, with_fragment: bool
) -> None:
    found = []

    for follower in followers:
        follower.skip_to_end()
        last = follower.last(number, chooser.read, with_fragment=with_fragment)
        found += [(time_us, text, event) for text, (time_us, event) in last]

    found.sort(key=lambda line: line[0])  # stable: a log's own order stays

    for _, text, event in found[len(found) - number :] if number < len(found) else found:
        printer.show(text, event)

    printer.flush()


def _show_new(followers: Sequence[Follower], chooser: Chooser, printer: Printer) -> None:
    for follower in followers:
        for chunk in follower.poll():
            for text in chunk.piece.texts:
                found = chooser.read(text)

                if found is not None:
                    printer.show(text, found[1])

            printer.flush()
