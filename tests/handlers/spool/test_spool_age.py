"""Records that nobody takes for too long: dropped in whole segments, counted, and told."""

import errno
import logging
import os
from pathlib import Path

import pytest
from spools import LINE, add, drained, incarnations, spool_in, told

from loghub.errors import ConfigError
from loghub.handlers import memory
from loghub.handlers.memory import FOREVER, MemoryRing
from loghub.handlers.remote import RemoteHandler

from scripted_hub import wait_until

AT_ONCE = 1e-6
LATER = 3600.0


def segments(folder: Path) -> int:
    return len(list(folder.glob("v1/*/seg-*")))


def test_old_segments_go_but_those_that_are_written_or_read(tmp_path: Path) -> None:
    spool = spool_in(tmp_path, keep=AT_ONCE, size=8_000_000)
    lines = [b"%d:" % number + LINE for number in range(300)]
    assert all(add(spool, line) for line in lines)
    batch = spool.take(2, 1_000_000)
    assert batch is not None
    assert segments(tmp_path) > 3

    spool.tend()
    assert segments(tmp_path) == 2
    assert spool.appended == spool.acked + spool.dead + spool.dropped + spool.queued
    assert spool.dropped > 0
    before = spool.dropped

    found = drained(spool)  # each line that was not dropped, in order
    assert found == [line for line in lines if line in set(found)]
    assert len(found) == 300 - before

    assert add(spool, b"the next\n")
    event, following = drained(spool)
    assert (told([event])[0]["dropped"], following) == (before, b"the next\n")
    assert spool.write(b"quick again\n", 20)
    spool.close()


def test_young_records_stay(tmp_path: Path) -> None:
    spool = spool_in(tmp_path, keep=LATER, size=8_000_000)
    lines = [b"%d:" % number + LINE for number in range(300)]
    assert all(add(spool, line) for line in lines)
    spool.tend()
    assert drained(spool) == lines
    spool.close()


def test_what_the_dead_left_too_long_ago_is_removed_and_told_by_the_heir(tmp_path: Path) -> None:
    first = spool_in(tmp_path, size=8_000_000)
    assert all(add(first, LINE) for _ in range(60))
    first.abandon()

    heir = spool_in(tmp_path, keep=AT_ONCE, size=8_000_000)
    wait_until(lambda: heir.tend() >= 0 and not incarnations(tmp_path))
    assert (heir.appended, heir.dropped, heir.queued) == (60, 60, 0)

    assert add(heir, b"mine\n")
    (event,) = told(drained(heir))
    assert (event["dropped"], event["first"], event["last"]) == (60, 1, 60)


def test_records_whose_age_nobody_can_tell_stay(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    spool = spool_in(tmp_path, keep=AT_ONCE, size=8_000_000)
    assert all(add(spool, LINE) for _ in range(300))

    def refuse(*_: object) -> int:
        raise OSError(errno.EMFILE, "too many open files")

    with monkeypatch.context() as patch:
        patch.setattr(os, "open", refuse)
        spool.tend()

    assert spool.dropped == 0
    spool.close()


def test_lines_in_memory_go_when_they_have_waited(monkeypatch: pytest.MonkeyPatch) -> None:
    class Clock:
        now = 1000.0

        def monotonic(self) -> float:
            return self.now

    clock = Clock()
    monkeypatch.setattr(memory, "time", clock)
    ring = MemoryRing("0" * 24, 100, 1_000_000, keep=30.0)
    lines = [b"%d\n" % number for number in range(6)]

    for line in lines[:3]:
        ring.append(line)

    assert ring.take(1, 1000) is not None  # what is under way is not dropped
    assert ring.tend() == 3.0
    clock.now += 10
    ring.append(lines[3])
    ring.append(lines[4])
    ring.tend()
    clock.now += 19
    ring.tend()
    assert ring.dropped == 0

    clock.now += 1
    ring.tend()
    assert (ring.dropped, ring.queued) == (2, 3)
    ring.settle_acked(1)
    clock.now += 10
    ring.append(lines[5])
    ring.tend()
    batch = ring.take(9, 1000)
    assert batch is not None
    assert (batch.first, batch.lines) == (6, (lines[5],))
    assert ring.appended == ring.acked + ring.dropped + ring.queued
    assert MemoryRing("0" * 24, 100, 1_000_000).tend() == FOREVER


def test_a_hub_that_stays_away_ends_the_wait() -> None:
    handler = RemoteHandler("http://127.0.0.1:9", keep="1 ms", linger=0, batch_records=1, exit_deadline=0)

    for _ in range(3):
        handler.handle(logging.makeLogRecord({"msg": "x"}))

    wait_until(lambda: handler.counters.dropped == 2)
    assert handler.counters.queued == 1  # it is under way
    handler.close()


@pytest.mark.parametrize("keep", ["0 s", "soon", -1])
def test_a_wrong_option_says_what_to_write(keep: float | str) -> None:
    with pytest.raises(ConfigError, match="keep"):
        RemoteHandler("http://127.0.0.1:9", keep=keep)
