from pathlib import Path

import pytest
from store_batches import SOURCE, batch, source

from loghub.errors import StoreError
from loghub.hub.store.marks import Marks, trim


def test_marks_are_there_after_a_restart(tmp_path: Path) -> None:
    marks = Marks(tmp_path / "marks.json")
    marks.raise_to({SOURCE: 7, source(2): 0})
    marks.save()

    assert Marks(tmp_path / "marks.json").last(SOURCE) == 7
    assert Marks(tmp_path / "marks.json").last(source(2)) == 0


def test_a_source_that_was_never_seen_has_nothing() -> None:
    assert Marks(Path("/nowhere/marks.json")).last(SOURCE) == -1


def test_a_mark_never_goes_back(tmp_path: Path) -> None:
    marks = Marks(tmp_path / "marks.json")
    marks.raise_to({SOURCE: 7})
    marks.raise_to({SOURCE: 5})

    assert marks.last(SOURCE) == 7


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
