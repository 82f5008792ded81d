"""Frames: what is written is found, damage costs what it touches and no more."""

from zlib import crc32

from hypothesis import given
from hypothesis import strategies as st

from loghub.handlers.spool.frames import KEEPS_GIL, MAGIC, Damage, Found, frame, scan

LINES = st.lists(st.binary(min_size=1, max_size=40).map(lambda line: line + b"\n"), min_size=1, max_size=12)


def segment(lines: list[bytes], room: int = 64) -> tuple[bytes, list[int]]:
    """Give frames as a segment holds them, zeros behind, and where each one ends."""
    data, ends = b"", []

    for seq, line in enumerate(lines, 1):
        data += frame(line, seq, 1_790_000_000_000_000_000)
        ends.append(len(data))

    return data + bytes(room), ends


def seqs(data: bytes) -> list[int]:
    return [part.seq for part in scan(data) if isinstance(part, Found)]


def test_a_line_of_any_length_is_found() -> None:
    lines = [b"x" * length for length in (1, KEEPS_GIL - 25, KEEPS_GIL, KEEPS_GIL + 1, 100_000)]
    data, ends = segment(lines)
    assert [part.end for part in scan(data)] == ends


def test_a_frame_is_these_bytes() -> None:
    """What is on a disk is read by later versions: magic, version, flags, length, number, time, line, CRC32."""
    written = frame(b"{}\n", 7, 1_790_000_000_000_000_001)
    head = MAGIC + bytes([1, 0]) + b"\3\0\0\0" + (7).to_bytes(8, "little")
    body = head + (1_790_000_000_000_000_001).to_bytes(8, "little") + b"{}\n"
    assert written == body + crc32(body).to_bytes(4, "little")


def test_a_segment_without_frames_is_empty() -> None:
    assert list(scan(bytes(4096))) == []
    assert list(scan(b"")) == []


@given(LINES, st.data())
def test_a_cut_loses_the_frame_it_cuts_and_is_no_damage(lines: list[bytes], data: st.DataObject) -> None:
    written, ends = segment(lines, 0)
    cut = data.draw(st.integers(0, len(written)))
    parts = list(scan(written[:cut] + bytes(64)))
    assert [part.seq for part in parts if isinstance(part, Found)] == list(
        range(1, sum(end <= cut for end in ends) + 1)
    )
    assert all(part.torn for part in parts if isinstance(part, Damage))


@given(LINES, st.data())
def test_a_changed_byte_loses_its_own_frame_only(lines: list[bytes], data: st.DataObject) -> None:
    written, ends = segment(lines)
    place = data.draw(st.integers(0, ends[-1] - 1))
    flipped = bytearray(written)
    flipped[place] ^= data.draw(st.integers(1, 255))
    hit = sum(end <= place for end in ends) + 1
    found = seqs(bytes(flipped))
    assert [seq for seq in found if seq != hit] == [seq for seq in range(1, len(lines) + 1) if seq != hit]
    assert hit not in found


@given(LINES, st.binary(min_size=1, max_size=200))
def test_junk_between_frames_is_damage_and_what_follows_is_found(lines: list[bytes], junk: bytes) -> None:
    written, ends = segment(lines)
    at = ends[len(ends) // 2]
    parts = list(scan(written[:at] + b"\1" + junk + written[at:]))
    assert [part.seq for part in parts if isinstance(part, Found)] == list(range(1, len(lines) + 1))


def test_a_frame_within_a_line_is_no_frame() -> None:
    inner = frame(b"stolen\n", 1, 0)
    data, _ = segment([b"one\n", inner, b"two\n"])
    flipped = bytearray(data)
    flipped[len(frame(b"one\n", 1, 0)) + 2] = 9  # the version of the frame that holds the other one
    assert seqs(bytes(flipped)) == [1, 3]


def test_a_number_that_comes_again_is_damage() -> None:
    data = frame(b"a\n", 5, 0) + frame(b"b\n", 5, 0) + frame(b"c\n", 6, 0)
    assert seqs(data + bytes(8)) == [5, 6]
