"""The cursor: a torn write leaves the one before."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loghub.handlers.spool.cursor import Cursor


def test_what_was_written_last_is_read(tmp_path: Path) -> None:
    cursor = Cursor(tmp_path / "cursor")
    assert cursor.settled == 0

    for settled in (3, 7, 11):
        cursor.write(settled, durable=False)
        assert Cursor(tmp_path / "cursor").settled == settled

    cursor.close()


@given(st.integers(0, 600), st.binary(min_size=1, max_size=24))
def test_a_damaged_slot_leaves_the_other_one(tmp_path_factory: pytest.TempPathFactory, place: int, junk: bytes) -> None:
    path = tmp_path_factory.mktemp("cursor") / "cursor"
    cursor = Cursor(path)
    cursor.write(3, durable=True)
    cursor.write(7, durable=True)
    cursor.close()
    data = bytearray(path.read_bytes())
    data[place : place + len(junk)] = junk
    path.write_bytes(bytes(data[:900]))
    assert Cursor(path).settled in (3, 7)


@pytest.mark.parametrize("left", [b"", b"\0" * 2000, b"x" * 15])
def test_a_lost_cursor_starts_anew(tmp_path: Path, left: bytes) -> None:
    (tmp_path / "cursor").write_bytes(left)
    assert Cursor(tmp_path / "cursor").settled == 0
