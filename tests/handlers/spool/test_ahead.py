"""The segment that is made before a call needs it."""

from dataclasses import replace
from pathlib import Path

from loghub.handlers.spool import Settings, Spool

LINE = b"x" * 10_000 + b"\n"


def spool_in(folder: Path, size: int = 64_000_000) -> Spool:
    spool = Spool(replace(Settings(folder, "http://127.0.0.1:9"), size=size))
    spool.tend()
    return spool


def fill_first(spool: Spool, folder: Path) -> None:
    """Write to the end of the first segment."""
    while (len(list(folder.glob("v1/*/seg-*")))) < 2:
        assert spool.write(LINE, 20) or spool.append(LINE, 20)


def test_next_segment_is_there_once_a_quarter_is_written_and_is_taken(tmp_path: Path) -> None:
    spool = spool_in(tmp_path)
    spool.append(LINE)
    spool.tend()
    assert not list(tmp_path.glob("v1/*/next"))

    for _ in range(8):
        spool.append(LINE)

    spool.tend()
    (made,) = tmp_path.glob("v1/*/next")
    inode = made.stat().st_ino
    fill_first(spool, tmp_path)
    assert not made.exists()
    assert max(made.parent.glob("seg-*")).stat().st_ino == inode
    lines: list[bytes] = []

    while (batch := spool.take(500, 1_000_000)) is not None:
        lines += batch.lines
        spool.settle_acked(len(batch.lines))

    assert len(lines) == spool.appended == spool.acked


def test_line_that_is_longer_than_it_has_a_segment_of_its_own(tmp_path: Path) -> None:
    spool = spool_in(tmp_path)
    long = b"x" * 3_000_000

    for line in (*[LINE] * 8, long):
        spool.tend()
        assert spool.append(line)

    batch = spool.take(500, 10_000_000)
    assert batch is not None
    assert batch.lines == (LINE,) * 8
    spool.settle_acked(8)
    last = spool.take(500, 10_000_000)
    assert last is not None
    assert last.lines == (long,)


def test_one_that_is_too_small_by_now_gives_way_to_one_that_is_used(tmp_path: Path) -> None:
    spool = spool_in(tmp_path)

    for _ in range(8):
        spool.append(LINE)

    spool.tend()
    (made,) = tmp_path.glob("v1/*/next")
    spool.append(b"x" * 3_000_000)  # longer than that
    assert not made.exists()

    for _ in range(400):
        assert spool.append(LINE)
        spool.tend()

        if made.exists():
            break

    inode = made.stat().st_ino

    while made.exists():
        assert spool.append(LINE)

    assert max(made.parent.glob("seg-*")).stat().st_ino == inode


def test_nothing_is_made_ahead_where_half_of_the_cap_is_used(tmp_path: Path) -> None:
    spool = spool_in(tmp_path, 512 * 1024)

    for _ in range(30):
        spool.append(LINE)
        spool.tend()

    assert not list(tmp_path.glob("v1/*/next"))


def test_it_counts_and_goes_when_the_directory_is_left_or_taken_over(tmp_path: Path) -> None:
    first = spool_in(tmp_path)

    for _ in range(8):
        first.append(LINE)

    first.tend()
    (made,) = tmp_path.glob("v1/*/next")
    first.abandon()  # as if it were killed: the lock is free and everything lies there
    assert made.exists()
    second = spool_in(tmp_path)
    assert not made.exists()
    assert second.queued == 8
    second.close()

    third = spool_in(tmp_path)

    for _ in range(8):
        third.append(LINE)

    third.tend()
    assert list(tmp_path.glob("v1/*/next"))
    third.close()
    assert not list(tmp_path.glob("v1/*/next"))
