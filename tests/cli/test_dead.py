import os
import subprocess
import sys
from pathlib import Path

import pytest

from loghub.handlers.spool.dead import DeadRecord, add, dead_records

from scripted_hub import scripted_hub, status

SOURCE = "0123456789ab" * 2


@pytest.fixture
def spool(tmp_path: Path) -> Path:
    lines = [b'{"message":"first"}\n', b'{"message":"\\u001b[31msecond"}\n']
    add(tmp_path, [DeadRecord(SOURCE, seq, 1.0, "HTTP 422", line) for seq, line in enumerate(lines, 7)])
    return tmp_path


def dead(*arguments: object, **environment: str) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", "loghub.cli", "dead", *map(str, arguments)]
    clean = {name: value for name, value in os.environ.items() if not name.startswith("LOGHUB_")}
    return subprocess.run(
        command, check=False, capture_output=True, text=True, timeout=60, env={**clean, **environment}
    )


def test_list_tells_which_when_why_and_what(spool: Path) -> None:
    done = dead("list", spool)
    assert done.returncode == 0
    first, second = done.stdout.splitlines()
    assert first == f'{SOURCE}:7  1970-01-01T00:00:01+00:00  HTTP 422  "first"'
    assert r"\u001b[31msecond" in second
    assert done.stderr == "2 dead records\n"


def test_show_prints_the_lines(spool: Path) -> None:
    assert dead("show", spool, "--id", f"{SOURCE}:7").stdout == '{"message":"first"}\n'


def test_record_that_is_not_there_is_named(spool: Path) -> None:
    done = dead("show", spool, "--id", f"{SOURCE}:99")
    assert done.returncode == 2
    assert f"no record {SOURCE}:99" in done.stderr


def test_replay_sends_and_deletes(spool: Path) -> None:
    with scripted_hub() as hub:
        done = dead("replay", spool, LOGHUB_URL=hub.url, LOGHUB_TOKEN="hush")
        assert done.stdout == "2 arrived, 0 were refused again, 0 are left\n", done.stderr
        assert done.returncode == 0
        assert hub.requests[0].headers["authorization"] == "Bearer hush"
        assert hub.messages == ["first", "\x1b[31msecond"]

    assert not list(dead_records(spool))


def test_replay_that_is_refused_says_why_and_fails(spool: Path) -> None:
    with scripted_hub(otherwise=status(403)) as hub:
        done = dead("replay", spool, "--url", hub.url)
        assert done.returncode == 2
        assert "2 are left" in done.stdout
        assert "HTTP 403" in done.stderr


def test_replay_without_an_address_says_what_to_give(spool: Path) -> None:
    done = dead("replay", spool)
    assert done.returncode == 2
    assert "--url" in done.stderr
    assert "LOGHUB_URL" in done.stderr


def test_purge_asks_first_and_deletes(spool: Path) -> None:
    assert dead("purge", spool).returncode == 1
    assert len(list(dead_records(spool))) == 2
    assert dead("purge", spool, "--id", f"{SOURCE}:7", "--yes").stdout == "1 deleted\n"
    assert [record.seq for record in dead_records(spool)] == [8]
