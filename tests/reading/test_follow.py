"""Follower: each line once, whatever happens to the files between two polls."""

import gzip
import os
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path

import orjson
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule

from loghub.reading import sets
from loghub.reading.follow import Follower
from loghub.segments import segments

from log_sets import line, lines, pack, write
from processes import open_files

SEGMENT = "app-20261122T1200{:02d}-0001.jsonl"


def new(follower: Follower) -> list[object]:
    """Give the numbers of the lines that are new; a faulty line as its bytes."""
    return [
        line.text if line.fault else orjson.loads(line.text)["n"]
        for chunk in follower.poll()
        for line in chunk.piece.lines(chunk.path, chunk.first)
    ]


def last(follower: Follower, number: int) -> list[object]:
    return [found for _, found in follower.last(number, lambda text: orjson.loads(text)["n"])]


def append(path: Path, data: bytes) -> None:
    with path.open("ab") as file:
        file.write(data)


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return tmp_path / "app.jsonl"


@pytest.fixture
def clock() -> list[float]:
    return [0.0]


@pytest.fixture
def follower(log: Path, clock: list[float]) -> Follower:
    return Follower(log, clock=lambda: clock[0])


def test_file_that_appears_later_is_read_from_its_beginning(log: Path, follower: Follower) -> None:
    assert new(follower) == []
    write(log, line(0))
    assert new(follower) == [0]
    append(log, line(1))
    assert new(follower) == [1]
    assert new(follower) == []


def test_line_is_given_when_it_is_whole(log: Path, follower: Follower) -> None:
    write(log, line(0) + line(1)[:20])
    assert new(follower) == [0]
    append(log, line(1)[20:])
    assert new(follower) == [1]


def test_rotated_set_is_read_oldest_first(log: Path, follower: Follower) -> None:
    write(log, lines(range(4, 6)))
    write(log.with_name(SEGMENT.format(2)), lines(range(2, 4)))
    write(log.with_name(SEGMENT.format(1) + ".gz"), lines(range(2)))

    assert new(follower) == list(range(6))


def roll(log: Path) -> None:
    log.rename(log.with_name(SEGMENT.format(len(segments(log)))))


def shift(log: Path) -> None:
    for number in range(9, 0, -1):
        if (older := log.with_name(f"app.jsonl.{number}")).exists():
            older.rename(log.with_name(f"app.jsonl.{number + 1}"))

    log.rename(log.with_name("app.jsonl.1"))


def copy_and_truncate(log: Path) -> None:
    shift(log)
    log.with_name("app.jsonl.1").rename(log)
    shutil.copyfile(log, log.with_name("app.jsonl.1"))
    os.truncate(log, 0)


def roll_and_compress(log: Path) -> None:
    path = log.with_name(SEGMENT.format(len(segments(log))))
    log.rename(path)
    pack(path.with_name(path.name + ".gz"))


WAYS = [roll, shift, copy_and_truncate, roll_and_compress]


@pytest.mark.parametrize("rotate", WAYS)
def test_rotation_loses_and_doubles_nothing(log: Path, follower: Follower, rotate: Callable[[Path], None]) -> None:
    write(log, lines(range(3)))
    assert new(follower) == [0, 1, 2]
    append(log, line(3))
    rotate(log)
    append(log, line(4))
    assert new(follower) == [3, 4]
    rotate(log)
    append(log, lines(range(5, 7)))
    rotate(log)
    append(log, line(7))
    assert new(follower) == [5, 6, 7]
    assert new(follower) == []


@pytest.mark.parametrize("rotate", WAYS)
def test_rotation_while_nobody_looks_loses_and_doubles_nothing(
    log: Path, follower: Follower, rotate: Callable[[Path], None]
) -> None:
    write(log, lines(range(3)))
    assert new(follower) == [0, 1, 2]
    positions = follower.positions
    follower.close()
    append(log, line(3))
    rotate(log)
    append(log, line(4))
    rotate(log)
    append(log, line(5))

    assert new(Follower(log, positions)) == [3, 4, 5]


def test_copy_is_not_read_while_the_file_is_in_its_place(log: Path, follower: Follower) -> None:
    write(log, lines(range(100)))
    assert len(new(follower)) == 100
    copy = write(log.with_name("app.jsonl.1"), log.read_bytes()[:50])
    assert new(follower) == []
    copy.write_bytes(log.read_bytes())
    assert new(follower) == []
    append(log, line(100))
    assert new(follower) == [100]


def test_file_truncated_and_written_beyond_the_old_end_is_read_anew(log: Path, follower: Follower) -> None:
    write(log, lines(range(3)))
    new(follower)
    log.write_bytes(lines(range(10, 20)))

    assert new(follower) + new(follower) == list(range(10, 20))


def test_deleted_file_is_read_to_its_end_and_its_successor_from_its_beginning(log: Path, follower: Follower) -> None:
    write(log, line(0))
    assert new(follower) == [0]
    append(log, line(1))
    log.unlink()
    assert new(follower) == [1]
    write(log, line(2))
    assert new(follower) == [2]


def test_deleted_directory_comes_back(tmp_path: Path) -> None:
    log = write(tmp_path / "logs" / "app.jsonl", line(0))
    follower = Follower(log)
    assert new(follower) == [0]
    shutil.rmtree(log.parent)
    assert new(follower) == []
    write(log, line(1))
    assert new(follower) == [1]


def test_line_written_to_a_rolled_file_is_given(log: Path, follower: Follower) -> None:
    write(log, line(0))
    assert new(follower) == [0]

    with log.open("ab") as late:
        roll(log)
        write(log, line(2))
        assert new(follower) == [2]
        late.write(line(1))

    assert new(follower) == [1]


def test_file_that_was_rolled_long_ago_and_is_written_to_again_is_read(
    log: Path, follower: Follower, clock: list[float]
) -> None:
    write(log, line(0))
    new(follower)
    roll(log)
    write(log, line(2))
    new(follower)
    clock[0] += 10
    new(follower)
    append(log.with_name(SEGMENT.format(0)), line(1))
    clock[0] += 10
    assert new(follower) == [1]


def test_newest_file_is_followed_where_none_has_the_name_of_the_log(
    log: Path, follower: Follower, clock: list[float]
) -> None:
    dated = write(log.with_name("app.jsonl.2026-11-22"), line(0))
    assert new(follower) == [0]
    clock[0] += 100
    assert new(follower) == []
    append(dated, line(1))
    assert new(follower) == [1]


def test_fragment_at_the_end_of_a_rolled_file_is_given_in_the_end(
    log: Path, follower: Follower, clock: list[float]
) -> None:
    write(log, line(0) + b'{"n"')
    assert new(follower) == [0]
    roll(log)
    assert new(follower) == []
    write(log, line(1))
    assert new(follower) == [1]
    clock[0] += 10
    assert new(follower) == [b'{"n"']
    clock[0] += 10
    assert new(follower) == []


def test_fragment_is_given_once_over_a_restart(log: Path, follower: Follower, clock: list[float]) -> None:
    write(log, line(0) + b'{"n"')
    new(follower)
    roll(log)
    write(log, line(1))
    new(follower)
    clock[0] += 10
    assert new(follower) == [b'{"n"']

    assert new(Follower(log, follower.positions)) == []


def test_inode_that_was_given_away_is_another_file(log: Path, follower: Follower) -> None:
    write(log, lines(range(3)))
    new(follower)
    follower.close()
    log.unlink()
    write(log, lines(range(5, 9)))  # most file systems give the same inode

    assert new(Follower(log, follower.positions)) == [5, 6, 7, 8]


def test_end_is_skipped_and_what_comes_is_given(log: Path, follower: Follower) -> None:
    write(log.with_name(SEGMENT.format(0) + ".gz"), lines(range(2)))
    write(log.with_name(SEGMENT.format(1)), lines(range(2, 4)))
    write(log, lines(range(4, 6)) + line(6)[:10])
    follower.skip_to_end()
    assert last(follower, 3) == [3, 4, 5]
    assert last(follower, 9) == [0, 1, 2, 3, 4, 5]
    assert new(follower) == []
    append(log, line(6)[10:])
    assert new(follower) == [6]
    shift(log)
    write(log, line(7))
    assert new(follower) == [7]


def test_last_lines_are_found_though_the_files_are_rolled_at_that_moment(log: Path, follower: Follower) -> None:
    write(log.with_name(SEGMENT.format(0)), lines(range(2)))
    write(log, lines(range(2, 4)))
    follower.skip_to_end()
    pack(log.with_name(SEGMENT.format(0) + ".gz"))
    roll(log)
    write(log, line(4))

    assert last(follower, 9) == [0, 1, 2, 3]
    assert new(follower) == [4]


def test_files_that_come_between_the_list_and_the_opening_are_read_in_order(
    log: Path, follower: Follower, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(log, line(0))
    assert new(follower) == [0]
    log.rename(log.with_name(SEGMENT.format(0)))
    write(log, line(1))
    directory = follower._directory
    listed = directory.files
    looked: list[list[sets.LogFile]] = []

    def list_and_roll() -> list[sets.LogFile]:
        looked.append(listed())

        if len(looked) == 2:  # the first one tells that there is something new
            log.rename(log.with_name(SEGMENT.format(1)))
            write(log, line(2))

        return looked[-1]

    monkeypatch.setattr(directory, "files", list_and_roll)
    assert new(follower) + new(follower) == [1, 2]


def test_file_that_is_compressed_before_it_is_opened_does_not_let_a_later_one_go_first(
    log: Path, follower: Follower, monkeypatch: pytest.MonkeyPatch
) -> None:
    segment = write(log.with_name(SEGMENT.format(0)), line(0))
    write(log, line(1))
    look = follower._look

    def look_and_pack() -> None:
        look()
        monkeypatch.undo()
        pack(segment.with_name(segment.name + ".gz"))

    monkeypatch.setattr(follower, "_look", look_and_pack)
    assert new(follower) + new(follower) == [0, 1]


def test_descriptors_are_bounded(log: Path, follower: Follower) -> None:
    for number in range(100):
        write(log, line(number))
        log.rename(log.with_name(f"app-20261122T120000-{number:04d}.jsonl"))

    write(log, line(100))
    assert new(follower) == list(range(101))
    assert 1 <= len(open_files(log.parent)) <= 40
    follower.close()
    assert not open_files(log.parent)


def test_numbers_of_lines_go_on_where_they_ended(log: Path, follower: Follower) -> None:
    write(log, lines(range(3)))
    (first,) = follower.poll()
    append(log, line(3))
    (second,) = Follower(log, [first.after]).poll()

    assert (second.first, second.before.source) == (4, first.after.source)
    assert second.before == first.after


def test_file_that_cannot_be_read_is_told(log: Path) -> None:
    told: list[str] = []
    log.symlink_to("/proc/self/mem")
    assert new(Follower(log, tell=lambda path, reason: told.append(f"{path}: {reason}"))) == []
    assert str(log) in told[0]


def test_damaged_compressed_file_is_read_as_far_as_it_goes(log: Path, follower: Follower) -> None:
    packed = gzip.compress(b"".join(line(number, pad=os.urandom(30).hex()) for number in range(200)))
    log.with_name(SEGMENT.format(1) + ".gz").write_bytes(packed[:-30])
    write(log, line(200))
    found = new(follower)

    assert found[-1] == 200
    assert 100 < len(found) <= 201


class Logs(RuleBasedStateMachine):
    """Writers, rotations, restarts in any order: what was read is what was written."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp())
        self.log = self.folder / "app.jsonl"
        self.now = [0.0]
        self.follower = Follower(self.log, clock=lambda: self.now[0])
        self.written = 0
        self.read: list[object] = []
        self.way: Callable[[Path], None] | None = None

    @rule(count=st.integers(1, 4))
    def write(self, count: int) -> None:
        append(self.log, b"".join(line(number, pad="x" * 50) for number in range(self.written, self.written + count)))
        self.written += count

    @rule(way=st.sampled_from(WAYS))
    def rotate(self, way: Callable[[Path], None]) -> None:
        self.way = self.way or way

        if self.log.exists() and self.log.stat().st_size:
            self.way(self.log)

    @rule()
    def poll(self) -> None:
        self.read += new(self.follower)

    @rule(seconds=st.sampled_from([1, 10]))
    def wait(self, seconds: int) -> None:
        self.now[0] += seconds

    @rule()
    def restart(self) -> None:
        positions = self.follower.positions
        self.follower.close()
        self.follower = Follower(self.log, positions, clock=lambda: self.now[0])

    def teardown(self) -> None:
        for _ in range(3):
            self.poll()

        self.follower.close()
        shutil.rmtree(self.folder)
        assert sorted(map(str, self.read)) == sorted(map(str, range(self.written)))


TestLogs = Logs.TestCase
TestLogs.settings = settings(
    max_examples=int(os.environ.get("LOGHUB_TEST_EXAMPLES", "40")), stateful_step_count=30, deadline=None
)
