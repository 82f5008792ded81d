"""`loghub search`: the events of logs that match a query, oldest first."""

import heapq
from collections import deque
from collections.abc import Iterable, Iterator
from operator import itemgetter
from pathlib import Path
from typing import TypeAlias

import click

from loghub.cli.hub_source import TOKEN, search_hub
from loghub.cli.printing import INTERRUPTED, Chooser, Printer, end_quietly, output
from loghub.cli.sources import hub_among, logs_of, warn
from loghub.event.model import Event
from loghub.reading.lines import Line
from loghub.reading.walk import lines_of

_Found: TypeAlias = tuple[int, bytes, Event | None]


@click.command("search")
@click.argument("query")
@click.argument("files", metavar="FILE...|URL", nargs=-1, required=True)
@click.option("-n", "number", type=click.IntRange(1), help="Only the last N events that match.")
@click.option("--json", "as_json", is_flag=True, help="Write the lines as they are.")
@TOKEN
def command(query: str, files: tuple[str, ...], number: int | None, token: str | None, *, as_json: bool) -> None:
    """Search logs, with all their rotated and compressed files, or a hub.

    The query is the viewer's: 'level>=error', 'logger:app.db timeout', '' for everything. Several logs are merged
    by time. The exit status is 1 where nothing matches, as grep has it.
    """
    printer = Printer(output(), as_json=as_json)
    url = hub_among(files, "loghub search")
    is_found = False

    try:
        if url is not None:
            is_found = search_hub(url, token, query, number, printer)

        else:
            is_found = _search_files(query, files, number, printer)
    except KeyboardInterrupt:
        end_quietly(INTERRUPTED)
    except BrokenPipeError:
        end_quietly(0)

    raise SystemExit(0 if is_found else 1)


def _search_files(query: str, files: tuple[str, ...], number: int | None, printer: Printer) -> bool:
    search = _Search(query, logs_of(files, "loghub search"))
    is_found = False

    for _, text, event in deque(search.found(), number) if number else search.found():
        printer.show(text, event)
        is_found = True

    printer.flush()
    search.say_problems()
    return is_found


class _Search:
    """One search over several logs."""

    def __init__(self, query: str, logs: list[Path]) -> None:
        self._query = query
        self._logs = logs
        self._problems: list[Line] = []
        self._problem_count = 0
        Chooser(query)  # a wrong query is refused before a file is read

    def found(self) -> Iterable[_Found]:
        """Give what matches; of several logs by time, each log in its own order."""
        each = [self._found_in(log) for log in self._logs]
        return heapq.merge(*each, key=itemgetter(0)) if len(each) > 1 else each[0]

    def say_problems(self) -> None:
        """Say where files could not be read."""
        for line in self._problems:
            warn(f"{line.path} at byte {line.offset}: {line.fault}")

        if self._problem_count > len(self._problems):
            warn(f"and {self._problem_count - len(self._problems)} more")

    def _found_in(self, log: Path) -> Iterator[_Found]:
        chooser = Chooser(self._query)

        for line in lines_of(log):
            found = chooser.read(line.text)

            if line.fault and (found is None or found[1] is None):
                self._note(line)

            if found is not None:
                yield found[0], line.text, found[1]

    def _note(self, line: Line) -> None:
        self._problem_count += 1

        if len(self._problems) < 10:  # noqa: PLR2004 (a screen)
            self._problems.append(line)
