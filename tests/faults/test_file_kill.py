"""kill -9 before every step of a roll, of a compression and of a deletion: each line is there exactly once."""

import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from loghub.handlers.compression import compress_all
from loghub.handlers.retention import Retention, prune
from loghub.segments import open_segment, segments

SCRIPT = Path(__file__).with_name("stepwise.py")
LINES = 4
LEAST = {"roll": 60, "compress": 20, "compress_otherwise": 20, "delete": 10}


def numbers_of(log: Path) -> list[int]:
    found: list[int] = []

    for file in [*(open_segment(segment) for segment in segments(log)), *([log.open("rb")] if log.exists() else [])]:
        with file:
            found += [int(json.loads(line)["message"].split()[0]) for line in file]

    return found


@pytest.fixture
def killed(request: pytest.FixtureRequest) -> Iterator[list[Path]]:
    """Give the log of each killed process, and at last of one that was not."""
    work = request.param

    with tempfile.TemporaryDirectory(dir="/dev/shm" if Path("/dev/shm").is_dir() else None) as folder:  # noqa: S108
        done = subprocess.run(
            [sys.executable, str(SCRIPT), work, folder], check=True, capture_output=True, text=True, timeout=60
        )
        steps = int(done.stdout)
        assert steps >= LEAST[work]
        yield [Path(folder) / str(step) / "app.jsonl" for step in range(steps + 1)]


@pytest.mark.parametrize("killed", ["roll"], indirect=True)
def test_roll_that_is_killed_leaves_every_line_once(killed: list[Path]) -> None:
    ends = set()

    for log in killed:
        found = numbers_of(log)
        assert found == list(range(len(found)))
        assert len(found) >= LINES
        ends.add(len(found))

    assert ends == set(range(LINES, 2 * LINES + 1)), "what was written is there, at each point"


@pytest.mark.parametrize("killed", ["compress", "compress_otherwise"], indirect=True)
def test_compression_that_is_killed_leaves_every_line_once_and_the_next_one_ends_it(killed: list[Path]) -> None:
    states = set()

    for log in killed:
        assert numbers_of(log) == list(range(LINES))
        states.add(tuple((segment.form, len(segment.others)) for segment in segments(log)))

        compress_all(log, ".gz")
        assert numbers_of(log) == list(range(LINES))
        assert all(segment.form and not segment.others for segment in segments(log))
        assert not [path for path in log.parent.iterdir() if path.name.endswith(".compressing")]

    assert len(states) > LINES / 2


@pytest.mark.parametrize("killed", ["delete"], indirect=True)
def test_deletion_that_is_killed_doubles_nothing_and_the_next_one_ends_it(killed: list[Path]) -> None:
    for log in killed:
        found = numbers_of(log)
        assert found == list(range(found[0], LINES))

        prune(log, Retention(files=1), 0.0)
        [kept] = segments(log)
        assert len([path for path in log.parent.iterdir() if path.name.startswith("app-")]) == 1 + len(kept.others)
