import json
from typing import Any

import msgspec
import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from loghub.event.encode import decode, encode
from loghub.event.model import JSONValue

from strategies import Hostile, json_objects, odd_values


@given(json_objects)
def test_object_reads_back_as_it_was(fields: dict[str, JSONValue]) -> None:
    found = decode(encode(fields))

    assert {key: value for key, value in found.items() if key != "encode_fallback" or key in fields} == fields


@given(st.dictionaries(st.text(max_size=6), odd_values, max_size=4))
def test_any_value_gives_one_line_of_json_by_three_parsers(fields: dict[str, Any]) -> None:
    line = encode(fields)

    assert line.endswith(b"\n")
    assert line.count(b"\n") == 1
    assert isinstance(json.loads(line), dict)
    assert isinstance(orjson.loads(line), dict)
    assert isinstance(msgspec.json.decode(line), dict)


def test_what_json_cannot_say_is_marked() -> None:
    cycle: list[Any] = []
    cycle.append(cycle)

    found = decode(encode({"n": 2**70, "cycle": cycle, "bad": "\ud800", "nan": [float("nan"), 2**64]}))

    assert found["n"] == 2**70
    assert found["cycle"] == ["<cycle>"]
    assert found["bad"] == "\\ud800"
    assert found["encode_fallback"] is True


def test_object_without_a_text_is_said_to_be_so() -> None:
    assert decode(encode({"odd": Hostile()}))["odd"] == "__could_not_encode__"


@pytest.mark.parametrize(
    "line",
    [
        b"[1]",
        b"3",
        b'"x"',
        b"{",
        b"",
        b'{"a":NaN}',
        b'{"a":1234567890123456789,"b":NaN}',
        b'{"a":12345678901234567890,"b":"\\ud800"}',
    ],
)
def test_what_is_no_object_is_refused(line: bytes) -> None:
    with pytest.raises(ValueError, match=r"."):
        decode(line)


def test_long_integers_stay_exact() -> None:
    assert decode(b'{"a":' + b"7" * 400 + b"}")["a"] == int("7" * 400)
    assert decode(b'{"a":123456789012345678901234567890}')["a"] == 123456789012345678901234567890
