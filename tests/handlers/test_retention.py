import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from loghub.errors import ConfigError
from loghub.handlers.hold import share
from loghub.handlers.retention import Retention, Room, expired, parse_retention, prune
from loghub.segments import Segment, next_path, segments

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


def sized(log: Path, *sizes: int) -> list[Segment]:
    found = []

    for number, size in enumerate(sizes, 1):
        found.append(Segment(NOW - timedelta(hours=1), number, log.with_name(f"s{number}"), size=size))

    return found


def test_total_counts_the_log_and_takes_the_oldest_first(log: Path) -> None:
    found = sized(log, 10, 20, 30)

    assert Retention(total=70).expired(found, NOW, Room(current=10)) == []
    assert Retention(total=69).expired(found, NOW, Room(current=10)) == found[:1]
    assert Retention(total=40).expired(found, NOW, Room(current=10)) == found[:2]
    assert Retention(total=5).expired(found, NOW, Room(current=10)) == found


def test_free_disk_takes_as_many_as_make_the_room(log: Path) -> None:
    found = sized(log, 10, 20, 30)

    assert Retention(free=100).expired(found, NOW, Room(free=100)) == []
    assert Retention(free=100).expired(found, NOW, Room(free=95)) == found[:1]
    assert Retention(free=100).expired(found, NOW, Room(free=75)) == found[:2]
    assert Retention(free=100).expired(found, NOW, Room(free=0)) == found


def test_all_limits_hold_at_once(log: Path) -> None:
    found = segments(log)
    every = Retention(seconds=10 * 86_400, files=5, total=2 * found[0].size, free=1)

    assert every.expired(found, NOW, Room(free=1)) == found[:4]


def test_limits_in_bytes_are_measured_on_the_disk(log: Path) -> None:
    three = 2 * segments(log)[0].size + log.stat().st_size

    assert expired(log, Retention(total=three), NOW.timestamp()) == segments(log)[:4]
    assert expired(log, Retention(free=10**18), NOW.timestamp()) == segments(log)
    assert expired(log, Retention(free=1), NOW.timestamp()) == []
    assert len(prune(log, Retention(total=three), NOW.timestamp())) == 4
    assert len(segments(log)) == 2


def test_every_form_of_a_segment_goes(log: Path) -> None:
    first = segments(log)[0].path
    first.with_name(first.name + ".gz").touch()

    assert len(prune(log, Retention(files=5), NOW.timestamp())) == 2
    assert len(segments(log)) == 5


def test_segment_that_a_process_still_writes_to_stays(log: Path) -> None:
    writer = os.open(segments(log)[0].path, os.O_RDWR)
    assert share(writer)

    assert len(prune(log, Retention(files=0), NOW.timestamp())) == 5
    assert len(segments(log)) == 1
    os.close(writer)
    assert len(prune(log, Retention(files=0), NOW.timestamp())) == 1


def test_link_under_a_segments_name_is_neither_counted_nor_followed_nor_deleted(log: Path, tmp_path: Path) -> None:
    target = tmp_path / "precious"
    target.write_text("{}\n")
    link = next_path(log, NOW - timedelta(days=99), [])
    link.symlink_to(target)

    assert len(prune(log, Retention(files=0), NOW.timestamp())) == 6
    assert link.is_symlink()
    assert target.exists()


def test_segments_are_deleted_where_the_file_system_has_no_locks(log: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise OSError(95, "Operation not supported")

    monkeypatch.setattr("fcntl.flock", refuse)

    assert len(prune(log, Retention(files=1), NOW.timestamp())) == 5


def test_options_in_bytes_are_read() -> None:
    assert parse_retention(None, None, "H", keep_total="5 GB", keep_free="1 GB") == Retention(
        total=5_000_000_000, free=1_000_000_000
    )

    with pytest.raises(ConfigError, match="H: keep_total='much'"):
        parse_retention(None, None, "H", keep_total="much")

    with pytest.raises(ConfigError, match="H: keep_free='much'"):
        parse_retention(None, None, "H", keep_free="much")
