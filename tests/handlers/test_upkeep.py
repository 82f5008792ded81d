import os
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from loghub.handlers import upkeep as module
from loghub.handlers.hold import share
from loghub.handlers.retention import Retention
from loghub.handlers.upkeep import Chores, Upkeep
from loghub.segments import next_path, segments

from processes import wait_for

NOON = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)


@pytest.fixture
def log(tmp_path: Path) -> Path:
    """Give a log without segments."""
    return tmp_path / "app.jsonl"


@pytest.fixture
def kept() -> Iterator[Upkeep]:
    """Give an upkeep whose thread is over afterwards."""
    found = Upkeep()
    yield found

    for chores in tuple(found._due):
        found.drop(chores)

    found._bell.put(None)
    wait_for(lambda: found._thread is None)


def add_segments(log: Path, number: int) -> None:
    for _ in range(number):
        names = [path.name for path in log.parent.iterdir()]
        next_path(log, NOON, names).write_text("{}\n")


def test_log_is_kept_in_order_at_once_and_again_when_asked(log: Path, kept: Upkeep) -> None:
    chores = Chores(log, Retention(files=1), ".gz")

    for _ in range(2):
        add_segments(log, 3)
        kept.soon(chores)
        assert kept.settle(20)
        assert [segment.form for segment in segments(log)] == [".gz"]


def test_log_is_looked_after_from_time_to_time(log: Path, kept: Upkeep, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_PERIOD", 0.05)
    chores = Chores(log, Retention(files=0))
    kept.soon(chores)
    assert kept.settle(20)
    add_segments(log, 2)

    wait_for(lambda: not segments(log))


def test_segment_that_is_held_is_tried_again(log: Path, kept: Upkeep, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_SOON", 0.05)
    add_segments(log, 1)
    writer = os.open(segments(log)[0].path, os.O_RDWR)
    assert share(writer)
    chores = Chores(log, Retention(), ".gz")
    kept.soon(chores)
    assert kept.settle(20)
    assert segments(log)[0].form == ""

    os.close(writer)
    wait_for(lambda: segments(log)[0].form)


def test_limits_in_bytes_count_what_is_compressed(log: Path, kept: Upkeep) -> None:
    add_segments(log, 3)

    for segment in segments(log):
        segment.path.write_bytes(b"x" * 100_000)

    chores = Chores(log, Retention(total=100_000), ".gz")
    kept.soon(chores)
    assert kept.settle(20)

    assert len(segments(log)) == 3


def test_trouble_is_said_and_the_thread_goes_on(
    log: Path, kept: Upkeep, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def refuse(_: int) -> None:
        raise OSError(28, "No space left on device")

    add_segments(log, 3)
    monkeypatch.setattr(os, "fsync", refuse)
    chores = Chores(log, Retention(files=2), ".gz")
    kept.soon(chores)
    assert kept.settle(20)
    monkeypatch.undo()
    kept.soon(chores)
    assert kept.settle(20)

    assert [segment.form for segment in segments(log)] == [".gz", ".gz"]
    assert "cannot compress ([Errno 28] No space left on device)" in capsys.readouterr().err


def test_dropped_log_gets_the_pass_that_it_was_asked_for_and_the_thread_ends(log: Path, kept: Upkeep) -> None:
    add_segments(log, 3)
    chores = Chores(log, Retention(files=1))
    kept.soon(chores)
    thread = kept._thread
    assert thread is not None
    kept.drop(chores)
    kept.drop(chores)

    wait_for(lambda: kept._thread is None)
    assert len(segments(log)) == 1
    thread.join(60)
    assert not thread.is_alive()


def test_handler_that_is_forgotten_unclosed_is_minded_no_longer(log: Path, kept: Upkeep) -> None:
    chores = Chores(log, Retention(files=1))
    kept.soon(chores)
    assert kept.settle(20)

    del chores
    wait_for(lambda: not tuple(kept._due))


def test_child_of_a_fork_starts_anew(log: Path, kept: Upkeep) -> None:
    chores = Chores(log, Retention(files=1))
    kept.soon(chores)
    assert kept.settle(20)
    kept.after_fork()

    assert kept.settle(0)
    add_segments(log, 2)
    kept.soon(chores)
    assert kept.settle(20)
    assert len(segments(log)) == 1
