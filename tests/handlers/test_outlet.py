"""Threads that write while another one rolls over, looks, closes or forks: stopped at the worst moment, on purpose."""

import json
import logging
import os
import threading
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from loghub.handlers.json_file import JSONFileHandler


def log_to(handler: logging.Handler, *messages: str) -> None:
    for message in messages:
        handler.handle(logging.makeLogRecord({"msg": message, "levelname": "INFO", "levelno": 20}))


def messages_of(*paths: Path) -> list[str]:
    return [json.loads(line)["message"] for path in paths for line in path.read_bytes().splitlines()]


@pytest.fixture
def interrupt(monkeypatch: pytest.MonkeyPatch) -> Callable[[str, Callable[[], None]], None]:
    """Give a function that lets something happen right behind the next call of a function of `os`."""

    def arrange(name: str, happens: Callable[[], None]) -> None:
        real = getattr(os, name)

        def call(*args: object, **kwargs: object) -> object:
            monkeypatch.setattr(os, name, real)
            result = real(*args, **kwargs)
            happens()
            return result

        monkeypatch.setattr(os, name, call)

    return arrange


def elsewhere(work: Callable[[], None]) -> None:
    thread = threading.Thread(target=work)
    thread.start()
    thread.join(60)


def test_line_written_to_a_file_that_was_deleted_and_let_go_of_is_written_again_before_the_next_one(
    tmp_path: Path, interrupt: Callable[[str, Callable[[], None]], None], capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "app.jsonl"
    handler = JSONFileHandler(path)
    log_to(handler, "one")

    def another_thread_notices() -> None:
        path.unlink()
        elsewhere(handler.reopenIfNeeded)

    interrupt("write", another_thread_notices)
    log_to(handler, "two", "three")

    assert messages_of(path) == ["one", "two", "three"]
    assert capsys.readouterr().err == ""
    handler.close()


def test_line_written_to_a_file_that_was_moved_and_let_go_of_is_not_doubled(
    tmp_path: Path, interrupt: Callable[[str, Callable[[], None]], None]
) -> None:
    path, moved = tmp_path / "app.jsonl", tmp_path / "moved.jsonl"
    handler = JSONFileHandler(path)
    log_to(handler, "one")

    def another_thread_notices() -> None:
        path.rename(moved)
        elsewhere(handler.reopenIfNeeded)

    interrupt("write", another_thread_notices)
    log_to(handler, "two", "three")
    handler.close()

    assert messages_of(moved, path) == ["one", "two", "three"]


def test_look_does_not_vouch_for_a_line_that_is_written_while_it_is_taken(
    tmp_path: Path, interrupt: Callable[[str, Callable[[], None]], None]
) -> None:
    path = tmp_path / "app.jsonl"
    handler = JSONFileHandler(path)
    log_to(handler, "one")
    file = handler._file

    def deleted_and_written_to() -> None:
        path.unlink()
        log_to(handler, "two")

    interrupt("stat", deleted_and_written_to)
    assert file.is_current()
    file.trust()
    handler.close()

    assert messages_of(path) == ["two"]


def test_lines_of_a_deleted_file_are_not_doubled_where_the_disk_takes_a_part_of_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "app.jsonl"
    handler = JSONFileHandler(path)
    log_to(handler, "one", "two")
    path.unlink()
    handler._file.release()
    real = os.write

    def cut(descriptor: int, data: bytes) -> int:
        monkeypatch.setattr(os, "write", real)
        return real(descriptor, data[: len(data) - 5])

    monkeypatch.setattr(os, "write", cut)
    log_to(handler, "three")
    handler.flush()
    handler.close()

    whole = [line for line in path.read_bytes().splitlines() if line.endswith(b"}")]
    assert [json.loads(line)["message"] for line in whole] == ["one", "two", "three"]


def test_line_refused_for_a_trouble_that_is_over_is_written_at_once(tmp_path: Path) -> None:
    path = tmp_path / "app.jsonl"
    handler = JSONFileHandler(path)
    log_to(handler, "one")
    sturdy = handler._sturdy
    sturdy.lose(1, "a record has no line")

    with pytest.raises(OSError, match="no line") as refusal:
        sturdy.write(b"")

    assert sturdy.flush()  # by another thread
    sturdy.refuse(b'{"message":"two"}\n', None, refusal.value)

    assert messages_of(path) == ["one", "1 lines lost", "two"]
    handler.close()


@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")  # threads of other tests
def test_child_of_a_fork_keeps_no_descriptor_that_a_thread_of_its_parent_wrote_to(tmp_path: Path) -> None:
    path = tmp_path / "app.jsonl"
    handler = JSONFileHandler(path, rotate="1 MB")
    log_to(handler, "one")
    held = handler._file.outlet  # as a thread does in the middle of a call
    handler.doRollover()
    log_to(handler, "two")
    child = os.fork()

    if child == 0:
        status = 255

        try:
            status = sum(str(tmp_path) in os.path.realpath(link) for link in Path("/proc/self/fd").iterdir())
        finally:
            os._exit(status)

    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0, "it holds segments against compression"
    assert held.number >= 0
    handler.close()


def test_rotator_that_copies_doubles_and_loses_nothing_of_other_threads(tmp_path: Path) -> None:
    path = tmp_path / "app.jsonl"
    handler = JSONFileHandler(path, maxBytes=20_000, backupCount=1000)

    def copy(source: str, dest: str) -> None:
        with Path(source).open("rb") as old, Path(dest).open("wb") as new:
            while chunk := old.read(2000):
                new.write(chunk)
                os.sched_yield()

        Path(source).unlink()

    handler.rotator = copy
    threads = [threading.Thread(target=log_to, args=(handler, *(f"{n}" for n in range(1000)))) for _ in range(4)]

    for thread in threads:
        thread.start()

    for thread in threads:
        thread.join()

    handler.close()
    assert Counter(messages_of(*tmp_path.glob("app.jsonl*"))) == {f"{n}": 4 for n in range(1000)}


@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")  # threads of other tests
def test_child_of_a_fork_does_not_count_what_its_parent_has_lost(tmp_path: Path) -> None:
    handler = JSONFileHandler(tmp_path / "app.jsonl")
    handler._sturdy.lose(3, "a record has no line")
    child = os.fork()

    if child == 0:
        status = 255

        try:
            log_to(handler, "one")
            status = handler._sturdy.account.lost + handler.lost
        finally:
            os._exit(status)

    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert handler._sturdy.account.lost == 3
    handler.close()
