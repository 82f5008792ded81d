from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loghub.segments import next_path, parse_name, segments

LOG = Path("/logs/app.jsonl")
NOON = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)


def test_name_says_the_roll_in_utc_and_a_number() -> None:
    assert next_path(LOG, NOON, []).name == "app-20261122T120000-0001.jsonl"


def test_second_roll_of_a_second_takes_the_next_number() -> None:
    assert next_path(LOG, NOON, ["app-20261122T120000-0001.jsonl"]).name == "app-20261122T120000-0002.jsonl"


@pytest.mark.parametrize(
    "name",
    [
        "app.jsonl",
        "app.errors.jsonl",
        "app-old.jsonl",
        "app-20261122T120000-0001.jsonl.bak",
        "my-app-20261122T120000-0001.jsonl",
        "app-20269922T120000-0001.jsonl",
        "appx20261122T120000-0001.jsonl",
    ],
)
def test_names_of_others_are_no_segments(name: str) -> None:
    assert parse_name(LOG, name) is None


@given(st.lists(st.integers(-5, 5), max_size=30))
def test_names_come_in_the_order_of_the_rolls_whatever_the_clock_does(steps: list[int]) -> None:
    names: list[str] = []
    now = NOON

    for step in steps:
        now += timedelta(seconds=step)
        names.append(next_path(LOG, now, names).name)

    assert names == sorted(set(names))
    assert len(set(names)) == len(names)


def test_ten_thousandth_roll_of_a_second_has_a_name_of_its_own() -> None:
    before = ["app-20261122T120000-9999.jsonl", "app-20261122T120000-10000.jsonl"]

    assert next_path(LOG, NOON, before).name == "app-20261122T120000-10001.jsonl"
    found = [parse_name(LOG, name) for name in before]
    assert found[0] is not None
    assert found[1] is not None
    assert found[0] < found[1]


def test_links_and_folders_are_not_listed(tmp_path: Path) -> None:
    log = tmp_path / "app.jsonl"
    real = next_path(log, NOON, [])
    real.touch()
    next_path(log, NOON, [real.name]).symlink_to(real)
    next_path(log, NOON + timedelta(days=1), []).mkdir()

    assert [segment.path for segment in segments(log)] == [real]
