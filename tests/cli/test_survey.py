"""`loghub files`."""

import gzip
import json
import os
from pathlib import Path

import pytest

from loghub.cli import main
from loghub.cli.files import _size
from loghub.handlers.hold import share
from loghub.segments import segments

from log_sets import lines, write

FIRST = "app-20260921T141320-0001.jsonl"
SECOND = "app-20260921T141321-0001.jsonl.gz"
THIRD = "app-20260921T141322-0001.jsonl.zst"


@pytest.fixture
def log(tmp_path: Path) -> Path:
    """Give a log of three segments, in every form, and its file, which a crash has torn."""
    write(tmp_path / FIRST, lines(range(3)))
    write(tmp_path / SECOND, lines(range(3, 1003)))
    write(tmp_path / THIRD, lines(range(1003, 1005)))
    write(tmp_path / "app.errors-20260921T141322-0001.jsonl", lines(range(9)))
    return write(tmp_path / "app.jsonl", lines(range(1005, 1008)) + b'{"timest')


def run(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, *arguments: object) -> tuple[str, str]:
    monkeypatch.setattr("sys.argv", ["loghub", "files", *map(str, arguments)])

    with pytest.raises(SystemExit) as ended:
        main()

    found = capsys.readouterr()
    assert ended.value.code == (2 if found.err.startswith("loghub: ") else 0)
    return found.out, found.err


def test_files_are_listed_with_span_size_and_lines(
    log: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    out, _ = run(capsys, monkeypatch, log, "--json")
    files = json.loads(out)["files"]

    assert [Path(file["path"]).name for file in files] == [FIRST, SECOND, THIRD, "app.jsonl"]
    assert [file["lines"] for file in files] == [3, 1000, 2, 4]
    assert [file["size"] for file in files] == [(log.parent / Path(file["path"]).name).stat().st_size for file in files]
    assert (files[1]["first"], files[1]["last"]) == ("2026-09-21T14:13:20.003000Z", "2026-09-21T14:13:21.002000Z")
    assert files[3]["last"] == "2026-09-21T14:13:21.007000Z", "the line before the torn one"
    assert [file["rolled"] for file in files][2:] == ["2026-09-21T14:13:22+00:00", None]


def test_table_is_for_people(log: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    out, _ = run(capsys, monkeypatch, log)
    rows = [line.split() for line in out.splitlines()]

    assert rows[0] == ["file", "first", "event", "last", "event", "size", "lines"]
    assert rows[2][:5] == [SECOND, "2026-09-21", "14:13:20Z", "2026-09-21", "14:13:21Z"]
    assert rows[2][-1] == "1,000"
    assert rows[-1][:2] == ["4", "files"]
    assert rows[-1][-1] == "1,009"


def test_damaged_segment_is_counted_up_to_the_damage(
    log: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    path = log.parent / SECOND
    path.write_bytes(path.read_bytes()[:-10])

    out, err = run(capsys, monkeypatch, log)

    assert out.count("damaged") == 1
    assert f"{SECOND} is damaged after line " in err


def test_dry_run_shows_what_would_go_and_deletes_nothing(
    log: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    before = sorted(log.parent.iterdir())
    out, err = run(capsys, monkeypatch, log, "--prune", "--dry-run", "--keep-files", "1", "--keep", "9999 days")

    assert out.splitlines() == [str(log.parent / FIRST), str(log.parent / SECOND)]
    assert err.startswith("2 of 3 segments, ")
    assert err.endswith(" would be deleted.\n")
    assert sorted(log.parent.iterdir()) == before


def test_prune_deletes_that_and_tells_what_is_held(
    log: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    writer = os.open(log.parent / FIRST, os.O_RDWR)
    assert share(writer)
    out, err = run(capsys, monkeypatch, log, "--prune", "--keep-total", "1 kB", "--keep-free", "1 kB")
    os.close(writer)

    assert out.splitlines() == [str(log.parent / SECOND)]
    assert err.startswith("1 of 3 segments, ")
    assert f"{FIRST} stays: a process still writes to it." in err
    assert [segment.path.name for segment in segments(log)] == [FIRST, THIRD]

    out, _ = run(capsys, monkeypatch, log, "--prune", "--keep-files", "0", "--json")
    assert len(json.loads(out)["deleted"]) == 2
    assert log.exists()


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--prune"], "say what is kept"),
        (["--keep", "1 day"], "these go with --prune"),
        (["--dry-run"], "it goes with --prune"),
        (["--prune", "--keep", "14"], 'give a unit, as "14 days"'),
    ],
)
def test_options_that_make_no_sense_are_refused(
    options: list[str], said: str, log: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    _, err = run(capsys, monkeypatch, log, *options)
    assert said in err


def test_log_that_is_not_there_is_said(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    _, err = run(capsys, monkeypatch, tmp_path / "none.jsonl")
    assert "there is no such log" in err


def test_log_that_has_only_segments_is_listed(
    log: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    log.unlink()
    out, _ = run(capsys, monkeypatch, log, "--json")
    assert len(json.loads(out)["files"]) == 3


def test_sizes_are_written_for_people() -> None:
    assert [_size(number) for number in (0, 999, 1500, 2_000_000, 5e15)] == [
        "0 B",
        "999 B",
        "1.5 kB",
        "2.0 MB",
        "5000.0 TB",
    ]


def test_empty_compressed_segment_has_no_span(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / SECOND).write_bytes(gzip.compress(b""))
    out, _ = run(capsys, monkeypatch, tmp_path / "app.jsonl", "--json")
    [file] = json.loads(out)["files"]
    assert (file["first"], file["last"], file["lines"]) == (None, None, 0)
