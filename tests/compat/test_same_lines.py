"""The same record under the same options gives the same line as each of python-json-logger's formatters.

Any records, any of their options; the lines are equal after `json.loads`, order included. What the documentation
lists as different is left out where values are made: static fields that are overridden, and values that lose a line.
"""

import copy
import dataclasses
import datetime as dt
import enum
import json
import logging
import sys
import uuid
from collections.abc import Callable
from decimal import Decimal
from typing import Any, NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pythonjsonlogger.core import BaseJsonFormatter
from pythonjsonlogger.json import JsonEncoder, JsonFormatter
from pythonjsonlogger.msgspec import MsgspecFormatter
from pythonjsonlogger.orjson import OrjsonFormatter

from loghub.formatters import JSONFormatter

Options = dict[str, Any]


class Color(enum.Enum):
    RED = "red"
    MIXED = (1, 2)


class Size(enum.IntEnum):
    BIG = 3


class Point(NamedTuple):
    x: int
    y: int


@dataclasses.dataclass
class Order:
    item: Any


class Encoder(json.JSONEncoder):
    def default(self, o: Any) -> Any:
        return f"encoded {type(o).__name__}"


class Dated(JsonEncoder):
    def format_datetime_obj(self, o: Any) -> str:
        return f"on {o:%j}"


# 53 bits and no more: the three have different limits, and say so differently.
_integers = st.integers(-(2**53), 2**53)
_texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=6)
_scalars = st.none() | st.booleans() | _integers | st.floats(allow_nan=False, allow_infinity=False) | _texts

_alike = _scalars | st.sampled_from([
    dt.datetime(2026, 11, 22, 14, 17, tzinfo=dt.UTC).replace(tzinfo=None), dt.date(2026, 11, 22), uuid.UUID(int=5),
    Color.RED, Color.MIXED, Size.BIG, Order(5), Color, Order, ValueError("x"),
])  # fmt: skip
"""Values to which all three give the same form."""

_any = _alike | st.sampled_from([
    dt.datetime(2026, 11, 22, tzinfo=dt.UTC), dt.time(1, 2), dt.timedelta(1), Decimal("1.5"), {1}, frozenset(), b"\xff",
    bytearray(b"a"), Point(1, 2), object, print, 1j, range(2),
])  # fmt: skip
"""What `json_default` may be asked about as well; the same objects for both, so that they can be compared."""


def within(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    keys = st.text("abc", max_size=3)
    return st.lists(inner, max_size=3) | st.tuples(inner) | st.dictionaries(keys, inner, max_size=3)


alike = st.recursive(_alike, within, max_leaves=5)
anything = st.recursive(_any, within, max_leaves=5)
_names = st.sampled_from(["a", "b", "order id", "user.name", "_hidden", "ts", "exc_info", "é"])
_attributes = ["levelname", "name", "message", "lineno", "asctime", "process", "a", "missing"]
_static = st.dictionaries(st.sampled_from(["service", "levelname", "nested"]), _texts | st.just({"k": [1]}))

_formats: list[Options] = [
    {},
    {"fmt": "%(levelname)s %(message)s %(a)s"},
    {"fmt": "{asctime} {message}", "style": "{", "datefmt": "%Y"},
    {"fmt": "${levelname} $message", "style": "$"},
    {"fmt": "message, name ,lineno", "style": ","},
    {"fmt": ["message", "missing", "asctime"]},
    {"fmt": "anything", "style": "?", "validate": False},
]

shaping: st.SearchStrategy[Options] = st.fixed_dictionaries(
    {},
    optional={
        "prefix": st.sampled_from(["log: ", "{"]),
        "rename_fields": st.dictionaries(st.sampled_from(_attributes), st.sampled_from(["level", "@m", "a", "é"])),
        "rename_fields_keep_missing": st.booleans(),
        "static_fields": _static,
        "reserved_attrs": st.lists(st.sampled_from(_attributes)),
        "timestamp": st.booleans() | st.just("ts"),
        "defaults": st.dictionaries(st.sampled_from(["a", "message", "service", "d"]), _texts),
        "exc_info_as_array": st.booleans(),
        "stack_info_as_array": st.booleans(),
    },
)


SHAPING = frozenset(("prefix", "reserved_attrs"))
"""Options that, given alone, make the line theirs whatever their value is."""


class Styled(BaseJsonFormatter):
    """Takes a style of its own, which is a hook."""

    def parse(self) -> list[str]:
        return ["message"] if self._style == "?" else super().parse()


class Parsed(Styled, JSONFormatter):
    """Ours with the hook."""


def _refusing(value: object) -> Any:
    raise TypeError(value)


@st.composite
def records(draw: st.DrawFn, values: st.SearchStrategy[Any]) -> logging.LogRecord:
    """Make a record as a logger would."""
    extra = draw(st.dictionaries(_names, values, max_size=4))
    message = draw(_texts | st.just("%s of %r") | st.dictionaries(_names | st.just("message"), values, max_size=3))
    args = (1, "two") if message == "%s of %r" else ()
    made = logging.LogRecord("shop.cart", 30, "/app/cart.py", 12, message, args, None, "add", None)
    stack = draw(st.none() | st.just("Stack\n  line"))

    if isinstance(message, str) and "%" in message and not args:
        made.msg = "plain"

    if draw(st.booleans()):
        try:
            raise KeyError("sku")
        except KeyError:
            made.exc_info = sys.exc_info()

    made.stack_info = stack
    made.__dict__.update((key, value) for key, value in extra.items() if key not in made.__dict__)
    return made


def told(formatter: BaseJsonFormatter, record: logging.LogRecord) -> Any:
    """Give a line's fields in their order."""
    text = formatter.format(copy.copy(record))
    assert text.startswith(formatter.prefix)
    return json.loads(text[len(formatter.prefix) :], object_pairs_hook=list)


def of_theirs(kind: type[BaseJsonFormatter], options: Options) -> BaseJsonFormatter:
    made: BaseJsonFormatter = type("Theirs", (Styled, kind), {})(**options)
    return made


def has_spoofed(options: Options, record: logging.LogRecord) -> bool:
    """Tell whether something of the record would override a static field there: here it does not."""
    renamed: dict[str, str] = options.get("rename_fields", {})
    keys = [*record.__dict__, *(record.msg if isinstance(record.msg, dict) else ())]
    static = {renamed.get(key, key) for key in options.get("static_fields", {})}
    return not static.isdisjoint(renamed.get(key, key) for key in keys)


def ours_writes_theirs(kind: type[BaseJsonFormatter], options: Options, record: logging.LogRecord) -> None:
    if "fmt" not in options and not SHAPING.intersection(options):
        options = {**options, "fmt": "%(message)s"}  # else it is the plain line

    if not has_spoofed(options, record):
        assert told(Parsed(**options), record) == told(of_theirs(kind, options), record)


@given(st.sampled_from(_formats), shaping, records(alike))
def test_fields_are_those_of_json_formatter(form: Options, options: Options, record: logging.LogRecord) -> None:
    ours_writes_theirs(JsonFormatter, {**form, **options}, record)


@given(st.sampled_from(_formats), shaping, records(alike), st.booleans())
def test_fields_are_those_of_orjson_formatter(
    form: Options, options: Options, record: logging.LogRecord, indent: bool
) -> None:
    ours_writes_theirs(OrjsonFormatter, {**form, **options, "json_indent": indent}, record)


@given(st.sampled_from(_formats), shaping, records(alike))
def test_fields_are_those_of_msgspec_formatter(form: Options, options: Options, record: logging.LogRecord) -> None:
    # msgspec writes UTC as Z, and the others as +00:00.
    ours_writes_theirs(MsgspecFormatter, {**form, **options, "timestamp": False}, record)


_defaults: list[Callable[[Any], Any] | None] = [
    None,
    repr,
    lambda value: {"type": type(value).__name__, "of": [1, (2,)]},
]
_serializing: st.SearchStrategy[Options] = st.fixed_dictionaries(
    {},
    optional={
        "json_encoder": st.sampled_from([Encoder, Dated, JsonEncoder]),
        "json_serializer": st.just(lambda fields, **options: json.dumps(fields, sort_keys=False, **options)),
        "json_indent": st.sampled_from([None, 0, 2, "\t"]),
        "json_ensure_ascii": st.booleans(),
    },
)


@given(records(anything), _serializing, st.sampled_from(_defaults[1:]), st.booleans())
def test_default_is_asked_about_what_json_formatter_asks_it_about(
    record: logging.LogRecord, options: Options, default: Callable[[Any], Any], has_timestamp: bool
) -> None:
    asked: dict[type, list[Any]] = {Parsed: [], JsonFormatter: []}
    found: list[Any] = []

    for kind, list_of in asked.items():

        def ask(value: Any, list_of: list[Any] = list_of) -> Any:
            list_of.append(value)
            return default(value)

        formatter = kind("%(message)s", timestamp=has_timestamp, json_default=ask, **options)
        found.append(told(formatter, record))

    assert found[0] == found[1]
    assert asked[Parsed] == asked[JsonFormatter]


@given(records(anything), _serializing.filter(lambda options: "json_encoder" in options))
def test_encoder_is_asked_about_what_json_formatter_asks_it_about(record: logging.LogRecord, options: Options) -> None:
    ours_writes_theirs(JsonFormatter, {"fmt": "%(message)s", **options}, record)


@given(records(anything), st.sampled_from([JsonFormatter, OrjsonFormatter, MsgspecFormatter]))
def test_default_that_refuses_loses_no_line(record: logging.LogRecord, kind: type[BaseJsonFormatter]) -> None:
    ours = dict(told(JSONFormatter("%(message)s", json_default=_refusing), record))

    try:
        theirs = dict(told(kind("%(message)s", json_default=_refusing), record))  # type: ignore[call-arg]
    except Exception:  # noqa: BLE001 (the line is lost there)
        # The others do not write a named tuple by themselves; it is written here.
        assert ours.get("encode_fallback", kind is not JsonFormatter) is True
    else:
        assert ours.keys() - {"encode_fallback"} == theirs.keys()


@given(records(alike))
def test_plain_line_has_all_that_theirs_has_without_options(record: logging.LogRecord) -> None:
    theirs = json.loads(JsonFormatter().format(copy.copy(record)))
    ours = json.loads(JSONFormatter().format(copy.copy(record)))
    clashing: dict[str, Any] = ours.pop("extra", {})

    # A dict's message is the message; an exception's text or a key of that name in the dict, not both.
    for key, value in theirs.items():
        if key != "exc_info" and not key.startswith("_"):
            assert value in (ours.get(key), clashing.get(key))


def test_static_field_does_not_take_the_place_of_what_the_formatter_says() -> None:
    record = logging.LogRecord("shop", 30, "/app/cart.py", 12, "x", (), None)
    record.stack_info = "Stack"
    options: Options = {"static_fields": {"ts": "static", "stack_info": "static"}, "timestamp": "ts"}

    assert told(JSONFormatter(**options), record) == told(JsonFormatter(**options), record)


@pytest.mark.parametrize("options", [{"style": "!"}, {"fmt": "%(message", "style": "%"}, {"fmt": "{a!", "style": "{"}])
def test_what_they_refuse_is_refused(options: Options) -> None:
    for kind in (JsonFormatter, JSONFormatter):
        with pytest.raises(ValueError, match=r"\S"):
            kind(**options)


def test_hook_sees_the_encoder_that_json_formatter_has() -> None:
    assert JSONFormatter().json_encoder is JsonFormatter().json_encoder
    assert JSONFormatter(json_default=repr).json_encoder is None
    assert JSONFormatter().json_serializer is JsonFormatter().json_serializer
