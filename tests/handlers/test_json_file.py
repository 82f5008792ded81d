import json
import logging
import os
import shutil
import subprocess
import sys
import tempfile
import threading
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import pytest

from loghub.handlers.hold import alone
from loghub.handlers.json_file import JSONFileHandler
from loghub.handlers.rolling import segment_path
from loghub.handlers.upkeep import upkeep
from loghub.segments import open_segment, segments

from processes import run_python


def log_to(handler: logging.Handler, messages: Iterable[str]) -> None:
    for message in messages:
        handler.handle(logging.makeLogRecord({"msg": message, "levelname": "INFO", "levelno": 20}))


def messages_of(path: Path) -> list[str]:
    files = [*(open_segment(segment) for segment in segments(path)), *([path.open("rb")] if path.exists() else [])]
    found: list[str] = []

    for file in files:
        with file:
            found.extend(json.loads(line)["message"] for line in file)

    return found


def test_directory_is_made_and_each_record_is_a_line(tmp_path: Path) -> None:
    path = tmp_path / "a" / "b" / "app.jsonl"
    handler = JSONFileHandler(path)

    log_to(handler, ["one", "two\nlines"])
    handler.close()

    assert messages_of(path) == ["one", "two\nlines"]
    assert path.read_bytes().count(b"\n") == 2


def test_no_file_grows_over_the_limit_and_no_line_is_lost(tmp_path: Path) -> None:
    path = tmp_path / "app.jsonl"
    handler = JSONFileHandler(path, rotate="2 KB")
    sent = [f"message {number} \u00e4\u00f6\u00fc" for number in range(200)]

    log_to(handler, sent)
    handler.close()

    assert messages_of(path) == sent
    assert len(segments(path)) > 10
    assert all(segment.path.stat().st_size <= 2000 for segment in segments(path))


def test_line_longer_than_the_limit_has_a_file_of_its_own(tmp_path: Path) -> None:
    path = tmp_path / "app.jsonl"
    handler = JSONFileHandler(path, rotate="1 KB")

    log_to(handler, ["short", "x" * 3000, "after"])
    handler.close()

    assert [len(s.path.read_text().splitlines()) for s in segments(path)] == [1, 1]
    assert messages_of(path) == ["short", "x" * 3000, "after"]


def test_only_so_many_segments_are_kept(tmp_path: Path) -> None:
    path = tmp_path / "app.jsonl"
    handler = JSONFileHandler(path, rotate="1 KB", keep_files=3)

    log_to(handler, [f"{n}" for n in range(200)])
    handler.close()
    assert upkeep().settle(20)

    assert len(segments(path)) == 3
    assert messages_of(path)[-1] == "199"


def test_segments_are_compressed_behind_the_application(tmp_path: Path) -> None:
    path = tmp_path / "app.jsonl"
    handler = JSONFileHandler(path, rotate="1 KB", compress="zst", keep_total="1 MB", keep_free="1 KB")
    sent = [f"{n}" for n in range(100)]

    log_to(handler, sent)
    assert upkeep().settle(20)
    handler.close()

    assert {segment.form for segment in segments(path)} == {".zst"}
    assert messages_of(path) == sent


def test_segment_that_another_handler_still_writes_to_is_neither_compressed_nor_deleted(tmp_path: Path) -> None:
    path = tmp_path / "app.jsonl"
    slow = JSONFileHandler(path)
    log_to(slow, ["one"])
    fast = JSONFileHandler(path, rotate="400 B", compress="gz", keep_files=1)
    log_to(fast, [f"{n}" for n in range(40)])
    assert upkeep().settle(20)
    log_to(slow, ["two"])

    assert segments(path)[0].form == ""
    assert {"one", "two"} <= set(messages_of(path)), "the first segment went while it was written to"
    slow.close()
    log_to(fast, [f"{n}" for n in range(40)])
    assert upkeep().settle(20)
    fast.close()
    assert "one" not in messages_of(path)


def test_emit_after_close_opens_the_file_again(tmp_path: Path) -> None:
    path = tmp_path / "app.jsonl"
    handler = JSONFileHandler(path)

    log_to(handler, ["one"])
    handler.close()
    handler.close()
    log_to(handler, ["two"])
    handler.close()

    assert messages_of(path) == ["one", "two"]


def test_torn_line_of_a_crash_is_ended_before_the_next_one(tmp_path: Path) -> None:
    path = tmp_path / "app.jsonl"
    path.write_bytes(b'{"message":"whole"}\n{"message":"to')
    handler = JSONFileHandler(path)

    log_to(handler, ["next"])
    handler.close()

    lines = path.read_bytes().splitlines()
    assert lines[1] == b'{"message":"to'
    assert json.loads(lines[2])["message"] == "next"


def test_file_moved_away_or_directory_deleted_is_noticed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    now = [1000.0]
    monkeypatch.setattr("time.time", lambda: now[0])
    path = tmp_path / "logs" / "app.jsonl"
    handler = JSONFileHandler(path)
    log_to(handler, ["one"])

    path.rename(tmp_path / "moved.jsonl")
    log_to(handler, ["two"])
    now[0] += 2
    log_to(handler, ["three"])
    assert messages_of(tmp_path / "moved.jsonl") == ["one", "two"]
    assert messages_of(path) == ["three"]

    shutil.rmtree(path.parent)
    now[0] += 2
    log_to(handler, ["four"])
    handler.close()
    assert messages_of(path) == ["three", "four"], "what was written since the last look went with the directory"


@pytest.mark.parametrize("instead", ["", "replaced\n"])
def test_lines_written_to_a_deleted_file_are_brought_to_its_place_at_the_end(instead: str, tmp_path: Path) -> None:
    path = tmp_path / "app.jsonl"
    handler = JSONFileHandler(path)
    log_to(handler, ["one"])

    if instead:
        (tmp_path / "new").write_text(instead)
        (tmp_path / "new").rename(path)
    else:
        path.unlink()

    log_to(handler, ["two"])
    handler.close()

    assert path.read_text().startswith(instead)
    assert [json.loads(line)["message"] for line in path.read_text().splitlines() if line[0] == "{"] == ["one", "two"]


def test_lines_of_a_moved_file_are_not_doubled(tmp_path: Path) -> None:
    path = tmp_path / "app.jsonl"
    handler = JSONFileHandler(path)
    log_to(handler, ["one"])
    path.rename(tmp_path / "moved.jsonl")

    handler.close()
    log_to(handler, ["two"])
    handler.close()

    assert messages_of(tmp_path / "moved.jsonl") == ["one"]
    assert messages_of(path) == ["two"]


def test_megabyte_of_lines_is_looked_after_at_once(tmp_path: Path) -> None:
    path = tmp_path / "app.jsonl"
    handler = JSONFileHandler(path)
    log_to(handler, ["x" * 1000])
    path.unlink()
    log_to(handler, [f"{n}" * 1000 for n in range(1010)])
    handler.close()

    assert len(messages_of(path)) == 1011
    assert handler._file._doubtful == []


@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")  # threads of other tests
def test_child_of_a_fork_writes_none_of_its_parents_lines_and_holds_no_segment(tmp_path: Path) -> None:
    path = tmp_path / "app.jsonl"
    handler = JSONFileHandler(path, rotate="1 MB")
    log_to(handler, ["parent"])
    wait, ring = os.pipe()
    ready, tell = os.pipe()
    child = os.fork()

    if child == 0:
        os.write(tell, b"!")
        os.close(ring)
        os.read(wait, 1)
        log_to(handler, ["child"])
        handler.close()
        os._exit(0)

    os.read(ready, 1)
    handler.close()

    with alone(path) as descriptor:
        is_free = descriptor is not None

    path.unlink()
    os.write(ring, b"!")
    os.waitpid(child, 0)

    for end in (wait, ring, ready, tell):
        os.close(end)

    assert is_free, "the child holds what it has inherited"
    assert messages_of(path) == ["child"]


def test_midnight_rolls_also_after_a_restart(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "app.jsonl"
    first = JSONFileHandler(path, rotate="midnight")
    log_to(first, ["yesterday"])
    first.close()
    tomorrow = path.stat().st_mtime + 86_400

    monkeypatch.setattr("time.time", lambda: tomorrow)
    second = JSONFileHandler(path, rotate="midnight")
    log_to(second, ["today"])
    second.close()

    assert len(segments(path)) == 1
    assert messages_of(path) == ["yesterday", "today"]


def test_file_that_was_empty_when_its_time_came_has_the_lines_of_the_next_period(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = [7200.0]
    monkeypatch.setattr("time.time", lambda: now[0])
    path = tmp_path / "app.jsonl"
    path.touch()
    os.utime(path, (0, 0))
    handler = JSONFileHandler(path, rotate="1 hour")
    handler._rolling.look(handler._file, now[0])

    now[0] += 3605
    log_to(handler, ["one"])
    now[0] += 5
    log_to(handler, ["two"])
    handler.close()

    assert segments(path) == []
    assert messages_of(path) == ["one", "two"]


def test_full_disk_is_no_exception_and_each_lost_line_is_counted(capsys: pytest.CaptureFixture[str]) -> None:
    handler = JSONFileHandler("/dev/full")

    log_to(handler, ["one", "two", "three"])
    handler.close()

    assert handler.lost == 3
    assert capsys.readouterr().err.count("No space left") == 2  # when it begins, and in the end


def test_refused_rename_goes_on_in_the_same_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError(13, "held open")

    monkeypatch.setattr(Path, "rename", refuse)
    path = tmp_path / "app.jsonl"
    handler = JSONFileHandler(path, rotate="500 B")

    log_to(handler, [f"{n}" for n in range(20)])
    handler.close()

    assert messages_of(path) == [f"{n}" for n in range(20)]
    assert handler.lost == 0


def test_configuration_starts_no_thread(tmp_path: Path) -> None:
    run_python(
        """
        import threading, loghub
        options = {"rotate": "1 MB", "keep": "1 day", "compress": "gz", "durability": "interval", "write": "async"}
        handler = loghub.JSONFileHandler("app.jsonl", **options)
        assert threading.active_count() == 1, threading.enumerate()
        """,
        cwd=tmp_path,
    )


WRITER = """
import logging, sys, loghub
handler = loghub.JSONFileHandler(sys.argv[1], rotate="16 KB")

for n in range(1000):
    handler.handle(logging.makeLogRecord({"msg": f"{sys.argv[2]}:{n}"}))

handler.close()
"""


def test_processes_share_a_rotated_file_without_losing_or_tearing_a_line(tmp_path: Path) -> None:
    path = tmp_path / "app.jsonl"
    writers = [subprocess.Popen([sys.executable, "-c", WRITER, str(path), f"w{w}"]) for w in range(4)]
    assert [writer.wait(60) for writer in writers] == [0, 0, 0, 0]

    found = messages_of(path)
    assert len(segments(path)) > 10

    for w in range(4):
        assert [m for m in found if m.startswith(f"w{w}:")] == [f"w{w}:{n}" for n in range(1000)]


def test_written_lines_survive_kill_9(tmp_path: Path) -> None:
    path = tmp_path / "app.jsonl"
    code = (
        "import logging, os, signal, loghub\n"
        f"loghub.configure({{'handlers': {{'f': {{'class': 'loghub.JSONFileHandler', 'filename': {str(path)!r}}}}},"
        " 'root': {'handlers': ['f']}})\n"
        "for n in range(100): logging.warning('line %d', n)\n"
        "os.kill(os.getpid(), signal.SIGKILL)\n"
    )

    done = subprocess.run([sys.executable, "-c", code], check=False, timeout=60)

    assert done.returncode == -9
    assert messages_of(path) == [f"line {n}" for n in range(100)]


def as_nobody(work: Callable[[], bool]) -> bool:
    """Do it in a child without root's rights, which no permission binds."""
    child = os.fork()

    if child == 0:
        status = 2

        try:
            if os.getuid() == 0:
                os.setuid(65_534)

            status = 0 if work() else 1
        finally:
            os._exit(status)

    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """Give a folder that everybody can reach; those of pytest are for its user alone."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        yield Path(folder)


def test_directory_that_cannot_be_written_is_no_exception(open_folder: Path) -> None:
    def log() -> bool:
        handler = JSONFileHandler(open_folder / "new" / "app.jsonl")
        log_to(handler, ["one"])
        handler.close()
        return handler.lost == 1

    assert as_nobody(log)


def test_file_that_cannot_be_rolled_over_goes_on_and_loses_nothing(open_folder: Path) -> None:
    path = open_folder / "app.jsonl"
    path.touch()
    path.chmod(0o666)

    def log() -> bool:
        handler = JSONFileHandler(path, rotate="1 KB", keep_files=1)
        log_to(handler, [f"{n}" for n in range(50)])
        return handler.lost == 0

    assert as_nobody(log)
    assert messages_of(path) == [f"{n}" for n in range(50)]


def test_file_that_may_be_written_and_not_read_is_appended_to(open_folder: Path) -> None:
    path = open_folder / "app.jsonl"
    path.write_text("{}\n")
    path.chmod(0o222)

    def log() -> bool:
        handler = JSONFileHandler(path)
        log_to(handler, ["one"])
        return handler.lost == 0

    assert as_nobody(log)
    assert len(path.read_text().splitlines()) == 2


def test_line_is_one_write_of_whole_bytes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    handler = JSONFileHandler(tmp_path / "app.jsonl", rotate="100 MB")
    log_to(handler, ["opens the file"])
    written: list[bytes] = []
    real = os.write

    def write(descriptor: int, data: bytes) -> int:
        written.append(data)
        return real(descriptor, data)

    monkeypatch.setattr(os, "write", write)
    log_to(handler, ["one", "x" * 100_000])
    monkeypatch.undo()
    handler.close()

    assert [data.count(b"\n") for data in written] == [1, 1]
    assert all(data.endswith(b"\n") for data in written)


def test_file_that_somebody_else_has_rolled_is_not_rolled_again(tmp_path: Path) -> None:
    path = tmp_path / "app.jsonl"
    mine, other = JSONFileHandler(path, rotate="2 KB"), JSONFileHandler(path, rotate="2 KB")

    for turn in range(40):
        log_to(mine, [f"mine {turn}"])
        log_to(other, [f"other {turn}"])

    mine.close()
    other.close()
    sizes = [segment.path.stat().st_size for segment in segments(path)]
    assert min(sizes) > 1000, "a roll of a file that was just begun"
    assert len(messages_of(path)) == 80


@pytest.mark.parametrize("form", ["", ".gz", ".zst"])
def test_segment_that_a_list_lacks_since_it_is_compressed_meanwhile_is_not_overwritten(
    form: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "app.jsonl"
    path.touch()
    taken = [tmp_path / f"app-20010909T014640-{number:04d}.jsonl{form}" for number in (1, 2)]

    for segment in taken:
        segment.touch()

    monkeypatch.setattr(os, "listdir", lambda _: ["app.jsonl"])

    assert segment_path(path, 1_000_000_000.0) == tmp_path / "app-20010909T014640-0003.jsonl"


def test_descriptor_that_is_closed_meanwhile_is_nobody_elses_for_who_writes(tmp_path: Path) -> None:
    path = tmp_path / "app.jsonl"
    handler = JSONFileHandler(path, rotate="20 KB")
    decoys = [tmp_path / f"decoy-{number}" for number in range(8)]
    ended = threading.Event()

    def write() -> None:
        log_to(handler, (f"line {number}" for number in range(1500)))

    def take_descriptors() -> None:  # each one that the handler lets go of is the next that is given out
        while not ended.is_set():
            files = [path.open("ab", buffering=0) for path in decoys]

            for file in files:
                file.close()

            handler.close()

    writers = [threading.Thread(target=write) for _ in range(4)]
    taker = threading.Thread(target=take_descriptors)

    for thread in (taker, *writers):
        thread.start()

    for thread in writers:
        thread.join()

    ended.set()
    taker.join()
    handler.close()

    assert [path.stat().st_size for path in decoys] == [0] * 8
    assert Counter(messages_of(path)) == {f"line {number}": 4 for number in range(1500)}
