"""Any Python value at any place of a record gives one line that three parsers read."""

import io
import json
import logging
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import msgspec
import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from loghub.event.model import Event
from loghub.event.presets import PRESETS
from loghub.formatters import JSONFormatter

from strategies import ODD, Endless, Hostile, odd_values

FORMATTERS: dict[str, Callable[[], JSONFormatter]] = {
    "plain": JSONFormatter,
    "static": lambda: JSONFormatter(static={"service": "shop"}),
    "python-json-logger's": lambda: JSONFormatter("%(levelname)s %(message)s", timestamp=True),
    "ascii": lambda: JSONFormatter(json_ensure_ascii=True),
    "standard library's": lambda: JSONFormatter(json_serializer=json.dumps),
    "hooked": lambda: Hooked(),  # noqa: PLW0108 (the class stands below)
    "default that raises": lambda: JSONFormatter(json_default=_refuse),
    "default that gives the same": lambda: JSONFormatter(json_default=lambda value: value),
    "default that gives another": lambda: JSONFormatter(json_default=lambda value: (1, {value})),
    "encoder": lambda: JSONFormatter(json_encoder=json.JSONEncoder),
    "masked": lambda: JSONFormatter(mask=["password", "i*", {"pattern": "card"}, {"pattern": "email"}], locals=True),
    "short": lambda: JSONFormatter(max_line=1024, max_string=64, max_items=64, max_depth=2),
}


class Hooked(JSONFormatter):
    def process_log_record(self, log_data: dict[str, Any]) -> dict[str, Any]:
        return log_data


def _refuse(_: object) -> Any:
    raise TypeError("unknown")


def line(formatter: JSONFormatter, record: logging.LogRecord) -> dict[str, Any]:
    """Format a record and read it by three parsers."""
    text = formatter.format_line(record)

    assert text.endswith(b"\n")
    assert text.count(b"\n") == 1
    assert isinstance(orjson.loads(text), dict)
    assert isinstance(msgspec.json.decode(text), dict)
    found: dict[str, Any] = json.loads(text, parse_constant=_no_constant)
    return found


def _no_constant(name: str) -> Any:
    raise AssertionError(f"{name} is no JSON")


def record(
    message: Any = "paid", args: Any = (), error: BaseException | None = None, **extra: Any
) -> logging.LogRecord:
    info = (type(error), error, error.__traceback__) if error is not None else None
    made = logging.LogRecord("shop", logging.ERROR, "/app/shop.py", 12, message, args, info, "pay")
    made.__dict__.update(extra)
    return made


formatters = st.sampled_from(sorted(FORMATTERS)).map(lambda name: FORMATTERS[name]())


@given(formatters, odd_values, odd_values)
def test_any_message_and_extra(formatter: JSONFormatter, message: Any, extra: Any) -> None:
    assert line(formatter, record(message, value=extra))


@given(formatters, st.text(max_size=4) | st.sampled_from(["%s", "%d", "%r %s", "%(a)s"]), odd_values, odd_values)
def test_any_template_and_arguments(formatter: JSONFormatter, template: str, one: Any, two: Any) -> None:
    assert line(formatter, record(template, (one,) if isinstance(one, dict) else (one, two)))


@given(st.sampled_from(sorted(PRESETS)), st.booleans(), odd_values, odd_values)
def test_any_value_in_any_preset(preset: str, has_default: bool, message: Any, extra: Any) -> None:
    formatter = JSONFormatter(preset=preset, json_default=_refuse if has_default else None)
    made = record(message, error=ValueError(extra), value=extra)
    fields = Event.from_mapping(line(formatter, made), now_us=0).fields

    assert (fields["level"], fields["logger"], fields["line"]) == ("ERROR", "shop", 12)
    assert "value" in fields


@given(formatters, odd_values, odd_values)
def test_any_exception(formatter: JSONFormatter, inside: Any, note: Any) -> None:
    error = ValueError(inside)
    error.__cause__ = KeyError(note)
    error.__notes__ = [note, "a note"]

    assert line(formatter, record(error=error))["message"] == "paid"


@pytest.mark.parametrize("name", FORMATTERS)
@pytest.mark.parametrize("odd", ODD)
def test_each_odd_value_beside_a_sound_one(name: str, odd: str) -> None:
    found = line(FORMATTERS[name](), record("paid %s", ("€",), odd=ODD[odd](), sound="é"))

    assert (found["message"], found["sound"]) == ("paid €", "é")
    assert "odd" in found


@pytest.mark.parametrize("name", FORMATTERS)
def test_wrong_arguments_are_shown_and_nothing_goes_to_stderr(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    stream = io.StringIO()
    logger = logging.Logger("shop")  # noqa: LOG001 (nobody else has it)
    handler = logging.StreamHandler(stream)
    handler.setFormatter(FORMATTERS[name]())
    logger.addHandler(handler)

    logger.warning("%d of %s", "many", extra={"sound": 1})

    found = json.loads(stream.getvalue())
    assert (found["message"], found["args"], found["sound"]) == ("%d of %s", "('many',)", 1)
    assert found["format_error"].startswith("TypeError: ")
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize("name", FORMATTERS)
@pytest.mark.parametrize("odd", [Hostile, Endless])
def test_message_without_a_text_still_gives_its_line(name: str, odd: Callable[[], Any]) -> None:
    found = line(FORMATTERS[name](), record(odd(), sound=1))

    assert found["sound"] == 1
    assert "format_error" in found


def test_line_is_written_where_the_stack_is_nearly_full() -> None:
    formatter = JSONFormatter()
    depths: list[dict[str, Any]] = []

    def dive() -> None:
        try:
            dive()
        except RecursionError:
            if len(depths) < 60:
                depths.append(json.loads(formatter.format_line(record("deep", value={"key": Endless(), 5: [1]}))))
                raise

    with suppress(RecursionError):
        dive()

    assert all(type(found) is dict for found in depths)
    assert depths[-1]["message"] == "deep"
    assert depths[-1]["value"] == {"key": "__could_not_encode__", "5": [1]}


class Broken(JSONFormatter):
    def process_log_record(self, log_data: dict[str, Any]) -> dict[str, Any]:
        return {**log_data, "total": log_data["missing"]}


def test_hook_that_raises_leaves_the_plain_line() -> None:
    found = line(Broken(), record("paid", order_id=5))

    assert (found["message"], found["order_id"]) == ("paid", 5)
    assert found["format_error"] == "KeyError while the line was made: 'missing'"


class Loud(JSONFormatter):
    def format(self, record: logging.LogRecord) -> str:
        return super().format(record).upper()

    def formatException(self, ei: Any) -> str:
        return f"mine: {ei[0].__name__}"


def test_overridden_format_and_exception_text_are_used() -> None:
    assert json.loads(Loud().format_line(record("paid", error=KeyError("x"))))["EXC_INFO"] == "MINE: KEYERROR"


def test_static_field_is_not_overridden_by_extra_in_either_way_of_use() -> None:
    for formatter in (JSONFormatter(static={"a": 1}), JSONFormatter("%(message)s", static_fields={"a": 1})):
        assert line(formatter, record(a=2))["a"] == 1
        assert line(formatter, record({"a": 2}))["a"] == 1


def test_extra_named_extra_stays_beside_what_was_refused() -> None:
    assert line(JSONFormatter(), record(extra=1))["extra"] == 1
    assert line(JSONFormatter(), record(extra=1, level="x"))["extra"] == {"level": "x", "extra": 1}


def test_key_that_is_no_text_does_not_take_the_place_of_another() -> None:
    made = record()
    made.__dict__.update({"5": "text", 5: "number"})  # type: ignore[dict-item]
    found = line(JSONFormatter(), made)

    assert (found["5"], found["5~2"]) == ("text", "number")
