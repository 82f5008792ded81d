"""A short run of the chaos; the long one is `python tests/faults/chaos.py`."""

import os
from pathlib import Path

import pytest

from faults.chaos import Outcome, Plan, run

SEED = int(os.environ.get("LOGHUB_TEST_SEED", "7"))


def show(outcome: Outcome) -> str:
    found = (outcome.missing[:5], outcome.doubled[:5], outcome.altered[:5], outcome.gaps)
    return "missing {}, twice {}, altered {}, gaps {}, network {}".format(*found, dict(outcome.fates))


@pytest.mark.slow
def test_killed_hubs_lose_and_double_nothing_of_applications_that_live(tmp_path: Path) -> None:
    outcome = run(Plan(app_kills=0, hub_kills=4, seed=SEED, spool=False), tmp_path)

    assert outcome.returned > 500
    assert outcome.is_good, show(outcome)
    assert sum(count for fate, count in outcome.fates.items() if fate != "passed") > 10


@pytest.mark.slow
def test_killed_applications_and_hubs_lose_and_double_nothing_that_was_spooled(tmp_path: Path) -> None:
    outcome = run(Plan(app_kills=12, hub_kills=4, seed=SEED), tmp_path)

    assert outcome.returned > 1000
    assert outcome.is_good, show(outcome)
