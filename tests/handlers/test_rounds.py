import gc
import logging
import os
import threading
from pathlib import Path

import pytest

from loghub.handlers import rounds as rounds_module
from loghub.handlers.json_file import JSONFileHandler
from loghub.handlers.rounds import Rounds, rounds

from processes import wait_for


def log_to(handler: logging.Handler, count: int) -> None:
    for number in range(count):
        handler.handle(logging.makeLogRecord({"msg": str(number)}))


def has_ended(name: str) -> bool:
    gc.collect()  # handlers that another test left behind
    return name not in {thread.name for thread in threading.enumerate()}


def test_interval_flushes_what_was_written_to_the_device(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    flushed: list[str] = []
    monkeypatch.setattr(
        os, "fsync", lambda descriptor: flushed.append(str(Path(f"/proc/self/fd/{descriptor}").readlink()))
    )
    path = tmp_path / "app.jsonl"
    handler = JSONFileHandler(path, durability="interval")

    log_to(handler, 1)
    wait_for(lambda: str(path) in flushed)
    handler.close()
    wait_for(lambda: has_ended("loghub-sync"))


def test_record_flushes_each_line_to_the_device(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    flushed: list[int] = []
    monkeypatch.setattr(os, "fdatasync", lambda _: flushed.append((tmp_path / "app.jsonl").read_bytes().count(b"\n")))
    handler = JSONFileHandler(tmp_path / "app.jsonl", durability="record")

    log_to(handler, 3)
    handler.close()
    assert flushed[:3] == [1, 2, 3]


def test_line_that_waits_is_written_when_the_file_works_again_though_nothing_is_logged(tmp_path: Path) -> None:
    folder = tmp_path / "logs"
    folder.touch()  # so that no directory can be made
    handler = JSONFileHandler(folder / "app.jsonl")
    log_to(handler, 3)
    assert handler._sturdy.waiting == 3

    folder.unlink()
    wait_for(lambda: (folder / "app.jsonl").exists() and (folder / "app.jsonl").read_bytes().count(b"\n") == 3)
    wait_for(lambda: has_ended("loghub-retry"))
    assert handler.lost == handler._sturdy.waiting == 0
    handler.close()


def test_visits_of_two_kinds_under_one_name_do_not_meet() -> None:
    seen: list[str] = []
    one, other = WeakKey(), WeakKey()

    def first(_: object) -> bool:
        seen.append("first")
        return False

    def second(_: object) -> bool:
        seen.append("second")
        return False

    rounds("loghub-test", 0.01, first).mind(one)
    rounds("loghub-test", 0.01, second).mind(other)
    wait_for(lambda: {"first", "second"} <= set(seen))


def test_end_of_the_process_waits_for_a_last_round_and_for_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    visits, goes_on, hangs = [0], [True], threading.Event()
    one = WeakKey()

    def visit(_: object) -> bool:
        visits[0] += 1

        if visits[0] > 1:
            hangs.wait(60)

        return goes_on[0]

    slow = Rounds("loghub-test", 3600.0, visit)
    assert slow.finish_exit()  # there is nothing to visit
    slow.mind(one)
    assert slow.finish_exit()
    assert visits == [1]

    monkeypatch.setattr(rounds_module, "_EXIT_SECONDS", 0.05)
    assert not slow.finish_exit()
    goes_on[0] = False
    hangs.set()
    wait_for(lambda: has_ended("loghub-test"))
    assert slow.finish_exit()
    assert visits == [2]


class WeakKey:
    """Something to visit."""
