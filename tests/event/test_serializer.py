import datetime as dt
import json
from typing import Any

import orjson
import pytest

from loghub.event.limits import Limits
from loghub.event.serializer import Serializer
from loghub.formatters import JSONFormatter

from strategies import Hostile, LyingList

FIELDS = {"message": "é", "at": dt.date(2026, 11, 22), "odd": {1}}


class Encoder(json.JSONEncoder):
    def default(self, o: Any) -> Any:
        return f"mine: {type(o).__name__}"


@pytest.mark.parametrize(
    ("serializer", "text"),
    [
        (Serializer(), '{"message": "é", "at": "2026-11-22", "odd": [1]}'),
        (Serializer(ensure_ascii=True), '{"message": "\\u00e9", "at": "2026-11-22", "odd": [1]}'),
        (Serializer(encoder=Encoder), '{"message": "é", "at": "mine: date", "odd": "mine: set"}'),
        (Serializer(default=lambda _: "given"), '{"message": "é", "at": "given", "odd": "given"}'),
        (
            Serializer(serializer=lambda fields, **options: orjson.dumps(fields, options["default"])),
            '{"message":"é","at":"2026-11-22","odd":[1]}',
        ),
        (Serializer(indent=True), '{\n  "message": "é",\n  "at": "2026-11-22",\n  "odd": [\n    1\n  ]\n}'),
        (Serializer(indent="\t"), '{\n\t"message": "é",\n\t"at": "2026-11-22",\n\t"odd": [\n\t\t1\n\t]\n}'),
    ],
)
def test_options_mean_what_they_mean_in_python_json_logger(serializer: Serializer, text: str) -> None:
    assert serializer.text(FIELDS) == text


@pytest.mark.parametrize("value", [float("nan"), "\ud800", 10**400, Hostile(), {(1,): 2}])
def test_what_the_serializer_refuses_is_made_safe_and_marked(value: Any) -> None:
    found = json.loads(Serializer(ensure_ascii=True).text({"v": value, "message": "é"}))

    assert found["message"] == "é"
    assert found["encode_fallback"] is True


def test_serializer_that_raises_does_not_lose_the_line() -> None:
    def refuse(*_: Any, **__: Any) -> str:
        raise RuntimeError("no")

    assert json.loads(Serializer(serializer=refuse).text(FIELDS))["message"] == "é"


def test_limits_hold_here_too() -> None:
    found = json.loads(Serializer(ensure_ascii=True).text({"v": "x" * 100, "l": LyingList()}, Limits(string=40)))

    assert (found["truncated"], found["l"]) == (["v"], [])


def test_formatter_with_an_indent_is_not_plain() -> None:
    assert JSONFormatter(json_indent=2).plain is False
    assert JSONFormatter(json_ensure_ascii=False).plain is True
