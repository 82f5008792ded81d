import pytest
from hypothesis import given
from hypothesis import strategies as st

from loghub.wire.report import Report, digest, is_damaged, read_report, write_report

KEY = "0123456789ab0123456789ab:1-2"
COUNT = st.none() | st.integers(0, 10**15 - 1)


@given(st.builds(Report, COUNT, COUNT, COUNT, COUNT, COUNT, COUNT, COUNT))
def test_a_report_is_read_as_it_was_written(report: Report) -> None:
    assert (read_report(write_report(report)) or Report()) == report


def test_a_report_is_a_dictionary_of_integers() -> None:
    assert write_report(Report(time=7, sent=3, dropped=0)) == "time=7, sent=3, dropped=0"


@given(st.text())
def test_any_text_is_a_report_or_none(text: str) -> None:
    report = read_report(text)
    assert report is None or read_report(write_report(report)) == report


@pytest.mark.parametrize("text", [None, "", "sent", "sent=x", "sent=-1", "sent=1234567890123456", "color=7"])
def test_what_says_nothing_is_no_report(text: str | None) -> None:
    assert read_report(text) is None


def test_unknown_members_are_passed_over() -> None:
    assert read_report("color=7;hue=3, sent=4,  acked=3, circuit=open") == Report(sent=4, acked=3)


@given(st.lists(st.binary(), max_size=5))
def test_a_digest_does_not_depend_on_where_the_lines_are_cut(lines: list[bytes]) -> None:
    assert digest(KEY, lines) == digest(KEY, [b"".join(lines)])
    assert not is_damaged(digest(KEY, lines), KEY, b"".join(lines))


@given(st.binary(min_size=1), st.data())
def test_a_flipped_bit_is_noticed_wherever_it_is(body: bytes, data: st.DataObject) -> None:
    told = digest(KEY, (body,))
    place, bit = data.draw(st.integers(0, len(body) - 1)), 1 << data.draw(st.integers(0, 7))
    flipped = body[:place] + bytes((body[place] ^ bit,)) + body[place + 1 :]

    assert is_damaged(told, KEY, flipped)
    assert is_damaged(told, KEY.replace("1-2", "1-3"), body)


@pytest.mark.parametrize("told", [None, "", "crc32", "sha-256=:abc=:", "crc32=XYZ"])
def test_a_digest_of_another_kind_is_no_proof_of_damage(told: str | None) -> None:
    assert not is_damaged(told, KEY, b"body")
