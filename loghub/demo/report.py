"""What the demo shows: the YAML, the address, a table that lives on a terminal or a line now and then, the sum.

It shows what it is told and asks nobody.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console, Group
from rich.live import Live
from rich.syntax import Syntax
from rich.table import Table
from rich.text import Text

from loghub.demo.tally import Tally, total

_LINE_SECONDS = 2.0
_COLUMNS = ("logged", "accepted", "in the hub", "warnings", "errors")


@dataclass(frozen=True, slots=True)
class Standing:
    """How far the demo is.

    Attributes:
        seconds: since the shop opened.
        tallies: what each service has logged.
        found: what the hub has of each service.
    """

    seconds: float
    tallies: Mapping[str, Tally]
    found: Mapping[str, int]

    @property
    def in_hub(self) -> int:
        """Events of these services in the hub."""
        return sum(self.found.get(name, 0) for name in self.tallies)

    @property
    def is_complete(self) -> bool:
        """Tell whether the hub has what each service logged, no more and no less."""
        return all(self.found.get(name, 0) == tally.logged for name, tally in self.tallies.items())


class Report:
    """Writes to a terminal or to anything else.

    Args:
        console: rich's; whether it is a terminal decides between a live table and lines.
    """

    def __init__(self, console: Console) -> None:
        self._console = console
        self._live: Live | None = None
        self._next_line = 0.0

    def opening(self, logging_file: Path) -> None:
        """Show the whole configuration."""
        self._say(f"The shop's logging, all of it ({logging_file}):\n")
        text = logging_file.read_text("utf-8")

        if self._console.is_terminal:
            self._console.print(Syntax(text, "yaml", theme="ansi_dark", background_color="default"))
        else:
            self._say(text)

    def address(self, url: str, data: Path, *, kept: bool) -> None:
        """Show where the hub is; the first thing to look at, so it stands alone."""
        self._console.print(Text.assemble("The hub listens at ", (url, "bold cyan")), soft_wrap=True)
        self._say(f"Its data is in {data}" + ("" if kept else ", thrown away at the end (--data DIR keeps it)"))
        self._say("Ctrl-C ends the demo.\n")

    @contextmanager
    def running(self) -> Iterator[None]:
        """Keep a live table at the bottom of a terminal; elsewhere do nothing."""
        if not self._console.is_terminal:
            yield
            return

        # No thread: it is drawn when there is something new.
        with Live(console=self._console, auto_refresh=False) as self._live:
            yield

        self._live = None

    def show(self, standing: Standing) -> None:
        """Show how far the demo is."""
        if self._live is not None:
            self._live.update(_table(standing), refresh=True)

        elif standing.seconds >= self._next_line:
            self._next_line = standing.seconds + _LINE_SECONDS
            self._say(_line(standing))

    def note(self, text: str) -> None:
        """Say what happens next."""
        self._say(text)

    def closing(self, standing: Standing, data: Path | None) -> None:
        """Say whether everything arrived, and where it is."""
        logged = total(standing.tallies.values()).logged
        self._say(f"The services logged {logged} records; the hub has {standing.in_hub} of them.")

        for name, tally in standing.tallies.items():
            found = standing.found.get(name, 0)
            wrong = (
                "" if found == tally.logged else f"   differs by {found - tally.logged:+d} ({tally.lost} known as lost)"
            )
            self._say(f"  {name:<9} {tally.logged:>7} logged  {found:>7} in the hub{wrong}")

        if data is None:
            self._say("Its data is thrown away; loghub demo --data DIR keeps it.")
        else:
            self._say(f"Its data is in {data}; look at it again with: loghub serve --data {data}")

    def _say(self, text: str) -> None:
        self._console.print(text, markup=False, highlight=False, soft_wrap=True)


def _table(standing: Standing) -> Group:
    table = Table(box=None, pad_edge=False, header_style="dim")
    table.add_column("service")

    for title in _COLUMNS:
        table.add_column(title, justify="right")

    for name, tally in standing.tallies.items():
        table.add_row(name, *_cells(tally, standing.found.get(name, 0)))

    table.add_section()
    table.add_row("all", *_cells(total(standing.tallies.values()), standing.in_hub), style="bold")
    return Group(Text(f"{standing.seconds:.0f} s", style="dim"), table)


def _cells(tally: Tally, found: int) -> tuple[Text, ...]:
    numbers = (tally.logged, tally.accepted, found, tally.warnings, tally.errors)
    styles = ("", "", "cyan", "yellow" if tally.warnings else "", "red" if tally.errors else "")
    return tuple(Text(f"{number:,}", style) for number, style in zip(numbers, styles, strict=True))


def _line(standing: Standing) -> str:
    sums = total(standing.tallies.values())
    services = "  ".join(f"{name} {tally.logged}" for name, tally in standing.tallies.items())
    return (
        f"{standing.seconds:4.0f} s  logged {sums.logged}  accepted {sums.accepted}  in the hub {standing.in_hub}"
        f"  warnings {sums.warnings}  errors {sums.errors}  ({services})"
    )
