from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from loghub.errors import ConfigError
from loghub.handlers.retention import Retention, parse_retention, prune
from loghub.segments import next_path, segments

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)


@pytest.fixture
def log(tmp_path: Path) -> Path:
    """Give a log with a segment of each of the last six days."""
    log = tmp_path / "app.jsonl"
    names: list[str] = []

    for day in range(6, 0, -1):
        path = next_path(log, NOW - timedelta(days=day), names)
        path.write_text("{}\n")
        names.append(path.name)

    log.write_text("{}\n")
    return log


def test_age_and_count_hold_together(log: Path) -> None:
    found = segments(log)

    assert Retention(seconds=2.5 * 86_400).expired(found, NOW) == found[:4]
    assert Retention(files=5).expired(found, NOW) == found[:1]
    assert Retention(seconds=2.5 * 86_400, files=1).expired(found, NOW) == found[:5]
    assert Retention().expired(found, NOW) == []


def test_prune_deletes_nothing_but_its_own_segments(log: Path) -> None:
    others = [log.with_name(name) for name in ("app.errors.jsonl", "app-old.jsonl", "other-20200101T000000-0001.jsonl")]

    for other in others:
        other.touch()

    gone = prune(log, Retention(files=0), NOW.timestamp())

    assert len(gone) == 6
    assert sorted(log.parent.iterdir()) == sorted([log, *others])


def test_age_of_a_million_days_keeps_everything(log: Path) -> None:
    assert prune(log, parse_retention("1000000 days", None, "H"), NOW.timestamp()) == []


def test_directory_that_cannot_be_listed_is_passed_over(log: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_: object) -> None:
        raise PermissionError(13, "no")

    monkeypatch.setattr("os.scandir", refuse)
    assert prune(log, Retention(files=0), NOW.timestamp()) == []


def test_wrong_option_is_named() -> None:
    with pytest.raises(ConfigError, match=r'H: keep=.*"14 days"'):
        parse_retention("a while", None, "H")

    for bare in (14, "14"):
        with pytest.raises(ConfigError, match='give a unit, as "14 days"'):
            parse_retention(bare, None, "H")

    with pytest.raises(ConfigError, match="H: keep_files=-1: give a whole number, 0 or more"):
        parse_retention(None, -1, "H")
