"""SampleFilter: how many pass, which ones together, and what always does."""

import logging
import subprocess
import sys
from itertools import cycle
from typing import Any

import pytest
from filtered import Keeper, logger_with

from loghub.errors import ConfigError
from loghub.event.context import bound
from loghub.filters import SampleFilter


def test_share_of_the_records_passes() -> None:
    numbers = cycle((0.05, 0.15, 0.95))
    keeper = Keeper(SampleFilter("10 %", draw=lambda: next(numbers)))

    with logger_with(keeper) as logger:
        for number in range(6):
            logger.info("%d", number)

    assert keeper.messages() == ["0", "3"]


@pytest.mark.parametrize(("rate", "expected"), [(0, 0), (1, 100), ("0%", 0), ("100 %", 100)])
def test_none_or_all_pass_at_the_ends(rate: float | str, expected: int) -> None:
    keeper = Keeper(SampleFilter(rate))

    with logger_with(keeper) as logger:
        for _ in range(100):
            logger.info("x")

    assert len(keeper.records) == expected


def test_errors_always_pass() -> None:
    keeper = Keeper(SampleFilter(0))
    stricter = Keeper(SampleFilter(0, keep="WARNING"))

    with logger_with(keeper, stricter) as logger:
        for level in (logging.INFO, logging.WARNING, logging.ERROR, logging.CRITICAL):
            logger.log(level, "x")

    assert [record.levelname for record in keeper.records] == ["ERROR", "CRITICAL"]
    assert [record.levelname for record in stricter.records] == ["WARNING", "ERROR", "CRITICAL"]


def test_records_of_a_request_share_their_fate() -> None:
    keeper = Keeper(SampleFilter(0.3, key="request_id"))

    with logger_with(keeper) as logger:
        for number in range(1000):
            with bound(request_id=f"r{number}"):
                logger.info("begun")

            logger.info("done", extra={"request_id": f"r{number}"})

    begun = [record for record in keeper.records if record.getMessage() == "begun"]
    done = {record.__dict__["request_id"] for record in keeper.records if record.getMessage() == "done"}
    assert len(begun) == len(done) == len(keeper.records) // 2
    assert 240 < len(done) < 360


def test_other_processes_choose_the_same_and_a_higher_rate_chooses_more() -> None:
    code = """
import logging
from loghub.filters import SampleFilter
for rate in (0.2, 0.5):
    chosen = SampleFilter(rate, key="user")
    print([n for n in range(100) if chosen.filter(logging.makeLogRecord({"user": n, "levelno": 20}))])
"""
    runs = {subprocess.run([sys.executable, "-c", code], capture_output=True, check=True).stdout for _ in range(2)}
    assert len(runs) == 1
    low, high = (set(line.split(b", ")) for line in runs.pop().replace(b"[", b"").replace(b"]", b"").splitlines())
    assert low < high


def test_record_without_the_key_is_chosen_at_random() -> None:
    chosen = SampleFilter(0.5, key="request_id", draw=iter((0.4, 0.6)).__next__)
    assert [chosen.filter(logging.makeLogRecord({"levelno": 20})) for _ in range(2)] == [True, False]


def test_record_is_judged_once_for_all_handlers() -> None:
    draws = iter((0.9, 0.1))
    sampled = SampleFilter(0.5, draw=draws.__next__)
    one, two = Keeper(sampled), Keeper(sampled)

    with logger_with(one, two) as logger:
        logger.info("a")
        logger.info("b")

    assert one.messages() == two.messages() == ["b"]


def test_key_whose_str_raises_does_not_reach_the_application() -> None:
    class Odd:
        def __str__(self) -> str:
            raise RuntimeError

    assert SampleFilter(1, key="odd").filter(logging.makeLogRecord({"odd": Odd(), "levelno": 20})) is True


WRONG: list[tuple[dict[str, Any], str]] = [
    ({"rate": 1.1}, "rate"),
    ({"rate": -1}, "rate"),
    ({"rate": "ten"}, "rate"),
    ({"rate": "110 %"}, "rate"),
    ({"rate": True}, "rate"),
    ({"key": ""}, "key"),
    ({"keep": "LOUD"}, "keep"),
    ({"ratio": 0.1}, "ratio"),
]


@pytest.mark.parametrize(("options", "option"), WRONG)
def test_wrong_option_is_named(options: dict[str, Any], option: str) -> None:
    with pytest.raises(ConfigError) as caught:
        SampleFilter(**options)

    assert (caught.value.owner, caught.value.option) == ("SampleFilter", option)
