"""Refused records: kept in `dead/` within a cap, once, whatever the disk does meanwhile."""

import errno
from pathlib import Path

import pytest
from spools import LINE, add, drained, no_file_larger_than, spool_in, told

from loghub.handlers.spool import dead_records, purge
from loghub.handlers.spool.cursor import Cursor


def test_refused_records_are_kept_until_they_are_purged(tmp_path: Path) -> None:
    spool = spool_in(tmp_path)

    for line in (b"a\n", b"b\xff\n", b"c\n"):
        add(spool, line)

    first = spool.take(3, 1000)
    assert first is not None
    spool.settle_acked(1)
    spool.settle_dead(2, "HTTP 400")
    spool.tend()
    records = list(dead_records(tmp_path))
    assert [(record.seq, record.line, record.reason) for record in records] == [
        (2, b"b\xff\n", "HTTP 400"),
        (3, b"c\n", "HTTP 400"),
    ]
    assert purge(tmp_path, lambda record: record.seq == 2) == 1
    assert [record.seq for record in dead_records(tmp_path)] == [3]
    assert purge(tmp_path) == 1
    assert list(dead_records(tmp_path)) == []
    assert purge(tmp_path / "nothing") == 0


def test_dead_has_a_cap_and_what_has_no_room_in_it_is_counted_and_said(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    spool = spool_in(tmp_path, size=400_000)

    for _ in range(12):
        assert add(spool, LINE)
        assert spool.take(1, 1) is not None
        spool.settle_dead(1, "HTTP 422")
        spool.tend()

    assert spool.dead == 12
    assert len(list(dead_records(tmp_path))) == 9
    assert sum(path.stat().st_size for path in (tmp_path / "dead").iterdir()) <= 100_000
    assert "dead/ is full: 1 refused records were not kept; look at what is there" in capsys.readouterr().err
    purge(tmp_path)
    assert add(spool, LINE)
    assert spool.take(1, 1) is not None
    spool.settle_dead(1, "HTTP 422")
    spool.tend()
    assert len(list(dead_records(tmp_path))) == 1
    spool.close()


def test_refused_records_that_the_disk_takes_in_part_are_there_once_in_the_end(tmp_path: Path) -> None:
    spool = spool_in(tmp_path)
    assert all(add(spool, LINE) for _ in range(5))
    assert spool.take(5, 1_000_000) is not None
    spool.settle_dead(5, "HTTP 422")

    with no_file_larger_than(25_000):
        spool.tend()

    assert not list(dead_records(tmp_path))
    spool.tend()
    assert [record.line for record in dead_records(tmp_path)] == [LINE] * 5
    assert b"\n\n" not in next((tmp_path / "dead").glob("*.jsonl")).read_bytes()
    spool.close()


def test_refused_records_that_the_disk_did_not_take_are_there_again_after_a_kill(tmp_path: Path) -> None:
    spool = spool_in(tmp_path)
    assert all(add(spool, LINE) for _ in range(5))
    assert spool.take(5, 1_000_000) is not None
    spool.settle_dead(5, "HTTP 422")

    with no_file_larger_than(25_000):
        spool.tend()

    spool.abandon()  # the cursor had to wait for them
    assert spool_in(tmp_path).queued == 5


def test_records_that_the_hub_has_are_not_told_as_lost_where_the_disk_refuses_the_cursor(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spool = spool_in(tmp_path, size=400_000)
    assert all(add(spool, LINE) for _ in range(20))

    def refuse(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(Cursor, "write", refuse)
        drained(spool)
        assert all(add(spool, LINE) for _ in range(60))

    queued = spool.queued
    rest = drained(spool)
    assert len(rest) == queued
    assert rest.count(LINE) + sum(event["dropped"] for event in told(rest)) == 60
    spool.close()
