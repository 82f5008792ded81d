import gzip
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from loghub.segments import compressing, next_path, open_segment, parse_name, segments

LOG = Path("/logs/app.jsonl")
NOON = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)


def test_name_says_the_roll_in_utc_and_a_number() -> None:
    assert next_path(LOG, NOON, []).name == "app-20261122T120000-0001.jsonl"


def test_second_roll_of_a_second_takes_the_next_number() -> None:
    assert next_path(LOG, NOON, ["app-20261122T120000-0001.jsonl"]).name == "app-20261122T120000-0002.jsonl"


@pytest.mark.parametrize(
    "name",
    [
        "app.jsonl",
        "app.errors.jsonl",
        "app-old.jsonl",
        "app-20261122T120000-0001.jsonl.bak",
        "my-app-20261122T120000-0001.jsonl",
        "app-20269922T120000-0001.jsonl",
        "appx20261122T120000-0001.jsonl",
        "app-20261122T120000-0001.jsonl.gz.tmp",
        "app-20261122T120000-0001.jsonl.gz.zst",
        "app-20261122T120000-0001.jsonlxgz",
        ".app.jsonl.compressing",
        ".app.jsonl.lock",
    ],
)
def test_names_of_others_are_no_segments(name: str) -> None:
    assert parse_name(LOG, name) is None


@given(st.lists(st.integers(-5, 5), max_size=30))
def test_names_come_in_the_order_of_the_rolls_whatever_the_clock_does(steps: list[int]) -> None:
    names: list[str] = []
    now = NOON

    for step in steps:
        now += timedelta(seconds=step)
        names.append(next_path(LOG, now, names).name)

    assert names == sorted(set(names))
    assert len(set(names)) == len(names)


def test_ten_thousandth_roll_of_a_second_has_a_name_of_its_own() -> None:
    before = ["app-20261122T120000-9999.jsonl", "app-20261122T120000-10000.jsonl"]

    assert next_path(LOG, NOON, before).name == "app-20261122T120000-10001.jsonl"
    found = [parse_name(LOG, name) for name in before]
    assert found[0] is not None
    assert found[1] is not None
    assert found[0] < found[1]


def test_links_and_folders_are_not_listed(tmp_path: Path) -> None:
    log = tmp_path / "app.jsonl"
    real = next_path(log, NOON, [])
    real.touch()
    next_path(log, NOON, [real.name]).symlink_to(real)
    next_path(log, NOON + timedelta(days=1), []).mkdir()

    assert [segment.path for segment in segments(log)] == [real]


def test_compressed_segment_keeps_its_place_and_the_next_name_comes_behind_it() -> None:
    name = "app-20261122T120000-0001.jsonl.gz"
    found = parse_name(LOG, name)

    assert found is not None
    assert found == parse_name(LOG, "app-20261122T120000-0001.jsonl")
    assert (found.form, found.plain.name) == (".gz", "app-20261122T120000-0001.jsonl")
    assert next_path(LOG, NOON, [name]).name == "app-20261122T120000-0002.jsonl"


def test_log_whose_own_name_ends_like_a_form_has_segments_that_do_not() -> None:
    found = parse_name(Path("/logs/app.gz"), "app-20261122T120000-0001.gz")

    assert found is not None
    assert (found.form, found.plain) == ("", found.path)


def test_hidden_name_of_compression_is_no_segments_name() -> None:
    assert parse_name(LOG, compressing(LOG).name) is None


COMPRESSED: dict[str, Callable[[bytes], bytes]] = {
    "": bytes,
    ".gz": gzip.compress,
    ".zst": lambda data: zstandard.ZstdCompressor().compress(data) + zstandard.ZstdCompressor().compress(b"last\n"),
}


@pytest.mark.parametrize("form", COMPRESSED)
def test_lines_of_every_form_are_read(form: str, tmp_path: Path) -> None:
    log = tmp_path / "app.jsonl"
    path = tmp_path / f"app-20261122T120000-0001.jsonl{form}"
    path.write_bytes(COMPRESSED[form](b"one\ntwo\n"))
    [segment] = segments(log)

    with open_segment(segment) as lines:
        assert [*lines][:2] == [b"one\n", b"two\n"]


def test_forms_of_one_segment_are_one_and_the_plain_one_is_read(tmp_path: Path) -> None:
    log = tmp_path / "app.jsonl"
    names = [f"app-20261122T120000-0001.jsonl{form}" for form in (".gz", "", ".zst")]

    for name in names:
        (tmp_path / name).write_bytes(COMPRESSED[name.partition(".jsonl")[2]](b"line\n"))

    [segment] = segments(log)

    assert segment.path.name == names[1]
    assert [other.name for other in segment.others] == [names[2], names[0]]
    assert segment.size == sum((tmp_path / name).stat().st_size for name in names)


def test_segment_that_is_compressed_between_listing_and_opening_is_read(tmp_path: Path) -> None:
    log = tmp_path / "app.jsonl"
    plain = tmp_path / "app-20261122T120000-0001.jsonl"
    plain.write_bytes(b"line\n")
    [segment] = segments(log)
    plain.with_name(plain.name + ".gz").write_bytes(gzip.compress(b"line\n"))
    plain.unlink()

    with open_segment(segment) as lines:
        assert lines.read() == b"line\n"

    plain.with_name(plain.name + ".gz").unlink()

    with pytest.raises(FileNotFoundError, match="in every form"):
        open_segment(segment)
