import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loghub.errors import ConfigError
from loghub.event.encode import decode, encode
from loghub.event.limits import Limits, exceeds
from loghub.event.model import JSONValue

from strategies import json_objects, nested, odd_values

SMALL = Limits(line_bytes=2048, depth=3, items=5, string=40)


@given(st.dictionaries(st.text(max_size=6), odd_values, max_size=40))
def test_line_is_within_its_bytes_and_readable(fields: dict[str, Any]) -> None:
    line = encode(fields, limits=SMALL)

    assert len(line) <= SMALL.line_bytes
    assert isinstance(json.loads(line), dict)


@given(json_objects)
def test_line_within_the_limits_is_written_as_it_is(fields: dict[str, JSONValue]) -> None:
    assert encode(fields, limits=Limits(depth=200)) == encode(fields)


@pytest.mark.parametrize(
    ("value", "found", "path"),
    [
        ("x" * 41, "x" * 30 + "…[1 characters cut]…" + "x" * 10, "v"),
        ({"note": ["ok", "y" * 100]}, {"note": ["ok", "y" * 30 + "…[60 characters cut]…" + "y" * 10]}, "v.note[1]"),
        (list(range(9)), [0, 1, 2, 3, 4], "v"),
        (nested(4), [[["<list>"]]], "v[0][0][0]"),
        ({"a": {"b": {"c": {}}}}, {"a": {"b": {"c": "<dict>"}}}, "v.a.b.c"),
        ({str(number): number for number in range(6)}, {str(number): number for number in range(5)}, "v"),
    ],
)
def test_what_is_over_a_limit_is_cut_and_named(value: Any, found: Any, path: str) -> None:
    line = decode(encode({"v": value, "message": "paid"}, limits=SMALL))

    assert line == {"v": found, "message": "paid", "truncated": [path]}


@pytest.mark.parametrize("value", ["x" * 40, list(range(5)), [[[1]]], {"a": {"b": {}}}, '{"[[[[[[[[' * 4, "\\" * 40])
def test_what_is_just_within_a_limit_stays(value: Any) -> None:
    assert decode(encode({"v": value}, limits=SMALL)) == {"v": value}


def test_largest_fields_give_way_and_the_small_stay() -> None:
    fields = {"level": "INFO", "big": "b" * 5_000_000, "list": ["c" * 100] * 20_000, "message": "paid", "n": 1}

    line = encode(fields, limits=Limits(string=2**24, items=2**24))
    found = decode(line)

    assert 900_000 < len(line) <= 1_000_000
    assert (found["level"], found["message"], found["n"]) == ("INFO", "paid", 1)
    assert isinstance(found["list"], list)
    assert found["list"][0] == "c" * 100
    assert isinstance(found["truncated"], list)
    last = len(found["list"]) - 1
    assert set(found["truncated"]) <= {"big", "list", f"list[{last}]"}
    assert {"big", "list"} <= set(found["truncated"])


def test_of_very_many_fields_the_first_stay() -> None:
    fields: dict[str, Any] = {"level": "INFO", "message": "paid"} | {f"key-{number}": number for number in range(9_000)}

    line = encode(fields, limits=Limits(line_bytes=4096))
    found = decode(line)

    assert len(line) <= 4096
    assert (found["level"], found["message"], found["key-1"]) == ("INFO", "paid", 1)
    assert found["truncated"] == ["*"]


def test_of_very_many_cuts_the_first_are_named() -> None:
    fields = {f"key-{number}": "x" * 100 for number in range(50)}
    paths = decode(encode(fields, limits=Limits(string=40)))["truncated"]

    assert isinstance(paths, list)
    assert (len(paths), paths[0], paths[-1]) == (33, "key-0", "…")


def test_marks_stand_where_the_schema_has_them() -> None:
    fields = {"message": "x" * 50, "n": float("nan"), "format_error": "TypeError", "args": "()"}

    keys = list(decode(encode(fields, limits=SMALL)))

    assert keys == ["message", "n", "encode_fallback", "truncated", "format_error", "args"]


@pytest.mark.parametrize("option", ["line_bytes", "depth", "items", "string"])
def test_limit_that_is_no_number_is_refused(option: str) -> None:
    with pytest.raises(ConfigError, match=rf"JSONFormatter: max_{option}=0: give a whole number of at least"):
        Limits(**{option: 0})


@given(json_objects, st.integers(1, 6))
def test_depth_is_counted_on_the_bytes_as_on_the_values(fields: dict[str, JSONValue], depth: int) -> None:
    limits = Limits(depth=depth)

    assert exceeds(encode(fields), limits) == (_depth(fields) > depth)


def _depth(value: JSONValue) -> int:
    """Count the levels of objects and lists below a value's own."""
    parts = list(value.values()) if isinstance(value, dict) else value if isinstance(value, list) else []
    return max((1 + _depth(part) for part in parts if isinstance(part, dict | list)), default=0)


@pytest.mark.parametrize("most", [1024, 1100, 4096, 20_000])
def test_line_is_within_its_bytes_although_the_names_of_the_cuts_are_in_it(most: int) -> None:
    for value in (
        {"a": ['"' * 50] * 2000},
        "é" * 100_000,
        [[1, {"k": "v"}]] * 5000,
        {f"k{n}": "x" * n for n in range(300)},
    ):
        assert len(encode({"level": "INFO", "message": "paid", "v": value}, limits=Limits(line_bytes=most))) <= most
