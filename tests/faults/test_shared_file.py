"""Many processes, one file: nothing is lost, doubled, torn or reordered within a process."""

import os
import shutil
import signal
import subprocess
import sys
import urllib.request
from pathlib import Path

from loghub.segments import segments

from log_writers import UNTIL_TOLD, messages_of, numbers_by_writer, start_writer, written_by
from processes import free_port, wait_for

OPTIONS = 'rotate="64 KB", compress="gz", keep="1 day", keep_files=10_000, keep_total="1 GB", keep_free="1 KB"'
FORKING = """
import logging, os, sys, threading, loghub
path, name, count = sys.argv[1], sys.argv[2], int(sys.argv[3])
handler = loghub.JSONFileHandler(path, {options})

def log(name):
    for n in range(count):
        handler.handle(logging.makeLogRecord({{"msg": f"{{name}}:{{n}}"}}))

beside = threading.Thread(target=log, args=(name + "-beside",))
beside.start()
children = []

for child in range(4):
    pid = os.fork()

    if pid == 0:
        log(f"{{name}}-{{child}}")
        handler.close()
        os._exit(0)

    children.append(pid)

log(name)
beside.join()
assert [os.waitpid(pid, 0)[1] for pid in children] == [0] * 4
handler.close()
"""
KILLED_WITH_THE_LOCK = """
import os, pathlib, signal, sys
from loghub.handlers.roll_lock import roll_lock

with roll_lock(pathlib.Path(sys.argv[1])) as taken:
    if taken:
        os.kill(os.getpid(), signal.SIGKILL)
"""


def test_eight_processes_lose_double_tear_and_reorder_nothing(tmp_path: Path) -> None:
    log = tmp_path / "app.jsonl"
    writers = [start_writer(log, f"w{number}", 5000, OPTIONS) for number in range(8)]
    assert [writer.wait(200) for writer in writers] == [0] * 8

    found = numbers_by_writer(messages_of(log))
    assert found == {f"w{number}": list(range(5000)) for number in range(8)}
    assert len(segments(log)) > 50
    assert any(segment.form == ".gz" for segment in segments(log))
    assert max(segment.path.stat().st_size for segment in segments(log)) < 3 * 64_000


def test_fork_in_the_middle_of_it_loses_nothing(tmp_path: Path) -> None:
    log = tmp_path / "app.jsonl"
    assert start_writer(log, "w", 1200, OPTIONS.replace("64 KB", "16 KB"), FORKING).wait(60) == 0

    names = ["w", "w-beside", *(f"w-{child}" for child in range(4))]
    assert numbers_by_writer(messages_of(log)) == {name: list(range(1200)) for name in names}
    assert len(segments(log)) > 50


def test_process_that_is_killed_while_it_holds_the_roll_lock_stops_nobody(tmp_path: Path) -> None:
    log = tmp_path / "app.jsonl"

    def kill() -> bool:
        done = subprocess.run([sys.executable, "-c", KILLED_WITH_THE_LOCK, str(log)], check=False, timeout=100)
        return done.returncode == -signal.SIGKILL

    assert kill()
    writers = [start_writer(log, f"w{number}", 3000, OPTIONS.replace("64 KB", "16 KB")) for number in range(3)]

    while any(writer.poll() is None for writer in writers):
        kill()

    assert [writer.wait(60) for writer in writers] == [0, 0, 0]
    before = len(segments(log))
    assert start_writer(log, "after", 1000, 'rotate="16 KB"').wait(60) == 0
    assert len(segments(log)) > before + 5
    found = numbers_by_writer(messages_of(log))
    assert found == {**{f"w{number}": list(range(3000)) for number in range(3)}, "after": list(range(1000))}


def test_writers_that_are_killed_lose_nothing_that_they_wrote(tmp_path: Path) -> None:
    log = tmp_path / "app.jsonl"
    writers = [start_writer(log, f"w{number}", 1_000_000, OPTIONS.replace("64 KB", "16 KB")) for number in range(4)]
    wait_for(lambda: len(segments(log)) > 20, 60)

    for writer in writers:
        writer.kill()
        writer.wait()

    found = numbers_by_writer(messages_of(log))
    assert all(numbers == list(range(len(numbers))) for numbers in found.values())
    assert start_writer(log, "next", 2000, OPTIONS).wait(60) == 0
    wait_for(lambda: not (tmp_path / ".app.jsonl.compressing").exists())
    after = numbers_by_writer(messages_of(log))
    assert after == {**found, "next": list(range(2000))}


GUNICORN = """
import logging, os, loghub
handler = loghub.JSONFileHandler("app.jsonl", rotate="16 KB", compress="gz")
logger = logging.getLogger("shop")
logger.setLevel("INFO")
logger.addHandler(handler)
logger.info("master:0")
counts = {}

def application(environ, start_response):
    pid = os.getpid()

    for _ in range(100):
        counts[pid] = counts.get(pid, -1) + 1
        logger.info("%s:%s", pid, counts[pid])

    start_response("200 OK", [("Content-Type", "text/plain")])
    return [str(pid).encode()]
"""


def test_workers_of_gunicorn_share_what_its_master_has_opened(tmp_path: Path) -> None:
    (tmp_path / "shop.py").write_text(GUNICORN)
    port = free_port()
    master = subprocess.Popen(
        [
            *(sys.executable, "-m", "gunicorn", "--preload", "--no-control-socket", "-w", "4"),
            *("-b", f"127.0.0.1:{port}", "shop:application"),
        ],
        cwd=tmp_path, env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}, stderr=subprocess.PIPE,
    )  # fmt: skip
    asked: dict[str, int] = {}

    def ask() -> bool:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=100) as answer:
            pid = answer.read().decode()
            asked[pid] = asked.get(pid, 0) + 1
            return True

    def is_up() -> bool:
        try:
            return ask()
        except OSError:
            return False

    try:
        wait_for(is_up, 60)

        for number in range(100):
            ask()

            if number == 50:
                os.kill(int(next(iter(asked))), signal.SIGKILL)
                wait_for(is_up, 60)
    finally:
        master.terminate()
        _, said = master.communicate(timeout=100)

    found = numbers_by_writer(messages_of(tmp_path / "app.jsonl"))
    assert found.pop("master") == [0]
    assert found == {pid: list(range(100 * times)) for pid, times in asked.items()}, said
    assert len(asked) > 1
    assert len(segments(tmp_path / "app.jsonl")) > 20


def test_directory_that_is_deleted_again_and_again_loses_nothing_of_the_last_second(tmp_path: Path) -> None:
    """What was written more than a look ago was deleted by whoever deleted it; what came later is in the new file."""
    log = tmp_path / "logs" / "app.jsonl"
    names = ["w0", "w1", "w2"]
    writers = [start_writer(log, name, 10_000, "", UNTIL_TOLD) for name in names]

    def all_write() -> bool:
        text = log.read_text() if log.exists() else ""
        return all(f'"{name}:' in text for name in names)

    for _ in range(3):
        wait_for(all_write)
        shutil.rmtree(log.parent)

    wait_for(all_write)
    (tmp_path / "enough").touch()
    assert [writer.wait(100) for writer in writers] == [0, 0, 0]
    found = numbers_by_writer(messages_of(log))
    assert sorted(found) == names

    for name, numbers in found.items():
        assert numbers == list(range(numbers[0], written_by(log, name))), "a gap, or a double"
