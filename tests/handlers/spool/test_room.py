"""The room of a spool: what gives way where there is none, and that each loss is told."""

from pathlib import Path

import pytest
from spools import LINE, add, added_or_refused, drained, incarnations, numbered, spool_in, told

from loghub.handlers.spool import POLICIES, room
from loghub.handlers.spool.settings import SMALLEST


def test_the_oldest_segments_give_way_and_the_loss_is_told_exactly(tmp_path: Path) -> None:
    spool = spool_in(tmp_path, size=SMALLEST)
    lines = [b"%d:" % number + LINE for number in range(100)]
    add(spool, lines[0])
    spool.take(1, 1)  # under way: its segment stays
    assert all(add(spool, line) for line in lines[1:])
    assert sum(path.stat().st_size for path in tmp_path.glob("v1/*/seg-*")) <= SMALLEST
    found = drained(spool)
    kept = [line for line in found if line.endswith(LINE)]
    assert kept[0] == lines[0]
    assert kept[-1] == lines[-1]
    losses = told(found)
    # Some events were dropped in their turn; then a later one counts them, and what they told of.
    assert sum(loss["dropped"] for loss in losses) == spool.dropped > 100 - len(kept)
    assert len(found) + spool.dropped == spool.appended
    assert (
        losses[0]["message"] == f"{losses[0]['dropped']} records dropped, seq {losses[0]['first']}–{losses[0]['last']}"
    )


def test_what_was_taken_over_gives_way_first_and_no_more_of_it_than_is_needed(tmp_path: Path) -> None:
    size = 1024 * 1024
    first = spool_in(tmp_path, size=size)

    while not first.dropped:
        add(first, LINE)

    left = first.queued
    first.close()
    spool = spool_in(tmp_path, size=size)
    assert spool.queued == left

    while not spool.dropped:
        assert add(spool, LINE)

    assert spool.dropped <= 12  # of two segments: each is smaller than the one that is made
    assert spool.appended == spool.queued + spool.dropped
    spool.close()


def test_new_records_are_refused_until_there_is_room_and_the_loss_is_told(tmp_path: Path) -> None:
    spool = spool_in(tmp_path, size=SMALLEST, overflow=POLICIES["drop_new"])
    taken = [added_or_refused(spool) for _ in range(60)]
    kept = sum(taken)
    assert taken == [True] * kept + [False] * (60 - kept)
    assert (spool.dropped, spool.appended, spool.queued) == (60 - kept, 60, kept)
    assert len(drained(spool)) == kept
    assert add(spool, b"after\n")
    loss, after = drained(spool)
    assert told([loss])[0]["message"] == f"{60 - kept} records dropped, seq {kept + 1}–60"
    assert after == b"after\n"
    assert spool.mark()[0][1] == 62


@pytest.mark.parametrize("killed", [True, False])
def test_refusals_that_a_process_could_not_tell_any_more_are_told_by_its_heir_once(
    tmp_path: Path, *, killed: bool
) -> None:
    spool = spool_in(tmp_path, size=SMALLEST, overflow=POLICIES["drop_new"])
    kept, refused = 0, 36

    while add(spool, b"y" * 500):  # no event has room behind these
        kept += 1

    for _ in range(refused):
        spool.refuse()

    (spool.abandon if killed else spool.close)()

    (source,) = incarnations(tmp_path)

    for _ in range(2):  # killed before anything of it had arrived
        heir = spool_in(tmp_path)
        assert (heir.appended, heir.dropped, heir.queued) == (kept + refused + 1, refused, kept + 1)
        assert heir.take(500, 1_000_000) is not None
        heir.abandon()

    heir = spool_in(tmp_path)
    found = numbered(heir)
    assert [number for number, _ in found] == [*range(1, kept + 1), kept + refused + 1]
    (loss,) = told([line for _, line in found])
    assert loss["message"] == f"{refused} records dropped, seq {kept + 1}–{kept + refused}"
    assert loss["source"] == source
    heir.abandon()  # killed before it wrote the cursor

    last = spool_in(tmp_path)
    assert not told([line for _, line in numbered(last)])
    last.tend()
    assert incarnations(tmp_path) == []
    last.close()


def test_refusals_that_were_told_are_not_told_again(tmp_path: Path) -> None:
    spool = spool_in(tmp_path, size=SMALLEST, overflow=POLICIES["drop_new"])
    kept = sum(added_or_refused(spool) for _ in range(60))
    assert len(numbered(spool)) == kept
    spool.tend()
    assert add(spool, b"after\n")
    spool.abandon()
    heir = spool_in(tmp_path)
    assert len(told([line for _, line in numbered(heir)])) == 1
    assert heir.dropped == 0
    heir.close()


def test_who_only_writes_gives_back_what_the_dead_had_allocated(tmp_path: Path) -> None:
    """A process that is killed again and again, with nobody there who sends, would fill the cap with nothing."""
    for _ in range(5):
        gone = spool_in(tmp_path, send=False)
        assert all(add(gone, LINE) for _ in range(8))
        gone.tend()
        gone.abandon()

    assert len(list(tmp_path.glob("v1/*/next"))) == 1  # the others were given back by those who came next
    writer = spool_in(tmp_path, send=False)
    assert add(writer, b"mine\n")
    writer.tend()
    assert not list(tmp_path.glob("v1/*/next"))
    others = [path for path in tmp_path.glob("v1/*/seg-*") if path.parent.name != incarnations(tmp_path)[-1]]
    assert sum(path.stat().st_size for path in others) < 5 * 9 * len(LINE)
    writer.close()
    heir = spool_in(tmp_path)
    assert sorted(drained(heir)) == sorted([LINE] * 40 + [b"mine\n"])
    heir.close()


def test_processes_that_live_side_by_side_keep_to_one_cap(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each had looked at what the others have while that was nothing."""
    monkeypatch.setattr(room, "_AGAIN", 0.0)
    size = 1024 * 1024
    spools = [spool_in(tmp_path, size=size, overflow=POLICIES["drop_new"]) for _ in range(4)]

    for _ in range(40):
        for spool in spools:
            added_or_refused(spool)

    assert sum(path.stat().st_size for path in tmp_path.glob("v1/*/seg-*")) <= size
    assert all(spool.dropped and spool.queued for spool in spools)

    for spool in spools:
        spool.close()


def test_room_is_kept_for_errors(tmp_path: Path) -> None:
    spool = spool_in(tmp_path, size=SMALLEST * 4, overflow=POLICIES["by_level"])
    levels: dict[int, int] = {}

    for level in (20, 30, 40):
        while add(spool, b"%d:" % level + LINE, level) and levels.get(level, 0) < 200:
            levels[level] = levels.get(level, 0) + 1

        assert not add(spool, LINE, 20)

    assert levels[20] > levels[30] > 0
    assert levels[40] == 200  # errors push the oldest out
    assert not any(add(spool, LINE, level) for level in (0, 20, 30))
