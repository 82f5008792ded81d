import time
from datetime import datetime

import pytest

from loghub.errors import ConfigError
from loghub.handlers.rotation import Rotation, parse_rotation


def test_several_rules_hold_together() -> None:
    assert parse_rotation(["100 MB", "midnight", "1 day"], "H") == Rotation(100_000_000, 86_400, midnight=True)


@pytest.mark.parametrize("rule", ["noon", "0 MB", "100 XB", -1, ["100 MB", "sometimes"], True])
def test_rule_that_is_none_says_what_there_is(rule: object) -> None:
    with pytest.raises(ConfigError, match="H: rotate="):
        parse_rotation(rule, "H")


def test_line_that_would_exceed_the_limit_rolls_and_one_that_fits_does_not() -> None:
    rotation = Rotation(bytes=100)

    assert not rotation.should_roll(60, 40, float("inf"), 0)
    assert rotation.should_roll(60, 41, float("inf"), 0)


def test_empty_file_is_never_rolled() -> None:
    assert not Rotation(bytes=100).should_roll(0, 500, 0.0, 1.0)


def test_period_ends_where_it_would_have_without_a_restart() -> None:
    hourly = Rotation(seconds=3600)

    assert hourly.deadline(7200.0) == hourly.deadline(7200 + 3599) == 10_800


@pytest.mark.parametrize("zone", ["Europe/Berlin", "America/New_York", "UTC", "Australia/Lord_Howe"])
@pytest.mark.parametrize("day", ["2026-03-29", "2026-10-25", "2026-03-08", "2026-11-01", "2026-12-31", "2028-02-28"])
def test_midnight_is_the_next_local_day_on_every_day(zone: str, day: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", zone)
    time.tzset()

    try:
        opened = datetime.fromisoformat(f"{day}T13:30:00").astimezone()
        deadline = datetime.fromtimestamp(Rotation(midnight=True).deadline(opened.timestamp())).astimezone()
    finally:
        monkeypatch.undo()
        time.tzset()

    assert (deadline.hour, deadline.minute) == (0, 0)
    assert (deadline.date() - opened.date()).days == 1
