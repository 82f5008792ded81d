"""The spool: what it gives back, the rest of the dead, forks, and disks that refuse."""

import json
import os
import time
from pathlib import Path
from typing import Any

import pytest
from spools import DESTINATION, LINE, add, drained, incarnations, no_file_larger_than, spool_in

from loghub.handlers.spool import Settings, Spool
from loghub.handlers.spool import spool as module
from loghub.handlers.spool.cursor import Cursor
from loghub.handlers.spool.settings import SMALLEST

from processes import open_files
from scripted_hub import wait_until


def test_lines_come_back_in_order_over_many_segments(tmp_path: Path) -> None:
    spool = spool_in(tmp_path, size=8_000_000)
    lines = [b"%d:" % number + LINE for number in range(300)]
    assert all(add(spool, line) for line in lines)
    assert len(list(tmp_path.glob("v1/*/seg-*"))) > 3
    assert drained(spool) == lines
    assert len(list(tmp_path.glob("v1/*/seg-*"))) == 1


def test_a_directory_says_whose_it_is_and_its_files_are_named_by_their_first_number(tmp_path: Path) -> None:
    spool = spool_in(tmp_path)
    add(spool, b"a\n")
    (folder,) = (tmp_path / "v1").iterdir()
    said = {"source": folder.name, "destination": DESTINATION, "send": True, "version": 1}
    assert json.loads((folder / "meta.json").read_text()) == said
    assert {path.name for path in folder.iterdir()} == {"LOCK", "meta.json", "cursor", "seg-0000000000000001"}
    assert (folder / "seg-0000000000000001").stat().st_blocks * 512 >= 256 * 1024  # allocated, not sparse
    spool.close()


@pytest.mark.parametrize("durability", ["process", "batch"])
def test_a_segment_is_deleted_when_the_cursor_beyond_it_is_on_the_disk(
    tmp_path: Path, durability: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    happened: list[str] = []
    written, synced, unlinked = Cursor.write, os.fdatasync, Path.unlink

    def write(cursor: Cursor, settled: int, *, durable: bool) -> None:
        written(cursor, settled, durable=durable)
        happened.append("cursor")

    def sync(descriptor: int) -> None:
        synced(descriptor)
        happened.append(f"sync {Path(f'/proc/self/fd/{descriptor}').resolve().name}")

    def unlink(path: Path, **options: Any) -> None:
        unlinked(path, **options)
        happened.append(path.name)

    spool = spool_in(tmp_path, durability=durability)
    assert all(add(spool, LINE) for _ in range(60))
    first = min(tmp_path.glob("v1/*/seg-*")).name

    while (batch := spool.take(500, 1_000_000)) is not None:
        spool.settle_acked(len(batch.lines))

    monkeypatch.setattr(Cursor, "write", write)
    monkeypatch.setattr(os, "fdatasync", sync)
    monkeypatch.setattr(Path, "unlink", unlink)
    spool.tend()
    before = happened[: happened.index(first)]
    assert before == (["cursor"] if durability == "process" else ["sync cursor", "cursor"])
    spool.close()


def test_a_neighbour_that_dies_while_others_live_is_taken_over(tmp_path: Path) -> None:
    living = spool_in(tmp_path, adopt_every=0.0)
    dying = spool_in(tmp_path)
    assert add(living, b"mine\n")
    assert add(dying, b"last words\n")
    living.tend()
    assert drained(living) == [b"mine\n"]
    dying.abandon()  # what the kernel does when it is killed
    living.tend()
    assert drained(living) == [b"last words\n"]
    living.close()


def test_a_line_longer_than_a_segment_has_one_of_its_own(tmp_path: Path) -> None:
    spool = spool_in(tmp_path, size=SMALLEST * 4)
    lines = [b"a\n", b"y" * 200_000 + b"\n", b"b\n"]
    assert all(add(spool, line) for line in lines)
    assert drained(spool) == lines


def test_what_a_process_leaves_is_sent_under_its_own_id_and_removed(tmp_path: Path) -> None:
    first = spool_in(tmp_path)
    add(first, b"a\n")
    add(first, b"b\n")
    batch = first.take(1, 1000)
    first.settle_acked(1)
    first.close()
    heir = spool_in(tmp_path)
    rest = heir.take(9, 1000)
    assert batch is not None
    assert rest is not None
    assert (rest.source, rest.first, rest.lines) == (batch.source, 2, (b"b\n",))
    heir.settle_acked(1)
    heir.tend()
    assert incarnations(tmp_path) == []
    assert (heir.appended, heir.acked) == (1, 1)


def test_a_process_that_lives_is_left_alone(tmp_path: Path) -> None:
    first = spool_in(tmp_path)
    add(first, b"a\n")
    other = spool_in(tmp_path)
    assert other.take(9, 1000) is None
    assert drained(first) == [b"a\n"]


def test_segments_that_somebody_deletes_or_damages_hold_nothing_up_and_are_counted(tmp_path: Path) -> None:
    spool = spool_in(tmp_path, size=2_000_000)
    lines = [b"%d:" % number + LINE for number in range(60)]

    for line in lines:
        add(spool, line)

    _, gone, damaged, *_ = sorted(tmp_path.glob("v1/*/seg-*"))
    gone.unlink()
    damaged.write_bytes(b"\1" * damaged.stat().st_size)
    found = drained(spool)
    assert found[0] == lines[0]
    assert found[-1] == lines[-1]
    assert spool.dropped == 60 - len(found) > 10
    assert (spool.queued, spool.acked) == (0, len(found))


def test_a_directory_of_another_version_is_left_alone_and_said(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    spool = spool_in(tmp_path)
    add(spool, b"a\n")
    spool.close()
    (meta,) = tmp_path.glob("v1/*/meta.json")
    meta.write_text(json.dumps(json.loads(meta.read_text()) | {"version": 2}))
    assert spool_in(tmp_path).take(1, 1) is None
    assert "newer loghub" in capfd.readouterr().err


@pytest.mark.parametrize("name", ["meta.json", "cursor", "LOCK"])
def test_missing_or_empty_files_lose_no_record(tmp_path: Path, name: str) -> None:
    for damage in (Path.unlink, lambda path: path.write_bytes(b"")):
        spool = spool_in(tmp_path)
        add(spool, b"a\n")
        spool.close()
        (path,) = tmp_path.glob("v1/*/meta.json")
        path = path.with_name(name)
        path.touch()
        damage(path)
        assert drained(spool_in(tmp_path)) == [b"a\n"]


def test_a_directory_that_was_half_made_long_ago_is_deleted(tmp_path: Path) -> None:
    old, new = tmp_path / "v1" / ".old", tmp_path / "v1" / ".new"

    for folder in (old, new):
        folder.mkdir(parents=True)
        (folder / "LOCK").touch()

    os.utime(old, (1, 1))
    spool_in(tmp_path)
    assert (old.exists(), new.exists()) == (False, True)


def test_empty_and_strange_segments_do_not_hold_up_a_start(tmp_path: Path) -> None:
    spool = spool_in(tmp_path)
    add(spool, b"a\n")
    spool.close()
    (folder,) = (tmp_path / "v1").iterdir()
    (folder / "seg-0000000000000009").write_bytes(b"")
    (folder / "seg-00000000000000ff").write_bytes(b"junk" * 100)
    (tmp_path / "v1" / "notes.txt").write_text("mine")
    heir = spool_in(tmp_path)
    assert drained(heir) == [b"a\n"]
    assert heir.damaged == 400
    assert [path.read_bytes() for path in tmp_path.glob("dead/*.damaged")] == [b"junk" * 100]
    assert incarnations(tmp_path) == ["notes.txt"]


def test_a_disk_that_refuses_is_replaced_by_memory_until_it_takes_records_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(module, "_TRY_DISK_AFTER", 0.05)
    spool = spool_in(tmp_path)

    with no_file_larger_than(10_000):
        assert add(spool, b"a\n")
        assert spool.guarantee == "best-effort"

    spool.tend()
    assert "wait in memory" in capfd.readouterr().err
    until = time.monotonic() + 0.06

    while time.monotonic() < until:
        pass

    assert add(spool, b"b\n")
    assert spool.guarantee == "process"
    assert sorted(drained(spool)) == [b"a\n", b"b\n"]
    assert (spool.appended, spool.acked, spool.dropped) == (2, 2, 0)


def test_a_place_that_cannot_be_made_is_replaced_by_memory(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    spool = spool_in(tmp_path / "file" / "spool")
    assert add(spool, b"a\n")
    assert spool.guarantee == "best-effort"
    assert drained(spool) == [b"a\n"]


@pytest.mark.parametrize("durability", ["process", "interval", "batch", "record"])
def test_every_durability_writes_and_says_what_survives(
    tmp_path: Path, durability: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced: list[int] = []
    really = os.fdatasync

    def counted(descriptor: int) -> None:
        if Path(f"/proc/self/fd/{descriptor}").readlink().is_relative_to(tmp_path):  # not a spool of another test
            synced.append(descriptor)

        really(descriptor)

    monkeypatch.setattr(os, "fdatasync", counted)
    spool = spool_in(tmp_path, durability=durability)
    add(spool, b"a\n")
    assert bool(synced) == (durability == "record")
    add(spool, b"b\n")
    spool.tend()

    if durability == "interval":  # of a thread of its own
        wait_until(lambda: bool(synced))

    assert bool(synced) == (durability in ("record", "interval"))
    assert drained(spool) == [b"a\n", b"b\n"]
    assert bool(synced) == (durability != "process")
    assert spool.guarantee == ("power" if durability == "record" else "process")


def test_names_of_all_that_was_made_are_brought_to_the_disk_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file whose directory is gone with the power is gone too."""
    synced: list[Path] = []
    monkeypatch.setattr(os, "fsync", lambda descriptor: synced.append(Path(f"/proc/self/fd/{descriptor}").resolve()))
    spool = spool_in(tmp_path / "spool", durability="record")
    assert add(spool, b"a\n")
    (folder,) = (tmp_path / "spool" / "v1").iterdir()
    assert set(synced) == {folder, tmp_path / "spool" / "v1", tmp_path / "spool", tmp_path}
    synced.clear()
    assert add(spool, b"b\n")
    assert not synced
    spool.close()


def test_where_no_map_is_possible_files_are_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise OSError("no map here")

    monkeypatch.setattr("mmap.mmap", refuse)
    spool = spool_in(tmp_path)
    add(spool, b"a\n")
    spool.abandon()
    assert drained(spool_in(tmp_path)) == [b"a\n"]


def test_a_child_of_a_fork_leaves_its_parents_records_alone(tmp_path: Path) -> None:
    spool = spool_in(tmp_path)
    add(spool, b"parent\n")
    child = os.fork()

    if child == 0:
        spool.abandon()
        mine = spool_in(tmp_path)
        add(mine, b"child\n")
        os._exit(0 if drained(mine) == [b"child\n"] and len(incarnations(tmp_path)) == 2 else 1)

    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    other = spool_in(tmp_path)  # the lock is still the parent's; what the child left is free
    assert drained(other) == []
    assert drained(spool) == [b"parent\n"]
    assert len(incarnations(tmp_path)) == 1


def test_two_processes_of_two_addresses_leave_each_others_dead_alone_and_say_so(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    other = "http://127.0.0.1:8"
    gone, living = spool_in(tmp_path, destination=other), spool_in(tmp_path, destination=other)
    assert add(gone, b"meant for the other\n")
    assert add(living, LINE)
    gone.close()
    spool = spool_in(tmp_path)
    assert drained(spool) == []
    assert f"another process sends from it to {other}; give each destination" in capsys.readouterr().err
    living.close()
    heir = spool_in(tmp_path)  # nobody sends there any more: a changed address takes all along
    assert sorted(drained(heir)) == sorted([b"meant for the other\n", LINE])  # of one millisecond, maybe
    heir.close()
    spool.close()


def test_many_dead_are_taken_over_some_at_a_time_with_few_descriptors(tmp_path: Path) -> None:
    for number in range(150):
        gone = Spool(Settings(tmp_path, DESTINATION))
        assert add(gone, b"%d\n" % number)
        gone.close()

    spool = spool_in(tmp_path)
    assert 1 <= len(open_files(tmp_path)) <= 64
    lines: list[bytes] = []

    for _ in range(3):
        lines += drained(spool)

    assert sorted(lines) == sorted(b"%d\n" % number for number in range(150))
    assert incarnations(tmp_path) == []
    spool.close()
