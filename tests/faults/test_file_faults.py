"""What the disk does to `JSONFileHandler`, on the real thing: nothing raises or stalls, every line has an account.

Each test logs numbered lines before, during and after the trouble, and `accounted` holds the account to the letter: the
lines in the files are in order and none is doubled, those that are missing are as many as the handler lost, and the
file tells of them.
"""

import errno
import json
import logging
import os
import re
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import textwrap
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from loghub.handlers.account import account_of
from loghub.handlers.json_file import JSONFileHandler
from loghub.segments import segments

from faults.disk import build_shim, fill, remount, small_disk, without_rights
from processes import wait_for

BOUND = 1.0
"""Seconds that no call takes by itself."""

STARVED = 10.0
"""Seconds for a few calls: the machine is shared, and others may have the processor for a while."""


class Log:
    """Numbered lines to a handler; keeps how long each call took."""

    def __init__(self, path: Path, **options: Any) -> None:
        self.path = path
        self.handler = JSONFileHandler(path, **options)
        self.sent = 0
        self.took: list[float] = []

    def write(self, count: int, size: int = 50) -> None:
        for _ in range(count):
            record = logging.makeLogRecord({"msg": f"{self.sent} {'x' * size}", "levelname": "INFO", "levelno": 20})
            begin = time.perf_counter()
            self.handler.handle(record)
            self.took.append(time.perf_counter() - begin)
            self.sent += 1

    def recover(self) -> None:
        """Write one line that finds the disk well, as the application does sooner or later."""
        self.handler.flush()
        self.write(1)

    def accounted(self, lost: int = 0) -> None:
        """Hold the account: exactly so many lines are missing, and the file tells so."""
        self.handler.close()
        events = [event for event in map(read, lines_of(self.path)) if event is not None]
        numbers = [int(event["message"].split()[0]) for event in events if "lost_lines" not in event]
        told = sum(event["lost_lines"] for event in events if "lost_lines" in event)

        assert numbers == sorted(set(numbers)), "doubled, or out of order"
        assert self.sent - len(numbers) == self.handler.lost == told == lost
        self.was_quick()

    def was_quick(self) -> None:
        """Hold that no call has waited."""
        slow = sorted(seconds for seconds in self.took if seconds >= BOUND)
        assert len(slow) <= 2, slow
        assert not slow or slow[-1] < STARVED


def lines_of(path: Path) -> list[bytes]:
    files = [*(segment.path for segment in segments(path)), path]
    return [line for file in files if file.exists() for line in file.read_bytes().splitlines()]


def read(line: bytes) -> dict[str, Any] | None:
    """Read a line; None for the fragment of a write that was cut short."""
    try:
        event: dict[str, Any] = json.loads(line)
    except ValueError:
        return None

    return event


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    with small_disk(tmp_path / "disk", "256k") as folder:
        yield folder


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """Give a folder that everybody can write to; those of pytest are for its user alone."""
    with tempfile.TemporaryDirectory() as name:
        Path(name).chmod(0o777)
        yield Path(name)


def test_disk_that_fills_up_and_has_room_again_loses_nothing(disk: Path) -> None:
    log = Log(disk / "app.jsonl")
    log.write(10)
    filler = fill(disk)
    log.write(1000)
    assert log.handler.lost == 0

    filler.unlink()
    log.recover()
    log.accounted()


def test_what_the_ring_cannot_hold_is_counted_and_told_once(disk: Path) -> None:
    log = Log(disk / "app.jsonl", waiting=100)
    filler = fill(disk)
    log.write(2000)
    lost = log.handler.lost
    assert lost > 1000

    filler.unlink()
    log.recover()
    log.accounted(lost=lost)
    assert sum(b"lost_lines" in line for line in lines_of(log.path)) == 1


def test_ring_is_bounded_in_bytes_too(disk: Path) -> None:
    log = Log(disk / "app.jsonl", waiting_bytes="20 KB")
    filler = fill(disk)
    log.write(2000)
    assert sum(len(refused.line) for refused in log.handler._sturdy._waiting) <= 20_000

    filler.unlink()
    log.recover()
    log.accounted(lost=log.handler.lost)


def test_disk_that_is_full_at_the_start_is_written_to_later(disk: Path) -> None:
    filler = fill(disk)
    log = Log(disk / "logs" / "app.jsonl")
    log.write(20)

    filler.unlink()
    log.recover()
    log.accounted()


def test_line_cut_short_by_a_full_disk_is_written_whole_behind_the_fragment(disk: Path) -> None:
    log = Log(disk / "app.jsonl")
    log.write(1)
    filler = fill(disk)
    log.write(1, size=9000)

    filler.unlink()
    log.recover()
    log.accounted()


def test_line_cut_short_by_a_full_disk_takes_no_other_process_s_line_with_it(disk: Path) -> None:
    path = disk / "app.jsonl"
    one, other = JSONFileHandler(path), JSONFileHandler(path)

    def write(handler: JSONFileHandler, message: str) -> None:
        handler.handle(logging.makeLogRecord({"msg": message}))

    write(one, "the first")
    write(other, "the second")
    filler = fill(disk)
    write(one, "long" * 3000)
    assert one.lost == 0
    assert len(path.read_bytes()) > 2000  # a part of it is there, and the rest waits

    filler.unlink()
    write(other, "the other's")  # its file is open: it knows of no trouble
    one.flush()
    write(one, "the last")
    events = [event["message"] for event in map(read, lines_of(path)) if event is not None]
    assert events == ["the first", "the second", "the other's", "long" * 3000, "the last"]

    for handler in (one, other):
        handler.close()


def test_rolls_go_on_when_the_disk_has_room_again(disk: Path) -> None:
    log = Log(disk / "app.jsonl", rotate="8 KB")
    log.write(200)
    filler = fill(disk)
    log.write(500)

    filler.unlink()
    log.recover()
    assert len(segments(log.path)) > 3
    log.accounted()


def test_thread_writes_by_itself_when_the_disk_has_room_again(disk: Path) -> None:
    log = Log(disk / "app.jsonl", write="async")
    log.write(10)
    log.handler.flush()
    filler = fill(disk)
    log.write(500)
    wait_for(lambda: log.handler._sturdy.waiting > 0)
    filler.unlink()
    wait_for(lambda: log.handler._sturdy.waiting == 0 and log.path.read_bytes().count(b"\n") >= 510)
    log.accounted()


def test_what_overflows_queue_and_ring_is_counted_to_the_line(disk: Path) -> None:
    log = Log(disk / "app.jsonl", write="async", queue=50, waiting=50, overflow="drop_oldest", rotate="8 KB")
    filler = fill(disk)
    log.write(3000)
    log.handler.flush()
    filler.unlink()
    log.recover()
    log.handler.flush()
    log.accounted(lost=log.handler.lost)


def test_quota_is_no_exception_and_the_next_file_takes_the_lines(tmp_path: Path) -> None:
    log = Log(tmp_path / "app.jsonl")
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, before[1]))

    try:
        log.write(300)
        assert log.handler.lost == 0
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)

    log.recover()
    log.accounted()


def test_disk_that_becomes_read_only_is_written_to_when_it_is_not(disk: Path) -> None:
    log = Log(disk / "app.jsonl", look_every=0)
    log.write(5)
    log.handler.close()  # a file that is open for writing refuses the remount
    remount(disk, "ro")
    log.write(50)
    remount(disk, "rw")
    log.recover()
    log.accounted()


def test_directory_removed_while_it_is_written_to_is_made_again(tmp_path: Path) -> None:
    log = Log(tmp_path / "logs" / "app.jsonl", look_every=0)
    log.write(5)
    shutil.rmtree(tmp_path / "logs")
    log.write(5)
    log.handler.close()

    numbers = [int(json.loads(line)["message"].split()[0]) for line in lines_of(log.path)]
    assert numbers[-5:] == list(range(5, 10))
    assert len(set(numbers)) == len(numbers)
    assert log.handler.lost == 0


def test_permission_lost_and_given_back(open_folder: Path) -> None:
    folder = open_folder / "logs"
    folder.mkdir()
    folder.chmod(0o777)

    def work() -> None:
        log = Log(folder / "app.jsonl", look_every=0)
        log.write(5)
        (open_folder / "taken").touch()
        wait_for_file(open_folder / "gone")
        log.write(20)
        assert log.handler._sturdy.waiting == 20
        (open_folder / "refused").touch()
        wait_for_file(open_folder / "back")
        log.recover()
        log.handler.close()
        assert log.handler.lost == 0

    child = in_child(work, prepare=without_rights)
    wait_for_file(open_folder / "taken")
    (folder / "app.jsonl").rename(folder / "old.jsonl")
    folder.chmod(0o555)
    (open_folder / "gone").touch()
    wait_for_file(open_folder / "refused")
    folder.chmod(0o777)
    (open_folder / "back").touch()
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0

    found = lines_of(folder / "old.jsonl") + lines_of(folder / "app.jsonl")
    assert [int(json.loads(line)["message"].split()[0]) for line in found] == list(range(26))


def test_io_error_of_the_device_is_waited_out(tmp_path: Path) -> None:
    shim = build_shim(tmp_path)
    switch, logs = tmp_path / "fail", tmp_path / "logs"
    code = """
        import pathlib, sys
        sys.path[:0] = [PATHS]
        from faults.test_file_faults import Log
        log = Log(pathlib.Path(LOGS) / "app.jsonl")
        log.write(5)
        switch = pathlib.Path(SWITCH)
        switch.touch()
        log.write(100)
        assert log.handler._sturdy.waiting == 100, log.handler._sturdy.waiting
        switch.unlink()
        log.recover()
        log.accounted()
    """
    names = {"PATHS": str(Path(__file__).parents[1]), "LOGS": str(logs), "SWITCH": str(switch)}

    for name, value in names.items():
        code = code.replace(name, repr(value))

    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code)], check=False, capture_output=True, text=True, timeout=60,
        env={**os.environ, "LD_PRELOAD": str(shim), "FAIL_SWITCH": str(switch), "FAIL_BELOW": str(logs)},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "Input/output error" in done.stderr


def test_no_descriptor_left_is_waited_out(tmp_path: Path) -> None:
    log = Log(tmp_path / "app.jsonl", delay=True)
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    taken: list[int] = []
    most = max(int(path.name) for path in Path("/proc/self/fd").iterdir()) + 5
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, before[1]))

    try:
        with suppress(OSError):
            while True:
                taken.append(os.open("/dev/null", os.O_RDONLY))

        log.write(50)
        assert log.handler._sturdy.waiting == 50
    finally:
        for descriptor in taken:
            os.close(descriptor)

        resource.setrlimit(resource.RLIMIT_NOFILE, before)

    log.recover()
    log.accounted()


def test_device_that_is_always_full_loses_each_line_and_counts_it(capsys: pytest.CaptureFixture[str]) -> None:
    log = Log(Path("/dev/full"), waiting=10)
    log.write(100)
    log.handler.close()

    assert log.handler.lost == 100
    log.was_quick()
    said = capsys.readouterr().err
    assert said.count("No space left") == 2, "at the start and at the end, not for each line"
    assert re.search(r"0 lines wait, \d+ are lost so far", said), "of this file, in this process"


@pytest.mark.parametrize("method", ["fork", "spawn"])
def test_end_of_a_process_of_multiprocessing_says_what_it_loses(method: str, tmp_path: Path) -> None:
    code = f"""
        import logging, multiprocessing, loghub

        def work():
            logging.getLogger().addHandler(loghub.JSONFileHandler("/dev/full"))
            for n in range(7):
                logging.warning("%d", n)

        if __name__ == "__main__":
            child = multiprocessing.get_context("{method}").Process(target=work)
            child.start()
            child.join()
    """
    (tmp_path / "script.py").write_text(textwrap.dedent(code))
    done = subprocess.run(
        [sys.executable, "script.py"], check=True, cwd=tmp_path, capture_output=True, text=True, timeout=60
    )
    assert "0 lines wait, 7 are lost so far" in done.stderr


def test_refused_rename_goes_on_in_the_file_and_rolls_when_it_may(open_folder: Path) -> None:
    path = open_folder / "logs" / "app.jsonl"
    path.parent.mkdir()
    path.touch()
    path.chmod(0o666)
    path.parent.chmod(0o555)  # what is in it may be written, but not renamed

    def work() -> None:
        log = Log(path, rotate="1 KB")
        log.write(50)
        assert log.handler.lost == 0
        assert segments(path) == []
        assert account_of(str(path)).roll_failures == 1
        log.handler._rolling._roll_at = 0.0  # ten seconds later
        log.handler._file.be_quiet(0.0, 0.0)
        (open_folder / "refused").touch()
        wait_for_file(open_folder / "back")
        log.write(50)
        assert segments(path)
        log.accounted()

    child = in_child(work, prepare=without_rights)
    wait_for_file(open_folder / "refused")
    path.parent.chmod(0o777)
    (open_folder / "back").touch()
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


@pytest.mark.parametrize("options", [{"rotate": "2 KB"}, {"maxBytes": 2000, "backupCount": 500}], ids=str)
def test_roll_that_fails_between_rename_and_opening_loses_nothing(options: dict[str, Any], tmp_path: Path) -> None:
    log = Log(tmp_path / "app.jsonl", **options)
    real, fails = os.open, [0]

    def refuse_some(path: Any, *args: Any, **kwargs: Any) -> int:
        if str(path) == str(log.path):
            fails[0] += 1

            if fails[0] % 2:
                raise OSError(errno.ENFILE, "table of files is full")

        return real(path, *args, **kwargs)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "open", refuse_some)

        for _ in range(100):
            log.write(1)
            log.handler.flush()  # does not wait for the pause to end

    log.recover()
    log.handler.close()
    names = sorted((path for path in tmp_path.iterdir() if path.is_file()), key=lambda path: path.name)
    found = {int(json.loads(line)["message"].split()[0]) for path in names for line in path.read_bytes().splitlines()}
    assert found == set(range(101))
    assert fails[0] > 10


@pytest.mark.parametrize("options", [{"rotate": "2 KB"}, {"maxBytes": 2000, "backupCount": 50}], ids=str)
def test_killed_at_every_step_of_a_roll_leaves_each_line_once(options: dict[str, Any], tmp_path: Path) -> None:
    """A child is killed before the n-th call to the system that it makes from its first roll on, for each n."""
    killed = 0

    for step in range(25):
        folder = tmp_path / str(step)
        folder.mkdir()
        status = os.waitstatus_to_exitcode(os.waitpid(in_child(partial(die_at, folder, step, options)), 0)[1])
        assert status == -signal.SIGKILL
        killed += (folder / "rolls").exists()

        survivor = Log(folder / "app.jsonl", **options)
        survivor.write(30)
        survivor.handler.close()
        lines = [line for path in folder.glob("app*.jsonl*") for line in path.read_bytes().splitlines()]
        numbers = sorted(int(json.loads(line)["message"].split()[0]) for line in lines)
        sent = int((folder / "sent").read_text())
        assert numbers in (sorted([*range(sent), *range(30)]), sorted([*range(sent + 1), *range(30)]))

    assert killed == 25


def die_at(folder: Path, step: int, options: dict[str, Any]) -> None:
    log = Log(folder / "app.jsonl", **options)
    left = step

    def counted(real: Callable[..., Any]) -> Callable[..., Any]:
        def call(*args: Any, **kwargs: Any) -> Any:
            nonlocal left
            left -= 1

            if left < 0:
                os.kill(os.getpid(), signal.SIGKILL)

            return real(*args, **kwargs)

        return call

    for number in range(60):
        (folder / "sent").write_text(str(number))

        if log.handler._file.held > 1800 and not (folder / "rolls").exists():
            (folder / "rolls").touch()

            for name in ("open", "rename", "replace", "close", "write", "fstat", "stat", "listdir", "lseek"):
                setattr(os, name, counted(getattr(os, name)))

        log.write(1)


def in_child(work: Callable[[], None], prepare: Callable[[], None] = lambda: None) -> int:
    """Do it in a child; its exit status says whether it held."""
    child = os.fork()

    if child:
        return child

    status = 1

    try:
        prepare()
        work()
        status = 0
    except BaseException:  # noqa: BLE001 (pytest's own machinery must not run twice)
        sys.excepthook(*sys.exc_info())
    finally:
        sys.stderr.flush()
        os._exit(status)


def wait_for_file(path: Path) -> None:
    deadline = time.monotonic() + 60

    while not path.exists():
        assert time.monotonic() < deadline, path
        time.sleep(0.01)
