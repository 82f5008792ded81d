"""A name finds its field: literal keys first, then inside objects."""

import pytest

from loghub.event.model import Event, JSONValue
from loghub.query.fields import paths, reader


@pytest.mark.parametrize(
    ("fields", "name", "value"),
    [
        ({"a.b": 1, "a": {"b": 2}}, "a.b", 1),
        ({"a": {"b": 2}}, "a.b", 2),
        ({"a": {"b.c": 3, "b": {"c": 4}}}, "a.b.c", 3),
        ({"a.b": None, "a": {"b": 2}}, "a.b", None),
        ({"a": [{"b": 2}]}, "a.b", None),
        ({"a": [7]}, "a.0", None),
        ({"a": {"": 1}}, "a.", None),
        ({"a.": 1}, "a.", 1),
        ({"exception": {"type": "E"}}, "exception", "E"),
        ({"exception": {"type": 5}}, "exception.type", None),
        ({"exception": {"message": 5}}, "exception.message", 5),
        ({"exception.message": "x"}, "exception.message", None),
        ({}, "levelno", 20),
    ],
)
def test_field_is_found(fields: dict[str, JSONValue], name: str, value: JSONValue) -> None:
    assert reader(name)(Event(0, 20, fields)) == value


def test_name_of_many_dots_has_few_places() -> None:
    assert len(paths("a" + ".a" * 1000)) == 16
