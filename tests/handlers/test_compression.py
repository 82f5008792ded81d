import gzip
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest

from loghub.errors import ConfigError, MissingExtraError
from loghub.handlers.compression import compress_all, parse_compression, remove_leftover
from loghub.handlers.hold import alone, share
from loghub.segments import compressing, next_path, open_segment, segments

LINES = b'{"message":"one"}\n{"message":"two"}\n'
NOON = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)


@pytest.fixture
def log(tmp_path: Path) -> Path:
    """Give a log with two segments."""
    log = tmp_path / "app.jsonl"
    first = next_path(log, NOON, [])
    first.write_bytes(LINES)
    first.chmod(0o640)
    os.utime(first, (1_000_000_000, 1_000_000_000))
    next_path(log, NOON, [first.name]).write_bytes(LINES)
    return log


def lines_of(log: Path) -> list[bytes]:
    found = []

    for segment in segments(log):
        with open_segment(segment) as lines:
            found.append(lines.read())

    return found


@contextmanager
def held(path: Path) -> Iterator[None]:
    writer = os.open(path, os.O_RDWR)
    assert share(writer)
    yield
    os.close(writer)


@pytest.mark.parametrize("form", [".gz", ".zst"])
def test_segments_are_compressed_and_keep_lines_permissions_and_time(log: Path, form: str) -> None:
    assert not compress_all(log, form)

    assert [segment.form for segment in segments(log)] == [form, form]
    assert lines_of(log) == [LINES, LINES]
    status = segments(log)[0].path.stat()
    assert (status.st_mode & 0o777, status.st_mtime) == (0o640, 1_000_000_000)
    assert len([*log.parent.iterdir()]) == 2


def test_segment_that_a_writer_holds_waits_and_the_others_do_not(log: Path) -> None:
    first = segments(log)[0]

    with held(first.path):
        assert compress_all(log, ".gz")
        assert [segment.form for segment in segments(log)] == ["", ".gz"]

    assert not compress_all(log, ".gz")
    assert [segment.form for segment in segments(log)] == [".gz", ".gz"]


def test_one_process_at_a_time_compresses(log: Path) -> None:
    compressing(log).touch()

    with alone(compressing(log)) as descriptor:
        assert descriptor is not None
        assert compress_all(log, ".gz")
        remove_leftover(log)

    assert [segment.form for segment in segments(log)] == ["", ""]
    assert compressing(log).exists()


def test_what_a_crash_left_is_overwritten(log: Path) -> None:
    compressing(log).write_bytes(b"x" * 10_000)

    assert not compress_all(log, ".gz")

    assert lines_of(log) == [LINES, LINES]
    assert not compressing(log).exists()


def test_what_a_crash_left_is_removed_where_nothing_is_compressed_any_more(log: Path) -> None:
    compressing(log).touch()
    remove_leftover(log)
    remove_leftover(log)
    assert not compressing(log).exists()


def test_other_form_that_stands_beside_it_goes(log: Path) -> None:
    for segment in segments(log):
        segment.path.with_name(segment.path.name + ".gz").write_bytes(gzip.compress(LINES))

    assert not compress_all(log, ".zst")

    assert [segment.form for segment in segments(log)] == [".zst", ".zst"]
    assert not any(segment.others for segment in segments(log))


def test_refusal_of_the_disk_leaves_the_plain_segment_and_nothing_else(
    log: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_: int) -> None:
        raise OSError(28, "No space left on device")

    before = sorted(log.parent.iterdir())
    monkeypatch.setattr(os, "fsync", refuse)

    with pytest.raises(OSError, match="No space"):
        compress_all(log, ".gz")

    assert sorted(log.parent.iterdir()) == before
    assert lines_of(log) == [LINES, LINES]


def test_segment_of_others_and_of_links_stays_as_it_is(log: Path, tmp_path: Path) -> None:
    other = tmp_path / "app.errors-20261122T120000-0001.jsonl"
    other.write_bytes(LINES)
    link = tmp_path / "app-20201122T120000-0001.jsonl"
    link.symlink_to(other)

    compress_all(log, ".gz")

    assert other.read_bytes() == LINES
    assert link.is_symlink()


def test_option_is_gz_or_zst() -> None:
    assert [parse_compression(value, "H") for value in (None, "gz", "zst")] == ["", ".gz", ".zst"]

    with pytest.raises(ConfigError, match="H: compress='bz2': give one of gz, zst"):
        parse_compression("bz2", "H")


def test_missing_extra_is_said_at_configuration(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "zstandard", None)

    with pytest.raises(MissingExtraError, match=r"compress=zst needs the 'zst' extra: pip install 'loghub\[zst\]'"):
        parse_compression("zst", "H")


def test_handlers_do_not_import_the_extra() -> None:
    code = "import sys, loghub.handlers.json_file; print('zstandard' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)

    assert done.stdout.strip() == "False"
