import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loghub.wire.ndjson import RawLine, TooManyLinesError, split

OBJECTS = st.dictionaries(st.text(), st.integers() | st.text() | st.none() | st.lists(st.integers()))


def test_lines_are_given_without_their_newlines() -> None:
    assert split(b'{"a":1}\n{"b":2}\n') == [RawLine(1, b'{"a":1}'), RawLine(2, b'{"b":2}')]


def test_blank_lines_are_passed_over_but_counted() -> None:
    assert split(b'\n{"a":1}\r\n  \n{"b":2}') == [RawLine(2, b'{"a":1}'), RawLine(4, b'{"b":2}')]


def test_an_empty_body_has_no_lines() -> None:
    assert split(b"") == []
    assert split(b" \n\n") == []
    assert split(b"[]") == []


def test_a_byte_order_mark_is_no_part_of_the_first_line() -> None:
    assert split(b'\xef\xbb\xbf{"a":1}') == [RawLine(1, b'{"a":1}')]


def test_the_elements_of_an_array_keep_their_text() -> None:
    body = b'[\n  {"n": 123456789012345678901234567890},\n  {"x": 1.10}\n]\n'
    assert split(body) == [RawLine(2, b'{"n": 123456789012345678901234567890}'), RawLine(3, b'{"x": 1.10}')]


def test_an_element_over_several_lines_becomes_one() -> None:
    assert split(b'[{\n"a":\n1}]') == [RawLine(1, b'{ "a": 1}')]


@pytest.mark.parametrize(
    ("body", "texts"),
    [
        (b'[{"a":1},oops,{"b":2}]', [b'{"a":1}', b'oops,{"b":2}]']),
        (b'[{"a":1} {"b":2}]', [b'{"a":1} {"b":2}]']),
        (b'[{"a":1}] more', [b'{"a":1}', b"more"]),
        (b'[{"a":1}', [b'{"a":1}']),
        (b'[{"a":', [b'{"a":']),
        (b"[1,[2],null]", [b"1", b"[2]", b"null"]),
        (b'[{"a":"\xff"},{"b":1}]', [b'{"a":"\xff"}', b'{"b":1}']),
    ],
)
def test_what_cannot_be_read_of_an_array_is_the_last_line(body: bytes, texts: list[bytes]) -> None:
    assert [line.text for line in split(body)] == texts


def test_too_many_lines_are_refused() -> None:
    with pytest.raises(TooManyLinesError, match="more than 2 lines"):
        split(b"1\n2\n3\n", max_lines=2)

    assert len(split(b"1\n2\n\n\n", max_lines=2)) == 2


def test_deep_nesting_ends_in_a_line_and_not_in_an_error() -> None:
    assert len(split(b'[{"a":1},' + b"[" * 100_000)) == 2


@given(st.lists(OBJECTS))
def test_an_array_and_lines_give_the_same_objects(objects: list[dict[str, object]]) -> None:
    as_lines = "\n".join(map(json.dumps, objects)).encode()
    as_array = json.dumps(objects, indent=1).encode()

    assert [json.loads(line.text) for line in split(as_lines)] == objects
    assert [json.loads(line.text) for line in split(as_array)] == objects


@given(st.binary())
def test_any_bytes_are_taken_apart_without_an_error(body: bytes) -> None:
    for prefix in (b"", b"[", b'[{"a":1},'):
        for line in split(prefix + body):
            assert line.text
            assert b"\n" not in line.text
