"""DedupeFilter: what is equal, what is told, and when a run ends."""

from typing import Any

import pytest
from filtered import Clock, Keeper, logger_with

from loghub.errors import ConfigError
from loghub.filters import DedupeFilter


def deduped(**options: Any) -> tuple[Clock, Keeper]:
    clock = Clock()
    return clock, Keeper(DedupeFilter(**{"window": 10, "clock": clock, **options}))


def test_repetitions_are_held_back_and_told_by_the_next_one() -> None:
    clock, keeper = deduped()

    with logger_with(keeper) as logger:
        for _ in range(313):
            logger.info("disk %s is full", "sda")

        clock.now += 10
        logger.info("disk %s is full", "sda")

    assert keeper.messages() == ["disk sda is full"] * 2
    assert keeper.values("repeated") == [None, 312]


def test_repetitions_are_told_after_the_window_where_no_other_comes() -> None:
    clock, keeper = deduped()

    with logger_with(keeper) as logger:
        for _ in range(313):
            logger.error("disk %s is full", "sda")

        clock.now += 11
        logger.info("something else")

    assert keeper.messages() == ["disk sda is full", "repeated 312 times: disk sda is full", "something else"]
    assert keeper.records[1].levelname == "ERROR"
    assert keeper.values("repeated") == [None, 312, None]


def test_records_that_differ_in_message_level_or_exception_all_pass() -> None:
    _, keeper = deduped()

    with logger_with(keeper) as logger:
        logger.info("disk %s is full", "sda")
        logger.info("disk %s is full", "sdb")
        logger.error("disk %s is full", "sda")

        for error in (ValueError("a"), ValueError("b"), KeyError("a"), ValueError("a")):
            logger.error("disk %s is full", "sda", exc_info=error)

    assert len(keeper.records) == 6


def test_equal_records_with_others_between_are_held_back_within_the_window() -> None:
    _, keeper = deduped()

    with logger_with(keeper) as logger:
        for text in ("a", "b", "a", "b"):
            logger.info(text)

    assert keeper.messages() == ["a", "b"]


def test_run_of_consecutive_records_is_ended_by_another_one() -> None:
    _, keeper = deduped(consecutive=True)

    with logger_with(keeper) as logger:
        for text in ("a", "a", "a", "b", "a", "a"):
            logger.info(text)

        logger.getChild("other").info("c")
        logger.info("a")

    assert keeper.messages() == ["a", "repeated 2 times: a", "b", "a", "c"]


def test_loggers_whose_runs_are_remembered_are_bounded() -> None:
    _, keeper = deduped(consecutive=True, max_kinds=3)

    with logger_with(keeper) as logger:
        for number in range(10):
            logger.getChild(str(number)).info("x")

    deduping = keeper.filters[0]
    assert isinstance(deduping, DedupeFilter)
    assert len(deduping._last) == 3
    assert len(keeper.records) == 10


def test_records_from_a_level_on_all_pass() -> None:
    _, keeper = deduped(keep="ERROR")

    with logger_with(keeper) as logger:
        logger.error("a")
        logger.error("a")

    assert keeper.messages() == ["a", "a"]


WRONG: list[tuple[dict[str, Any], str]] = [
    ({"window": "soon"}, "window"),
    ({"window": 0}, "window"),
    ({"consecutive": "maybe"}, "consecutive"),
    ({"keep": True}, "keep"),
    ({"max_kinds": -1}, "max_kinds"),
    ({"windows": 5}, "windows"),
]


@pytest.mark.parametrize(("options", "option"), WRONG)
def test_wrong_option_is_named(options: dict[str, Any], option: str) -> None:
    with pytest.raises(ConfigError) as caught:
        DedupeFilter(**options)

    assert (caught.value.owner, caught.value.option) == ("DedupeFilter", option)
