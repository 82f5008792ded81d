"""The text of a value is the one that DuckDB writes of the JSON."""

import duckdb
import pytest
from hypothesis import HealthCheck, given, settings

from loghub.event.encode import decode, encode
from loghub.event.model import JSONValue
from loghub.query.texts import element_texts, value_text

from query_strategies import values


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(value=values)
def test_a_value_has_the_text_that_the_engine_gives(value: JSONValue) -> None:
    line = encode({"a": value})
    sql = "SELECT json_extract_string(json_extract(?, '/a')::VARCHAR, '$')"
    ((text,),) = duckdb.execute(sql, [line[:-1].decode()]).fetchall()
    assert value_text(decode(line)["a"]) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, None),
        ("a", "a"),
        (True, "true"),
        (2**70, str(2**70)),
        (1e16, "10000000000000000.0"),
        (1e22, "1e22"),
        (1.5e-7, "1.5e-7"),
        (-0.0, "-0.0"),
        (0.00001, "0.00001"),
        (12.5, "12.5"),
        ([1.0, "\x0b\\u000b", {"k": None}], '[1.0,"\\u000B\\\\u000b",{"k":null}]'),
    ],
)
def test_values_are_spelt(value: JSONValue, text: str | None) -> None:
    assert value_text(value) == text


def test_elements_are_values_and_objects_are_none() -> None:
    assert element_texts(["a", 1, None, ["b"], {"c": 1}]) == {"a", "1"}
    assert element_texts({"c": 1}) == element_texts(None) == set()
    assert element_texts(False) == {"false"}
