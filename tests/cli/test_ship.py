"""`loghub ship` as a process: spools and log files of applications that only write arrive once, however it ends."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from loghub.handlers.spool.dead import dead_records

from processes import run_python
from scripted_hub import Received, ScriptedHub, scripted_hub, status


def environment(folder: Path, **more: str) -> dict[str, str]:
    clean = {name: value for name, value in os.environ.items() if not name.startswith("LOGHUB_")}
    return {**clean, "XDG_STATE_HOME": str(folder / "state"), **more}


def ship(folder: Path, *arguments: object, **more: str) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", "loghub.cli", "ship", *map(str, arguments)]
    return subprocess.run(
        command, check=False, cwd=folder, capture_output=True, text=True, timeout=60, env=environment(folder, **more)
    )


@contextmanager
def shipping(folder: Path, *arguments: object) -> Iterator["subprocess.Popen[str]"]:
    command = [sys.executable, "-m", "loghub.cli", "ship", *map(str, arguments)]
    process = subprocess.Popen(
        command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment(folder)
    )

    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def write(path: Path, *messages: object, mode: str = "a") -> None:
    with path.open(mode) as file:
        file.writelines(json.dumps({"message": str(message)}) + "\n" for message in messages)


@pytest.fixture
def hub() -> Iterator[ScriptedHub]:
    with scripted_hub() as made:
        yield made


def spool_records(folder: Path, url: str, count: int) -> None:
    run_python(
        f"""
        import logging
        from loghub.handlers.remote import RemoteHandler
        logging.getLogger().addHandler(RemoteHandler({url!r}, spool="spool", send=False))
        for n in range({count}): logging.getLogger().warning("record %d", n)
        """,
        cwd=folder,
    )


def test_spool_is_sent_to_the_address_it_was_written_for(tmp_path: Path, hub: ScriptedHub) -> None:
    spool_records(tmp_path, hub.url, 1200)
    done = ship(tmp_path, "spool", "--once")
    assert done.returncode == 0, done.stderr
    assert hub.messages == [f"record {number}" for number in range(1200)]
    assert not list((tmp_path / "spool" / "v1").iterdir())


def test_spool_of_an_application_that_lives_is_sent(tmp_path: Path, hub: ScriptedHub) -> None:
    code = f"""
    import logging, sys
    from loghub.handlers.remote import RemoteHandler
    logging.getLogger().addHandler(RemoteHandler({hub.url!r}, spool="spool", send=False))
    logging.getLogger().warning("while it lives")
    sys.stdin.read()
    """
    (tmp_path / "spool").mkdir()
    script = [sys.executable, "-c", "import textwrap; exec(textwrap.dedent('''" + code + "'''))"]

    with subprocess.Popen(script, cwd=tmp_path, stdin=subprocess.PIPE) as app:
        with shipping(tmp_path, "spool", "--url", hub.url):
            hub.wait_for(lambda: len(hub.stored) == 1)
            assert app.poll() is None

        app.kill()


def test_lines_of_a_file_are_sent_once_over_several_runs_and_rotations(tmp_path: Path, hub: ScriptedHub) -> None:
    log = tmp_path / "app.jsonl"
    write(log, *range(700))
    assert ship(tmp_path, log, "--once", "--url", hub.url).returncode == 0
    write(log, 700)
    log.rename(tmp_path / "app.jsonl.1")
    write(log, 701, 702)
    assert ship(tmp_path, log, "--once", "--url", hub.url).returncode == 0
    assert ship(tmp_path, log, "--once", "--url", hub.url).returncode == 0
    assert sorted(map(int, hub.messages)) == list(range(703))
    assert sum(len(request.lines) for request in hub.requests) == 703


def test_lines_are_sent_again_under_the_same_names_after_a_kill(tmp_path: Path) -> None:
    """Killed between the hub's storing and its answer."""
    log = tmp_path / "app.jsonl"
    write(log, *range(10))

    def silent(hub: ScriptedHub, _connection: Any, received: Received) -> bool:
        hub.store(received)
        process.kill()
        process.wait()
        return False

    with scripted_hub(silent) as hub:
        with shipping(tmp_path, log, "--url", hub.url) as process:
            hub.wait_for(lambda: len(hub.stored) == 10)
            process.wait(60)

        write(log, 10)
        assert ship(tmp_path, log, "--once", "--url", hub.url).returncode == 0
        assert [request.identity.first for request in hub.requests] == [1, 1]
        assert sorted(map(int, hub.messages)) == list(range(11))


def test_new_lines_are_followed_and_sigterm_ends_it_cleanly(tmp_path: Path, hub: ScriptedHub) -> None:
    logs = tmp_path / "logs"
    logs.mkdir()
    write(logs / "one.jsonl", "a")

    with shipping(tmp_path, logs, "--url", hub.url) as process:
        hub.wait_for(lambda: len(hub.stored) == 1)
        write(logs / "one.jsonl", "b")
        write(logs / "two.jsonl", "c")
        hub.wait_for(lambda: len(hub.stored) == 3)
        process.send_signal(signal.SIGTERM)
        assert process.wait(60) == 0

    assert ship(tmp_path, logs, "--once", "--url", hub.url).returncode == 0
    assert sorted(hub.messages) == ["a", "b", "c"]
    assert sum(len(request.lines) for request in hub.requests) == 3


def test_blank_and_plain_lines_keep_their_numbers(tmp_path: Path, hub: ScriptedHub) -> None:
    (tmp_path / "app.log").write_bytes(b'{"message":"a"}\n\n[plain] \xff text\n   \n{"message":"b"}\n')
    assert ship(tmp_path, "app.log", "--once", "--url", hub.url).returncode == 0
    assert sorted(seq for _, seq in hub.stored) == [1, 3, 5]
    assert hub.messages == ["a", "[plain] \\xff text", "b"]


def test_line_that_is_refused_for_good_is_kept_in_the_state(tmp_path: Path) -> None:
    def choosy(hub: ScriptedHub, connection: Any, received: Received) -> bool:
        bad = any(b"poison" in line for line in received.lines)
        return status(422 if bad else 200)(hub, connection, received)

    write(tmp_path / "app.jsonl", "a", "poison", "b")

    with scripted_hub(otherwise=choosy) as hub:
        assert ship(tmp_path, "app.jsonl", "--once", "--url", hub.url, "--state", "kept").returncode == 0
        assert hub.messages == ["a", "b"]

    (state,) = (tmp_path / "kept").iterdir()
    assert [(record.seq, record.reason) for record in dead_records(state)] == [(2, "HTTP 422")]


def test_hub_that_does_not_answer_ends_a_patient_run_with_status_1_and_nothing_is_lost(tmp_path: Path) -> None:
    write(tmp_path / "app.jsonl", "a")

    with scripted_hub(otherwise=status(401)) as hub:
        done = ship(tmp_path, "app.jsonl", "--once", "--patience", "1 s", "--url", hub.url)
        assert done.returncode == 1
        assert "HTTP 401" in done.stderr
        hub.otherwise = status(200)
        assert ship(tmp_path, "app.jsonl", "--once", "--url", hub.url).returncode == 0
        assert hub.messages == ["a"]


def test_second_process_for_a_log_is_refused(tmp_path: Path, hub: ScriptedHub) -> None:
    write(tmp_path / "app.jsonl", "a")

    with shipping(tmp_path, "app.jsonl", "--url", hub.url):
        hub.wait_for(lambda: len(hub.stored) == 1)
        done = ship(tmp_path, "app.jsonl", "--once", "--url", hub.url)
        assert done.returncode == 2
        assert "another process ships it" in done.stderr


def test_damaged_positions_are_an_error_and_no_second_sending(tmp_path: Path, hub: ScriptedHub) -> None:
    write(tmp_path / "app.jsonl", "a")
    assert ship(tmp_path, "app.jsonl", "--once", "--url", hub.url, "--state", "kept").returncode == 0
    (positions,) = (tmp_path / "kept").glob("*/positions.json")
    positions.write_text("{")
    done = ship(tmp_path, "app.jsonl", "--once", "--url", hub.url, "--state", "kept")
    assert done.returncode == 2
    assert "delete it" in done.stderr
    assert len(hub.requests) == 1


def test_without_an_address_it_says_what_to_give(tmp_path: Path) -> None:
    write(tmp_path / "app.jsonl", "a")
    done = ship(tmp_path, "app.jsonl", "--once")
    assert done.returncode == 2
    assert "--url" in done.stderr


def test_directories_that_come_later_are_waited_for_and_said(tmp_path: Path, hub: ScriptedHub) -> None:
    """A sidecar is often there before its application."""
    (tmp_path / "empty").mkdir()

    with shipping(tmp_path, "spool", "logs", "empty", "--url", hub.url) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == f"Sending to {hub.url}\n"
        spool_records(tmp_path, hub.url, 2)
        (tmp_path / "logs").mkdir()
        write(tmp_path / "logs" / "app.jsonl", "of a new directory")
        write(tmp_path / "empty" / "app.jsonl", "of an empty one")
        expected = {"record 0", "record 1", "of a new directory", "of an empty one"}
        hub.wait_for(lambda: set(hub.messages) == expected)
        process.terminate()
        _, said = process.communicate(timeout=100)
        assert said == "spool is not there yet\nlogs is not there yet\n"

    assert len(hub.messages) == 4
