"""An external logrotate, the real one: a move loses nothing; copytruncate leaves nothing torn or sparse behind."""

import itertools
import shutil
import subprocess
from pathlib import Path

import pytest

from loghub.event.encode import decode

from log_writers import UNTIL_TOLD, numbers_by_writer, raw_lines_of, start_writer, written_by
from processes import wait_for

LOGROTATE = shutil.which("logrotate", path="/usr/sbin:/usr/bin:/sbin:/bin")
WRITERS, LINES, ROTATIONS = 3, 6_000, 10


def rotate_while_it_is_written(log: Path, *words: str) -> list[Path]:
    """Rotate again and again while the writers write; give the files, oldest first."""
    assert LOGROTATE, "logrotate is missing: apt-get install logrotate"
    rules = log.parent.parent / "rules"
    rules.write_text(f"{log} {{\n rotate 1000\n missingok\n su root root\n " + "\n ".join(words) + "\n}\n")
    rules.chmod(0o644)
    writers = [start_writer(log, f"w{number}", LINES, "", UNTIL_TOLD) for number in range(WRITERS)]
    wait_for(log.exists)
    rotations = 0

    while any(writer.poll() is None for writer in writers):
        subprocess.run(
            [LOGROTATE, "--force", "--state", str(log.parent.parent / "state"), str(rules)], check=True, timeout=100
        )
        rotations += 1

        if rotations == ROTATIONS:
            (log.parent.parent / "enough").touch()

    assert [writer.wait() for writer in writers] == [0] * WRITERS
    old = sorted(log.parent.glob("app.jsonl.*"), key=lambda path: -int(path.suffix[1:]))
    assert len(old) > 2
    return [*old, *([log] if log.exists() else [])]


@pytest.fixture
def log(tmp_path: Path) -> Path:
    """Give a log in a folder of its own, which nobody else may write to: logrotate insists."""
    folder = tmp_path / "logs"
    folder.mkdir(mode=0o755)
    return folder / "app.jsonl"


def messages_of(lines: list[bytes]) -> list[str]:
    return [str(decode(line)["message"]) for line in lines]


@pytest.mark.parametrize("created", ["create", "nocreate"])
def test_move_loses_doubles_and_tears_nothing(created: str, log: Path) -> None:
    files = rotate_while_it_is_written(log, created)

    found = numbers_by_writer(messages_of([line for file in files for line in raw_lines_of(file)]))
    assert found == {name: list(range(written_by(log, name))) for name in ("w0", "w1", "w2")}


def test_copytruncate_leaves_whole_lines_and_no_holes(log: Path) -> None:
    files = rotate_while_it_is_written(log, "copytruncate")
    lines: list[bytes] = []

    for file in files:
        content = file.read_bytes()
        assert b"\0" not in content, "a hole"
        *whole, rest = content.split(b"\n")
        assert not rest or file != log, "the file that is written to ends within a line"
        lines += whole  # the copy may end within a line: its rest was written in logrotate's own window

    found = numbers_by_writer(messages_of(lines))

    for numbers in found.values():
        assert numbers == sorted(set(numbers)), "doubled or reordered"
        gaps = sum(after != before + 1 for before, after in itertools.pairwise(numbers))
        assert gaps <= len(files), "more is lost than in one window for each rotation"
