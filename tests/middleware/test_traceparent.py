"""traceparent by the letter of W3C Trace Context: what is read, what is not, what goes out."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loghub.middleware.traceparent import TraceParent, parse

TRACE, SPAN = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
GOOD = f"00-{TRACE}-{SPAN}-01"


def test_version_00_is_read() -> None:
    assert parse([GOOD]) == TraceParent(TRACE, SPAN, 1)
    assert parse([f"00-{TRACE}-{SPAN}-00"]) == TraceParent(TRACE, SPAN, 0)


@pytest.mark.parametrize("more", ["", "-", "-what the future brings"])
def test_higher_version_is_read_as_far_as_it_is_known(more: str) -> None:
    assert parse([f"cc-{TRACE}-{SPAN}-01{more}"]) == TraceParent(TRACE, SPAN, 1)


def test_flags_of_another_version_are_not_passed_on() -> None:
    found = parse([f"00-{TRACE}-{SPAN}-ff"])
    assert found is not None
    assert found.header() == f"00-{TRACE}-{SPAN}-03"


@pytest.mark.parametrize(
    "wrong",
    [
        "",
        GOOD.upper(),
        f"00-{TRACE.upper()}-{SPAN}-01",
        f"0-{TRACE}-{SPAN}-01",
        f"ff-{TRACE}-{SPAN}-01",
        f"00-{'0' * 32}-{SPAN}-01",
        f"00-{TRACE}-{'0' * 16}-01",
        f"00-{TRACE[:-1]}-{SPAN}-01",
        f"00-{TRACE}0-{SPAN}-01",
        f"00-{TRACE}-{SPAN[:-1]}-01",
        f"00-{TRACE}-{SPAN}-1",
        f"00-{TRACE}-{SPAN}-0g",
        f"00-{TRACE}-{SPAN}",
        f"{GOOD}-",
        f"{GOOD}-more",
        f"cc-{TRACE}-{SPAN}-01x",
        f" {GOOD}",
        f"{GOOD}\n",
        f"{GOOD},{GOOD}",
        GOOD.replace("-", "_"),
        f"00-{'٤' * 32}-{SPAN}-01",
    ],
)
def test_what_is_not_valid_is_none(wrong: str) -> None:
    assert parse([wrong]) is None


def test_two_headers_are_none() -> None:
    assert parse([GOOD, GOOD]) is None


def test_state_goes_along() -> None:
    found = parse([GOOD], ["a=1", "b=2"])
    assert found is not None
    assert found.state == "a=1,b=2"


@pytest.mark.parametrize("odd", [["a=1\r\nX: y"], ["x" * 513], ["ä=1"]])
def test_state_that_no_header_can_hold_is_left_out(odd: list[str]) -> None:
    assert parse([GOOD], odd) == TraceParent(TRACE, SPAN, 1)


@given(st.text(max_size=80) | st.from_regex(re.compile(r"\A[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}\Z")))
def test_what_is_read_is_written_valid(text: str) -> None:
    found = parse([text])

    if found is not None:
        assert re.fullmatch(r"00-[0-9a-f]{32}-[0-9a-f]{16}-0[0-3]", found.header())
        assert parse([found.header()]) == found
