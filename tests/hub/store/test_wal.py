import json
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from store_batches import SOURCE, START_US, batch, source

from loghub.hub.store.durable import GrowingFile
from loghub.hub.store.protocol import Incoming
from loghub.hub.store.wal import Damage, Frame, append_batches, encode_frame, read_log, to_ranges

BATCHES = (batch(1, 3), batch(1, 4, sender=source(2), bad=[2, 4]), batch(4, 2))


@pytest.fixture
def log(tmp_path: Path) -> Path:
    path = tmp_path / "0000000000000001.ndjson"
    file = GrowingFile(path)
    append_batches(file, BATCHES, 1)
    file.close()
    return path


def frames(path: Path) -> list[Frame]:
    return [piece for piece in read_log(path) if isinstance(piece, Frame)]


def test_what_was_appended_is_read_back(log: Path) -> None:
    assert [frame.lines for frame in frames(log)] == [tuple(one.lines) for one in BATCHES]
    assert [list(frame.header.seqs) for frame in frames(log)] == [list(one.seqs) for one in BATCHES]
    assert [frame.header.arrival for frame in frames(log)] == [1, 4, 6]


def test_a_header_is_a_line_that_people_read(log: Path) -> None:
    header = json.loads(log.read_bytes().splitlines()[4])

    assert header.pop("crc32")
    assert header == {
        "wal": 1,
        "source": source(2),
        "first": 1,
        "last": 4,
        "received": START_US,
        "arrival": 4,
        "count": 2,
        "bytes": sum(map(len, BATCHES[1].lines)),
        "lines": [[1, 1], [3, 3]],
    }


def test_a_log_that_ends_anywhere_gives_its_whole_frames(log: Path) -> None:
    data = log.read_bytes()
    ends = [len(encode_frame(BATCHES[0], 1)), len(data) - len(encode_frame(BATCHES[2], 6)), len(data)]

    for size in range(len(data)):
        log.write_bytes(data[:size])
        pieces = list(read_log(log))
        whole = sum(end <= size for end in ends)
        assert [piece.header.arrival for piece in pieces if isinstance(piece, Frame)] == [1, 4, 6][:whole]
        tails = [piece for piece in pieces if isinstance(piece, Damage)]
        assert all(tail.tail and not tail.whole and tail.end == size for tail in tails)
        assert bool(tails) == (size not in (0, *ends))


def test_a_changed_byte_spoils_its_own_frame_only(log: Path) -> None:
    data = log.read_bytes()
    start = len(encode_frame(BATCHES[0], 1))
    end = len(data) - len(encode_frame(BATCHES[2], 6))

    for position in range(start, end):
        log.write_bytes(data[:position] + bytes([data[position] ^ 1]) + data[position + 1 :])
        first, middle, last = read_log(log)
        assert isinstance(first, Frame)
        assert isinstance(last, Frame)
        assert middle == Damage(
            log, start, end, tail=False, whole=middle.whole if isinstance(middle, Damage) else False
        )


def test_a_changed_byte_in_the_last_frame_is_told_from_a_torn_one(log: Path) -> None:
    data = log.read_bytes()
    log.write_bytes(data[:-3] + b"?" + data[-2:])
    *_, tail = read_log(log)

    assert isinstance(tail, Damage)
    assert tail.tail
    assert tail.whole


@given(st.lists(st.binary(max_size=20).map(lambda text: text.replace(b"\n", b"\r") + b"\n"), max_size=9), st.binary())
def test_any_line_comes_back_with_junk_behind_it(lines: list[bytes], junk: bytes) -> None:
    path = Path("/dev/shm") / "loghub-test-wal.ndjson"  # noqa: S108 (one file that is written anew each time)
    one = Incoming(SOURCE, 1, max(1, len(lines)), START_US, range(1, len(lines) + 1), lines, ())
    path.write_bytes(encode_frame(one, 7) + junk)
    first = next(read_log(path))
    path.unlink()

    assert isinstance(first, Frame)
    assert first.lines == tuple(lines)
    assert first.header.arrival == 7


@given(st.sets(st.integers(0, 50)).map(sorted))
def test_ranges_say_the_same_numbers(numbers: list[int]) -> None:
    assert [number for first, last in to_ranges(numbers) for number in range(first, last + 1)] == numbers


def test_a_header_that_promises_more_than_there_is_is_torn(tmp_path: Path) -> None:
    path = tmp_path / "1.ndjson"
    path.write_bytes(encode_frame(replace(batch(1, 2)), 1)[:-10])

    assert list(read_log(path)) == [Damage(path, 0, path.stat().st_size, tail=True, whole=False)]
