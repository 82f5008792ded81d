import io
from pathlib import Path

import pytest
from rich.console import Console

from loghub.demo.report import Report, Standing
from loghub.demo.tally import Tally

COMPLETE = Standing(
    12.3,
    {"shop": Tally(1200, 30, 4, 1190, 0), "catalog": Tally(700, 9, 1, 700, 0)},
    {"shop": 1200, "catalog": 700, "somebody else": 5},
)
SHORT = Standing(12.3, {"shop": Tally(1200, 30, 4, 1190, 7)}, {"shop": 1193})


@pytest.fixture
def written() -> io.StringIO:
    return io.StringIO()


def report(written: io.StringIO, *, terminal: bool = False) -> Report:
    return Report(Console(file=written, force_terminal=terminal, width=90, color_system=None, legacy_windows=False))


def test_standing_is_complete_only_where_each_service_has_what_it_logged() -> None:
    assert COMPLETE.is_complete
    assert not SHORT.is_complete
    assert COMPLETE.in_hub == 1900


def test_without_a_terminal_a_line_is_written_now_and_then(written: io.StringIO) -> None:
    shown = report(written)

    with shown.running():
        shown.show(COMPLETE)
        shown.show(COMPLETE)

    assert written.getvalue() == (
        "  12 s  logged 1900  accepted 1890  in the hub 1900  warnings 39  errors 5  (shop 1200  catalog 700)\n"
    )


def test_terminal_has_a_table_by_service_with_a_sum(written: io.StringIO) -> None:
    shown = report(written, terminal=True)

    with shown.running():
        shown.show(COMPLETE)

    lines = [line.split() for line in written.getvalue().splitlines()]
    assert ["shop", "1,200", "1,190", "1,200", "30", "4"] in lines
    assert ["all", "1,900", "1,890", "1,900", "39", "5"] in lines


def test_closing_counts_what_arrived_and_says_that_the_data_is_gone(written: io.StringIO) -> None:
    report(written).closing(COMPLETE, None)

    assert written.getvalue() == (
        "The services logged 1900 records; the hub has 1900 of them.\n"
        "  shop         1200 logged     1200 in the hub\n"
        "  catalog       700 logged      700 in the hub\n"
        "Its data is thrown away; loghub demo --data DIR keeps it.\n"
    )


def test_closing_names_the_service_whose_records_are_missing(written: io.StringIO) -> None:
    report(written).closing(SHORT, Path("kept"))

    assert "1193 in the hub   differs by -7 (7 known as lost)" in written.getvalue()
    assert "look at it again with: loghub serve --data kept" in written.getvalue()


def test_square_brackets_of_a_path_are_shown_as_they_are(written: io.StringIO) -> None:
    report(written).address("http://127.0.0.1:1", Path("/tmp/[red]x"), kept=True)  # noqa: S108 (not opened)

    assert "Its data is in /tmp/[red]x\n" in written.getvalue()
