from pathlib import Path

import pytest

from loghub.hub.store.durable import GrowingFile, replace_file


def test_appends_follow_each_other(tmp_path: Path) -> None:
    file = GrowingFile(tmp_path / "file")
    file.append(b"one\n")
    file.append(b"two\n")
    file.close()
    again = GrowingFile(tmp_path / "file")
    again.append(b"three\n")

    assert file.path.read_bytes() == b"one\ntwo\nthree\n"
    assert again.size == 14
    again.close()


def test_what_is_taken_back_is_gone(tmp_path: Path) -> None:
    file = GrowingFile(tmp_path / "file")
    file.append(b"one\n")
    file.append(b"two\n")
    file.take_back(4)
    file.append(b"three\n")

    assert file.path.read_bytes() == b"one\nthree\n"
    file.close()


def test_a_replaced_file_leaves_no_draft(tmp_path: Path) -> None:
    replace_file(tmp_path / "file", b"old")
    replace_file(tmp_path / "file", b"new")

    assert [path.read_bytes() for path in tmp_path.iterdir()] == [b"new"]


def test_a_file_in_no_folder_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        GrowingFile(tmp_path / "missing" / "file")
