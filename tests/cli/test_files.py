"""`loghub search` and `loghub tail` on files, as processes on pipes and terminals."""

import io
import json
import os
import pty
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout, suppress
from dataclasses import dataclass
from pathlib import Path

import pytest

from loghub.cli import main

from log_sets import line, lines, write

SEGMENT = "app-20261122T120001-0001.jsonl"


def command(*arguments: object) -> list[str]:
    return [sys.executable, "-m", "loghub.cli", *map(str, arguments)]


@dataclass(frozen=True)
class Done:
    returncode: object
    stdout: str
    stderr: str


def run(*arguments: object) -> Done:
    """Run a command in this process."""
    out, err = io.StringIO(), io.StringIO()

    with pytest.MonkeyPatch.context() as patch, redirect_stdout(out), redirect_stderr(err):
        patch.setattr(sys, "argv", ["loghub", *map(str, arguments)])

        with pytest.raises(SystemExit) as ended:
            main()

    return Done(ended.value.code or 0, out.getvalue(), err.getvalue())


def messages(output: str) -> list[str]:
    return re.findall(r"\bm\d+\b", output)


@contextmanager
def running(*arguments: object) -> Iterator["subprocess.Popen[bytes]"]:
    process = subprocess.Popen(command(*arguments), stdout=subprocess.PIPE, stderr=subprocess.PIPE)

    with process:
        try:
            yield process
        finally:
            process.kill()


def test_search_gives_what_matches_of_all_files_as_readable_lines(tmp_path: Path) -> None:
    log = write(tmp_path / "app.jsonl", line(2) + line(3, level="ERROR", order=7))
    write(tmp_path / (SEGMENT + ".gz"), line(0) + line(1, level="CRITICAL"))
    done = run("search", "level>=error", log)
    shown = re.sub(r"^2026-09-2\d \d\d:\d\d:20", "DAY", done.stdout, flags=re.MULTILINE)

    assert shown == "DAY.001 CRITICAL shop m1 n=1\nDAY.003 ERROR    shop m3 n=3 order=7\n"
    assert (done.returncode, done.stderr) == (0, "")


def test_search_gives_the_lines_as_they_are(tmp_path: Path) -> None:
    log = write(tmp_path / "app.jsonl", line(0) + b'{"message":  "m1", "odd": [1,2]}\n')

    assert run("search", "m1", log, "--json").stdout == '{"message":  "m1", "odd": [1,2]}\n'


def test_search_without_a_match_ends_as_grep_does(tmp_path: Path) -> None:
    assert run("search", "nothing", write(tmp_path / "app.jsonl", line(0))).returncode == 1


def test_logs_are_merged_by_time_and_the_files_of_one_read_once(tmp_path: Path) -> None:
    write(tmp_path / "app.jsonl", line(2) + line(4))
    write(tmp_path / SEGMENT, line(0))
    write(tmp_path / "web.jsonl", line(1) + line(3))
    done = run("search", "", *sorted(tmp_path.glob("*.jsonl")))

    assert messages(done.stdout) == ["m0", "m1", "m2", "m3", "m4"]
    assert messages(run("search", "", *sorted(tmp_path.glob("*.jsonl")), "-n", 2).stdout) == ["m3", "m4"]


def test_wrong_query_shows_its_place_and_no_file_is_read(tmp_path: Path) -> None:
    log = write(tmp_path / "app.jsonl", line(0))
    done = run("search", "level>=eror payments", log)

    assert done.returncode == 2
    assert done.stderr.splitlines()[:2] == ["loghub: level>=eror payments", "               ^"]
    assert "at character 8: expected a level" in done.stderr
    assert run("tail", "-q", "level>=eror payments", log).stderr == done.stderr


def test_stages_are_refused(tmp_path: Path) -> None:
    done = run("search", "error | count by service", write(tmp_path / "app.jsonl", line(0)))

    assert done.returncode == 2
    assert "stages (what follows a |) are not available here" in done.stderr


@pytest.mark.parametrize("name", ["search", "tail"])
def test_missing_log_is_named(tmp_path: Path, name: str) -> None:
    query = ("",) if name == "search" else ()
    done = run(name, *query, tmp_path / "no.jsonl")

    assert done.returncode == 2
    assert done.stderr == f"loghub: loghub {name}: FILE='{tmp_path}/no.jsonl': give a log that exists\n"


def test_text_that_is_no_event_is_searched_and_shown_without_its_control_characters(tmp_path: Path) -> None:
    log = write(tmp_path / "app.log", b"starting\nfailed \x1b[31mhard\n" + line(0) + b"failed again\n")
    done = run("search", "failed", log)

    assert done.stdout == "failed \\x1b[31mhard\nfailed again\n"


def test_damage_is_said_beside_the_output(tmp_path: Path) -> None:
    broken = write(tmp_path / (SEGMENT + ".zst"), lines(range(100)))
    broken.write_bytes(broken.read_bytes()[:-9])
    done = run("search", "m100", write(tmp_path / "app.jsonl", line(100)))

    assert messages(done.stdout) == ["m100"]
    assert f"loghub: {broken} at byte " in done.stderr
    assert "ends too early" in done.stderr


def test_tail_shows_the_last_ones_of_the_whole_set(tmp_path: Path) -> None:
    log = write(tmp_path / "app.jsonl", lines(range(6, 9)) + line(9).rstrip())
    write(tmp_path / (SEGMENT + ".gz"), lines(range(6)))

    assert messages(run("tail", log).stdout) == [f"m{number}" for number in range(10)]
    assert messages(run("tail", log, "-n", 2).stdout) == ["m8", "m9"]
    assert messages(run("tail", log, "-n", 2, "-q", "n<6").stdout) == ["m4", "m5"]
    assert run("tail", log, "-n", 0).stdout == ""


def test_output_that_nobody_reads_any_more_ends_it_quietly(tmp_path: Path) -> None:
    log = write(tmp_path / "app.jsonl", lines(range(20_000)))
    line_of_shell = " ".join(command("search", "''", log)) + " | head -n 1"
    done = subprocess.run(line_of_shell, shell=True, check=True, capture_output=True, text=True, timeout=60)  # noqa: S602 (a pipe of the shell is the case)

    assert messages(done.stdout) == ["m0"]
    assert done.stderr == ""


def on_terminal(*arguments: object, **environment: str) -> str:
    """Run a command whose output is a terminal, and give what it wrote there."""
    master, slave = pty.openpty()
    done = subprocess.run(command(*arguments), check=True, stdout=slave, env={**os.environ, **environment}, timeout=60)
    os.close(slave)
    shown = b""

    with suppress(OSError):  # where nobody has it open for writing any more
        while piece := os.read(master, 10_000):
            shown += piece

    os.close(master)
    assert done.returncode == 0
    return shown.decode()


def test_terminal_gets_colours_unless_no_color_is_set(tmp_path: Path) -> None:
    log = write(tmp_path / "app.jsonl", line(0, level="ERROR"))

    assert "\x1b[31mERROR" in on_terminal("search", "", log, NO_COLOR="", FORCE_COLOR="")
    assert "\x1b" not in on_terminal("tail", log, NO_COLOR="1")
    assert json.loads(on_terminal("search", "", log, "--json"))["n"] == 0


def test_ctrl_c_ends_tail_quietly(tmp_path: Path) -> None:
    with running("tail", "-f", write(tmp_path / "app.jsonl", line(0))) as tail:
        assert tail.stdout is not None
        assert b"m0" in tail.stdout.readline()
        tail.send_signal(signal.SIGINT)
        _, said = tail.communicate(timeout=100)

    assert (tail.returncode, said) == (130, b"")


ROLLING = """
import logging, sys, loghub
handler = loghub.JSONFileHandler(sys.argv[1], rotate="20 KB")
log = logging.getLogger("shop")
log.addHandler(handler)
log.setLevel("INFO")
for number in range(3000):
    log.info("m%d", number, extra={"n": number})
"""


def test_tail_follows_a_handler_that_rolls_fast_and_loses_and_doubles_nothing(tmp_path: Path) -> None:
    log = tmp_path / "logs" / "app.jsonl"

    # What is there when tail begins, on a busy machine the first segments, is shown too.
    with running("tail", "-f", "-n", 3000, "--json", "-q", "n>=0", log) as tail:
        subprocess.run([sys.executable, "-c", ROLLING, str(log)], check=True, timeout=60)
        assert tail.stdout is not None
        found = [json.loads(tail.stdout.readline())["n"] for _ in range(3000)]

    assert found == list(range(3000))
    assert len(list(log.parent.glob("*.jsonl"))) > 20


def test_tail_follows_a_log_that_is_truncated_deleted_and_made_again(tmp_path: Path) -> None:
    log = write(tmp_path / "app.jsonl", line(0))

    with running("tail", "-f", log) as tail:
        assert tail.stdout is not None
        shown = tail.stdout
        assert b"m0" in shown.readline()
        os.truncate(log, 0)
        write(log, line(1))
        assert b"m1" in shown.readline()
        log.unlink()
        write(log, line(2))
        assert b"m2" in shown.readline()
        log.rename(tmp_path / "app.jsonl.1")

        with (tmp_path / "app.jsonl.1").open("ab") as late:
            late.write(line(3))

        assert b"m3" in shown.readline()
        write(log, line(4))
        assert b"m4" in shown.readline()


def test_address_where_no_hub_is_is_told() -> None:
    done = run("search", "error", "http://127.0.0.1:1")

    assert done.returncode == 2
    assert "no answer from the hub at http://127.0.0.1:1" in done.stderr
