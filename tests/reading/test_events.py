"""loghub.read: order, rotation while it reads, torn lines and where they are."""

import logging
import subprocess
import sys
import tracemalloc
from pathlib import Path

import pytest

import loghub
from loghub.errors import QuerySyntaxError
from loghub.event.presets import PRESETS
from loghub.reading import sets
from loghub.reading.events import Problem  # noqa: TC001 (as everywhere here: types are imported as they are)

from log_sets import line, lines, pack, write

SEGMENT = "app-20261122T1200{:02d}-0001.jsonl"


def numbers(path: Path, query: str | None = None) -> list[object]:
    return [event.fields["n"] for event in loghub.read(path, query)]


def test_set_is_read_oldest_first_whatever_its_compression(tmp_path: Path) -> None:
    log = write(tmp_path / "app.jsonl", lines(range(9, 12)))
    write(tmp_path / (SEGMENT.format(3)), lines(range(6, 9)))
    write(tmp_path / (SEGMENT.format(1) + ".gz"), lines(range(3)))
    write(tmp_path / (SEGMENT.format(2) + ".zst"), lines(range(3, 6)))
    write(tmp_path / "app.errors.jsonl", line(99))

    assert numbers(log) == list(range(12))


@pytest.mark.parametrize(
    "names",
    [
        ("app.jsonl.12.gz", "app.jsonl.2", "app.jsonl.1"),
        ("app.jsonl.2026-11-20", "app.jsonl.2026-11-21.zst", "app.jsonl.2026-11-22"),
        ("app.jsonl.2026-11-22_13-59", "app.jsonl.2026-11-22_14-00", "app.jsonl.2026-11-22_14-01"),
        ("app.jsonl-20261120", "app.jsonl-20261121", "app.jsonl-20261122.gz"),
    ],
)
def test_names_of_the_standard_library_and_of_logrotate_are_read_in_their_order(
    tmp_path: Path, names: tuple[str, ...]
) -> None:
    for place, name in enumerate(names):
        write(tmp_path / name, line(place))

    assert numbers(write(tmp_path / "app.jsonl", line(3))) == [0, 1, 2, 3]


def test_segment_with_both_forms_is_read_once(tmp_path: Path) -> None:
    write(tmp_path / SEGMENT.format(1), lines(range(3)))
    write(tmp_path / (SEGMENT.format(1) + ".gz"), lines(range(3)))

    assert numbers(tmp_path / "app.jsonl") == [0, 1, 2]


def test_one_segment_is_read_by_itself(tmp_path: Path) -> None:
    write(tmp_path / "app.jsonl", line(2))

    assert numbers(write(tmp_path / (SEGMENT.format(1) + ".zst"), lines(range(2)))) == [0, 1]


def test_query_chooses(tmp_path: Path) -> None:
    log = write(tmp_path / "app.jsonl", line(1) + line(2, level="ERROR") + line(3, level="CRITICAL"))

    assert numbers(log, "level>=error") == [2, 3]


def test_wrong_query_is_an_error_with_its_place(tmp_path: Path) -> None:
    log = write(tmp_path / "app.jsonl", line(1))

    with pytest.raises(QuerySyntaxError, match="stages"):
        loghub.read(log, "level:error | count")


def test_missing_log_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="there is no such log"):
        loghub.read(tmp_path / "app.jsonl")


def test_torn_lines_are_told_with_file_offset_and_reason_and_the_others_read(tmp_path: Path) -> None:
    segment = write(tmp_path / SEGMENT.format(1), line(0) + b'{"n": 1, "mess' + b"\n" + line(2) + b"no json\n")
    log = write(tmp_path / "app.jsonl", line(3) + b'{"n": 4')
    told: list[Problem] = []
    events = loghub.read(log, problems=told.append)

    assert [event.fields["n"] for event in events] == [0, 2, 3]
    assert [(problem.path, problem.offset) for problem in told] == [
        (segment, len(line(0))),
        (segment, len(line(0) + line(2)) + 15),
        (log, len(line(3))),
    ]
    assert told[2].reason == "the line has no end"
    assert told[1].text == b"no json"
    assert str(told[1]).startswith(f"{segment} at byte ")
    assert (events.problems, events.problem_count) == (told, 3)


def test_last_line_without_a_newline_is_read_where_it_is_whole(tmp_path: Path) -> None:
    assert numbers(write(tmp_path / "app.jsonl", lines(range(3)).rstrip())) == [0, 1, 2]


@pytest.mark.parametrize("form", [".gz", ".zst"])
@pytest.mark.parametrize("cut", [3, 40, 9])
def test_compressed_segment_that_ends_too_early_is_read_as_far_as_it_goes(tmp_path: Path, form: str, cut: int) -> None:
    broken = write(tmp_path / (SEGMENT.format(1) + form), lines(range(300)))
    broken.write_bytes(broken.read_bytes()[:-cut])
    log = write(tmp_path / "app.jsonl", line(300))
    events = loghub.read(log)
    found = [event.fields["n"] for event in events]

    assert found[-1] == 300
    assert found[:-1] == list(range(len(found) - 1))
    assert "ends too early" in events.problems[-1].reason
    assert events.problems[-1].path == broken


def test_damaged_compressed_segment_is_told_and_the_others_read(tmp_path: Path) -> None:
    broken = write(tmp_path / (SEGMENT.format(1) + ".gz"), lines(range(300)))
    data = bytearray(broken.read_bytes())
    data[200:210] = bytes(10)
    broken.write_bytes(bytes(data))
    events = loghub.read(write(tmp_path / "app.jsonl", line(300)))

    assert [event.fields["n"] for event in events][-1] == 300
    assert any("damaged" in problem.reason for problem in events.problems)


def test_several_compressed_streams_behind_each_other_are_one_segment(tmp_path: Path) -> None:
    for form in (".gz", ".zst"):
        path = write(tmp_path / (SEGMENT.format(1) + form), lines(range(3)))
        first = path.read_bytes()
        path.write_bytes(first + write(path, lines(range(3, 5))).read_bytes() + bytes(64))

        assert numbers(tmp_path / "app.jsonl") == list(range(5))
        path.unlink()


def test_file_that_cannot_be_read_is_told(tmp_path: Path) -> None:
    (tmp_path / "app.jsonl").symlink_to("/proc/self/mem")
    events = loghub.read(tmp_path / "app.jsonl")

    assert list(events) == []
    assert "cannot be read" in events.problems[0].reason


def test_roll_while_reading_neither_skips_nor_doubles(tmp_path: Path) -> None:
    log = write(tmp_path / "app.jsonl", lines(range(2)))
    events = loghub.read(log)
    found = [next(events).fields["n"]]
    log.rename(tmp_path / SEGMENT.format(1))
    write(log, lines(range(2, 4)))
    found += [next(events).fields["n"], next(events).fields["n"]]
    log.rename(tmp_path / SEGMENT.format(2))
    pack(tmp_path / (SEGMENT.format(1) + ".gz"))
    write(log, lines(range(4, 6)))

    assert found + [event.fields["n"] for event in events] == list(range(6))


def test_numbers_that_move_on_while_reading_neither_skip_nor_double(tmp_path: Path) -> None:
    log = write(tmp_path / "app.jsonl", line(3))

    for number in (3, 2, 1):
        write(tmp_path / f"app.jsonl.{number}", line(3 - number))

    events = loghub.read(log)
    found = [next(events).fields["n"]]

    for number in (3, 2, 1):
        (tmp_path / f"app.jsonl.{number}").rename(tmp_path / f"app.jsonl.{number + 1}")

    log.rename(tmp_path / "app.jsonl.1")
    write(log, line(4))

    assert found + [event.fields["n"] for event in events] == list(range(5))


def test_segment_compressed_while_it_is_read_is_read_once(tmp_path: Path) -> None:
    write(tmp_path / SEGMENT.format(1), lines(range(2)))
    log = write(tmp_path / "app.jsonl", lines(range(2, 4)))
    events = loghub.read(log)
    found = [next(events).fields["n"]]
    pack(tmp_path / (SEGMENT.format(1) + ".zst"))
    found += [next(events).fields["n"], next(events).fields["n"]]
    log.rename(tmp_path / SEGMENT.format(2))
    pack(tmp_path / (SEGMENT.format(2) + ".gz"))

    assert found + [event.fields["n"] for event in events] == list(range(4))


def test_copy_and_truncate_while_reading_doubles_nothing(tmp_path: Path) -> None:
    log = write(tmp_path / "app.jsonl", lines(range(2)))
    events = loghub.read(log)
    found = [next(events).fields["n"], next(events).fields["n"]]
    write(tmp_path / "app.jsonl.1", log.read_bytes())
    log.write_bytes(line(2))

    assert found + [event.fields["n"] for event in events] == [0, 1, 2]


@pytest.mark.parametrize("preset", sorted(PRESETS))
def test_every_preset_is_read_back(tmp_path: Path, preset: str) -> None:
    handler = loghub.JSONFileHandler(tmp_path / "app.jsonl")
    handler.setFormatter(loghub.JSONFormatter(preset=preset))
    record = logging.LogRecord("shop.cart", logging.ERROR, "cart.py", 7, "lost %d", (3,), None)
    handler.handle(record)
    handler.close()
    (event,) = loghub.read(tmp_path / "app.jsonl", "level>=error logger:shop lost")

    assert (event.severity, event.fields["logger"], event.fields["message"]) == (40, "shop.cart", "lost 3")


ROLLING = """
import logging, sys, loghub
handler = loghub.JSONFileHandler(sys.argv[1], rotate="10 KB")
log = logging.getLogger("shop")
log.addHandler(handler)
log.setLevel("INFO")
for number in range(int(sys.argv[2])):
    log.info("m%d", number, extra={"n": number})
"""


def test_reading_again_and_again_while_a_process_rolls_gives_each_line_in_order(tmp_path: Path) -> None:
    log = tmp_path / "app.jsonl"
    total = 8000
    writer = subprocess.Popen([sys.executable, "-c", ROLLING, str(log), str(total)])

    with writer:
        while writer.poll() is None:
            found = numbers(log) if log.exists() else []
            assert found == list(range(len(found)))

    assert numbers(log) == list(range(total))


def test_list_that_lacks_a_file_that_was_renamed_meanwhile_is_taken_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = write(tmp_path / "app.jsonl", line(0))
    listed = sets._listed

    def list_during_a_roll(_: Path) -> tuple[dict[str, int], tuple[int, int] | None]:
        monkeypatch.undo()
        log.rename(tmp_path / SEGMENT.format(1))
        return {}, None  # neither the old name nor the new one was met

    monkeypatch.setattr(sets, "_listed", list_during_a_roll)
    assert numbers(log) == [0]
    assert listed is sets._listed


def test_memory_is_bounded(tmp_path: Path) -> None:
    log = write(tmp_path / "app.jsonl", b"".join(line(number, pad="x" * 900) for number in range(1000)) * 8)
    write(tmp_path / (SEGMENT.format(1) + ".gz"), log.read_bytes())
    tracemalloc.start()

    try:
        assert sum(1 for _ in loghub.read(log)) == 16_000
        assert tracemalloc.get_traced_memory()[1] < 12 * 2**20
    finally:
        tracemalloc.stop()


def test_line_too_long_is_told_and_the_next_one_read(tmp_path: Path) -> None:
    log = write(tmp_path / "app.jsonl", line(0) + b"x" * (17 * 2**20) + b"\n" + line(1))
    events = loghub.read(log)

    assert [event.fields["n"] for event in events] == [0, 1]
    assert [problem.offset for problem in events.problems] == [len(line(0))]
    assert "at most 16777216" in events.problems[0].reason
