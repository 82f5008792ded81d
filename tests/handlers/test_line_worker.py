import json
import logging
import logging.config
import os
import signal
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from loghub.errors import ConfigError
from loghub.handlers.json_file import JSONFileHandler
from loghub.segments import segments

from processes import run_python, wait_for


def log_to(handler: logging.Handler, first: int, count: int, level: int = logging.INFO) -> None:
    for number in range(first, first + count):
        handler.handle(logging.makeLogRecord({"msg": str(number), "levelno": level, "levelname": "X"}))


def events_of(path: Path) -> list[dict[str, Any]]:
    files = [*(segment.path for segment in segments(path)), path]
    return [json.loads(line) for file in files for line in file.read_text().splitlines()]


def numbers_of(path: Path) -> list[int]:
    return [int(event["message"]) for event in events_of(path) if "lost_lines" not in event]


@contextmanager
def stalled(handler: JSONFileHandler) -> Iterator[None]:
    """Let whoever writes to the file wait, as on a disk that does not answer."""
    begun, over = threading.Event(), threading.Event()

    def hold() -> None:
        with handler._sturdy.lock:
            begun.set()
            over.wait(200)

    thread = threading.Thread(target=hold)
    thread.start()
    begun.wait(60)

    try:
        yield
    finally:
        over.set()
        thread.join()


def test_lines_are_written_soon_and_in_order(tmp_path: Path) -> None:
    path = tmp_path / "app.jsonl"
    handler = JSONFileHandler(path, write="async")

    log_to(handler, 0, 500)
    wait_for(lambda: len(numbers_of(path)) == 500)
    handler.close()

    assert numbers_of(path) == list(range(500))


def test_flush_has_written_what_was_logged_before(tmp_path: Path) -> None:
    path = tmp_path / "app.jsonl"
    handler = JSONFileHandler(path, write="async")

    for turn in range(20):
        log_to(handler, 10 * turn, 10)
        handler.flush()
        assert numbers_of(path) == list(range(10 * (turn + 1)))

    handler.close()


def test_flush_does_not_wait_for_those_who_go_on_logging(tmp_path: Path) -> None:
    handler = JSONFileHandler(tmp_path / "app.jsonl", write="async", exit_deadline="100 s")
    over = threading.Event()

    def log_on() -> None:
        while not over.is_set():
            log_to(handler, 0, 10)

    thread = threading.Thread(target=log_on)
    thread.start()

    try:
        for _ in range(5):
            begin = time.monotonic()
            handler.flush()
            assert time.monotonic() - begin < 300  # the deadline would be 100
    finally:
        over.set()
        thread.join()

    handler.close()
    assert handler.lost == 0


def test_emit_after_close_begins_again(tmp_path: Path) -> None:
    handler = JSONFileHandler(tmp_path / "app.jsonl", write="async")

    for turn in range(3):
        log_to(handler, turn, 1)
        handler.close()
        handler.close()

    assert numbers_of(tmp_path / "app.jsonl") == [0, 1, 2]
    wait_for(lambda: handler._worker is not None and handler._worker._thread is None)


def test_no_file_grows_over_the_limit_and_no_line_is_lost(tmp_path: Path) -> None:
    path = tmp_path / "app.jsonl"
    handler = JSONFileHandler(path, write="async", rotate="2 KB")

    log_to(handler, 0, 1000)
    handler.close()

    assert numbers_of(path) == list(range(1000))
    assert max(segment.path.stat().st_size for segment in segments(path)) <= 2000


def test_full_queue_drops_the_new_lines_and_the_file_tells_how_many(tmp_path: Path) -> None:
    path = tmp_path / "app.jsonl"
    handler = JSONFileHandler(path, write="async", queue=10, overflow="drop_new")

    with stalled(handler):
        log_to(handler, 0, 15)
        assert handler.lost == 5

    handler.close()
    log_to(handler, 15, 1)
    handler.close()
    assert numbers_of(path) == [*range(10), 15]
    assert [event["lost_lines"] for event in events_of(path) if "lost_lines" in event] == [5]
    assert handler.lost == 5


def test_full_queue_drops_the_oldest_lines(tmp_path: Path) -> None:
    path = tmp_path / "app.jsonl"
    handler = JSONFileHandler(path, write="async", queue=10, overflow="drop_oldest")

    with stalled(handler):
        log_to(handler, 0, 25)

    handler.close()
    assert numbers_of(path) == list(range(15, 25))
    assert handler.lost == 15


def test_queue_is_bounded_in_bytes(tmp_path: Path) -> None:
    handler = JSONFileHandler(tmp_path / "app.jsonl", write="async", queue_bytes="1 KB", overflow="drop_new")

    with stalled(handler):
        log_to(handler, 0, 100)
        assert handler._worker is not None
        assert handler._worker._bytes <= 1000

    handler.close()
    assert len(numbers_of(tmp_path / "app.jsonl")) + handler.lost == 100


def test_by_level_keeps_a_reserve_for_errors(tmp_path: Path) -> None:
    path = tmp_path / "app.jsonl"
    handler = JSONFileHandler(path, write="async", queue=10, overflow="by_level")

    with stalled(handler):
        log_to(handler, 0, 20, logging.INFO)
        log_to(handler, 100, 20, logging.WARNING)
        log_to(handler, 200, 3, logging.ERROR)

    handler.close()
    assert numbers_of(path) == [*range(2, 8), 100, 200, 201, 202]
    assert handler.lost == 33


def test_block_waits_for_room_and_loses_nothing(tmp_path: Path) -> None:
    path = tmp_path / "app.jsonl"
    handler = JSONFileHandler(path, write="async", queue=5, block_timeout="20 s")

    log_to(handler, 0, 300)
    handler.close()

    assert numbers_of(path) == list(range(300))
    assert handler.lost == 0


def test_block_gives_up_once_and_does_not_hold_up_each_line(tmp_path: Path) -> None:
    handler = JSONFileHandler(tmp_path / "app.jsonl", write="async", queue=5, block_timeout="1 s")

    with stalled(handler):
        begin = time.monotonic()
        log_to(handler, 0, 50)
        assert 0.9 < time.monotonic() - begin < 30  # once for each line would take 45
        assert handler.lost == 45

    handler.close()
    assert numbers_of(tmp_path / "app.jsonl") == list(range(5))


def test_new_configuration_is_not_held_up_by_a_disk_that_does_not_answer(tmp_path: Path) -> None:
    path = tmp_path / "app.jsonl"
    options = {"filename": str(path), "write": "async", "exit_deadline": "100 ms"}
    config = {
        "version": 1,
        "handlers": {"file": {"class": "loghub.JSONFileHandler", **options}},
        "loggers": {"shop": {"handlers": ["file"], "level": "INFO"}},
    }
    logging.config.dictConfig(config)
    handler = logging.getLogger("shop").handlers[0]
    assert isinstance(handler, JSONFileHandler)

    with stalled(handler):
        logging.getLogger("shop").info("0")
        begin = time.monotonic()
        logging.config.dictConfig(config)
        assert time.monotonic() - begin < 30

    wait_for(lambda: numbers_of(path) == [0])
    logging.config.dictConfig({"version": 1, "loggers": {"shop": {"handlers": []}}})


def test_forked_child_writes_its_own_lines_only(tmp_path: Path) -> None:
    path = tmp_path / "app.jsonl"
    handler = JSONFileHandler(path, write="async")

    with stalled(handler):
        log_to(handler, 0, 10)
        child = os.fork()

        if child == 0:
            try:
                log_to(handler, 100, 10)
                handler.close()
            finally:
                os._exit(0)

        os.waitpid(child, 0)

    handler.close()
    assert sorted(numbers_of(path)) == [*range(10), *range(100, 110)]


@pytest.mark.parametrize("how", ["sys.exit()", "raise SystemExit(0)", "pass"])
def test_end_of_the_process_writes_what_is_queued(how: str, tmp_path: Path) -> None:
    run_python(
        f"""
        import logging, sys, loghub
        logging.getLogger().addHandler(loghub.JSONFileHandler("app.jsonl", write="async"))

        for n in range(2000):
            logging.warning("%d", n)

        {how}
        """,
        cwd=tmp_path,
    )

    assert numbers_of(tmp_path / "app.jsonl") == list(range(2000))


@pytest.mark.parametrize("method", ["fork", "spawn"])
def test_end_of_a_process_of_multiprocessing_writes_what_is_queued(method: str, tmp_path: Path) -> None:
    run_python(
        f"""
        import logging, multiprocessing, loghub

        def work():
            logging.getLogger().addHandler(loghub.JSONFileHandler("app.jsonl", write="async"))
            for n in range(500):
                logging.warning("%d", n)

        if __name__ == "__main__":
            child = multiprocessing.get_context("{method}").Process(target=work)
            child.start()
            child.join()
        """,
        cwd=tmp_path,
    )

    assert numbers_of(tmp_path / "app.jsonl") == list(range(500))


def test_end_of_the_process_waits_for_a_stalled_disk_no_longer_than_its_deadline(tmp_path: Path) -> None:
    code = """
        import logging, threading, loghub
        handler = loghub.JSONFileHandler("app.jsonl", write="async", exit_deadline="200 ms")
        held = threading.Event()

        def hold():
            with handler._sturdy.lock:
                held.set()
                threading.Event().wait()

        threading.Thread(target=hold, daemon=True).start()
        held.wait()
        logging.getLogger().addHandler(handler)

        for n in range(7):
            logging.warning("%d", n)

        class Counted(logging.Handler):
            def close(self):
                print(handler.lost, "lost")

        counted = Counted()  # closed by logging.shutdown, before the file
    """
    begin = time.monotonic()
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code)],
        check=False,
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=100,
    )
    assert time.monotonic() - begin < 50
    assert "the end came before 7 lines were written" in done.stderr
    assert done.stdout == "7 lost\n"


def test_signal_handler_that_logs_in_the_middle_of_a_call_loses_nothing(tmp_path: Path) -> None:
    path = tmp_path / "app.jsonl"
    handler = JSONFileHandler(path, write="async")
    nested = [0]

    def interrupt(*_: object) -> None:
        nested[0] += 1
        log_to(handler, 1_000_000 + nested[0], 1)

    before = signal.signal(signal.SIGALRM, interrupt)
    signal.setitimer(signal.ITIMER_REAL, 0.0005, 0.0005)

    try:
        log_to(handler, 0, 5000)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)

    handler.close()
    found = numbers_of(path)
    assert [number for number in found if number < 1_000_000] == list(range(5000))
    assert len(found) == 5000 + nested[0]


def test_queue_options_without_a_queue_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"overflow='drop_new': there is no queue .* give write: async"):
        JSONFileHandler(tmp_path / "app.jsonl", overflow="drop_new")


def test_end_of_the_process_waits_a_moment_only_where_lines_wait_behind_a_stalled_disk(tmp_path: Path) -> None:
    run_python(
        """
        import logging, pathlib, threading, loghub
        folder = pathlib.Path("logs")
        folder.touch()  # so that no directory can be made
        handler = loghub.JSONFileHandler("logs/app.jsonl", write="async", exit_deadline="200 ms")
        logging.getLogger().addHandler(handler)
        logging.warning("one")
        handler.flush()
        assert handler._sturdy.waiting == 1
        held = threading.Event()

        def hold():
            with handler._sturdy.lock:
                held.set()
                threading.Event().wait()

        threading.Thread(target=hold, daemon=True).start()
        held.wait()
        """,
        cwd=tmp_path,
    )
