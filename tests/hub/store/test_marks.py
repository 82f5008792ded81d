from pathlib import Path

import pytest
from store_batches import SOURCE, START_US, batch, source

from loghub.errors import StoreError
from loghub.hub.store.marks import Marks, trim


def test_marks_are_there_after_a_restart(tmp_path: Path) -> None:
    marks = Marks(tmp_path / "marks.json")
    marks.raise_to(SOURCE, 7, START_US)
    marks.raise_to(source(2), 0, START_US)
    marks.save()

    assert Marks(tmp_path / "marks.json").last(SOURCE) == 7
    assert Marks(tmp_path / "marks.json").last(source(2)) == 0


def test_a_source_that_was_never_seen_has_nothing() -> None:
    assert Marks(Path("/nowhere/marks.json")).last(SOURCE) == -1


def test_a_mark_never_goes_back(tmp_path: Path) -> None:
    marks = Marks(tmp_path / "marks.json")
    marks.raise_to(SOURCE, 7, START_US)
    marks.raise_to(SOURCE, 5, START_US)

    assert marks.last(SOURCE) == 7


def test_marks_of_the_first_hubs_are_read(tmp_path: Path) -> None:
    (tmp_path / "marks.json").write_text(f'{{"marks":{{"{SOURCE}":7}}}}')

    assert Marks(tmp_path / "marks.json").last(SOURCE) == 7


def test_beyond_the_most_those_that_were_silent_for_long_are_forgotten(tmp_path: Path) -> None:
    marks = Marks(tmp_path / "marks.json", keep_us=100, most=3, clock_us=lambda: START_US + 100)

    for number, seen in enumerate((-3, -1, -2, 0, 0, 50)):
        marks.raise_to(source(number), 7, START_US + seen)

    marks.save()

    # Those within the time stay, though they are more than the most.
    assert [marks.last(source(number)) for number in range(6)] == [-1, -1, -1, 7, 7, 7]
    assert len(Marks(tmp_path / "marks.json")) == 3


def test_up_to_the_most_nobody_is_forgotten(tmp_path: Path) -> None:
    marks = Marks(tmp_path / "marks.json", keep_us=1, most=3)

    for number in range(3):
        marks.raise_to(source(number), 7, START_US)

    marks.save()
    assert len(marks) == 3


def test_a_source_that_sends_again_is_no_longer_silent(tmp_path: Path) -> None:
    marks = Marks(tmp_path / "marks.json", keep_us=100, most=1, clock_us=lambda: START_US + 150)
    marks.raise_to(SOURCE, 7, START_US)
    marks.raise_to(source(2), 7, START_US)
    marks.raise_to(SOURCE, 8, START_US + 100)
    marks.save()

    assert (marks.last(SOURCE), marks.last(source(2))) == (8, -1)


def test_marks_that_cannot_be_read_say_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "marks.json").write_text('{"marks": [')

    with pytest.raises(StoreError, match="restore it from a copy"):
        Marks(tmp_path / "marks.json")


@pytest.mark.parametrize(
    ("mark", "first", "seqs", "quarantined"),
    [
        (-1, 1, [1, 3, 4], [2, 5]),
        (0, 1, [1, 3, 4], [2, 5]),
        (1, 2, [3, 4], [2, 5]),
        (3, 4, [4], [5]),
        (4, 5, [], [5]),
        (5, 6, [], []),
        (99, 6, [], []),
    ],
)
def test_a_batch_is_trimmed_to_what_is_new(mark: int, first: int, seqs: list[int], quarantined: list[int]) -> None:
    one = trim(batch(1, 5, bad=[2, 5]), mark)

    assert (one.first, one.last) == (first, 5)
    assert list(one.seqs) == seqs
    assert [event.fields["message"] for event in one.events] == [f"event {seq}" for seq in seqs]
    assert len(one.lines) == len(seqs)
    assert [line.seq for line in one.quarantined] == quarantined
