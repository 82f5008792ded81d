"""Moments are read as people write them."""

import pytest

from loghub.query.times import parse_moment

NOW_US = 1_790_000_000_000_000


@pytest.mark.parametrize(
    ("text", "time_us"),
    [
        ("now", NOW_US),
        ("-15m", NOW_US - 900_000_000),
        ("now-15m", NOW_US - 900_000_000),
        ("-1h30m", NOW_US - 5_400_000_000),
        ("+2d", NOW_US + 172_800_000_000),
        ("-1w", NOW_US - 604_800_000_000),
        ("-250ms", NOW_US - 250_000),
        ("-90s", NOW_US - 90_000_000),
        ("1970-01-02", 86_400_000_000),
        ("1970-01-01T00:00:01", 1_000_000),
        ("1970-01-01T00:00:00.000001Z", 1),
        ("1970-01-01T01:00:00+01:00", 0),
    ],
)
def test_moment_is_read(text: str, time_us: int) -> None:
    assert parse_moment(text, NOW_US) == time_us


@pytest.mark.parametrize(
    "text",
    ["", "15m", "-", "-15", "-15x", "now-", "yesterday", "2026-13-01", "-999999999w9w", " -1m", "-1m\n", "-\u0661m"],
)
def test_anything_else_is_refused_with_a_remedy(text: str) -> None:
    with pytest.raises(ValueError, match="is not a time as 2026-11-22T10:00:00Z, or relative as -15m"):
        parse_moment(text, NOW_US)
