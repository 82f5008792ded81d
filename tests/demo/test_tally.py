import logging
import os

from hypothesis import given
from hypothesis import strategies as st

from loghub import metrics
from loghub.config import configure
from loghub.demo.tally import Tally, read_tally, take_tally, total

numbers = st.integers(0, 10**12)
tallies = st.builds(Tally, numbers, numbers, numbers, numbers, numbers)


@given(tallies)
def test_line_reads_back_as_what_was_written(tally: Tally) -> None:
    assert read_tally(tally.to_line()) == tally


@given(st.text())
def test_other_output_of_a_service_is_no_tally(line: str) -> None:
    assert read_tally(line) is None


def test_objects_with_other_keys_are_no_tally() -> None:
    assert read_tally('{"logged": 1, "burnt": 2}') is None


@given(st.lists(tallies))
def test_total_adds_each_count(some: list[Tally]) -> None:
    assert total(some).logged == sum(tally.logged for tally in some)
    assert total(some).lost == sum(tally.lost for tally in some)


def test_tally_counts_records_that_reached_a_handler_by_level() -> None:
    metrics.reset()
    configure(
        {
            "filters": {"metrics": {"()": "loghub.MetricsFilter"}},
            "handlers": {"nowhere": {"class": "logging.FileHandler", "filename": os.devnull, "filters": ["metrics"]}},
            "root": {"level": "INFO", "handlers": ["nowhere"]},
        }
    )
    log = logging.getLogger("tally")

    for level in (logging.DEBUG, logging.INFO, logging.WARNING, logging.ERROR, logging.CRITICAL):
        log.log(level, "x")

    taken = take_tally()
    metrics.reset()
    assert (taken.logged, taken.warnings, taken.errors) == (4, 1, 2)
