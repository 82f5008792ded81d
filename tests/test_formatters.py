import asyncio
import dataclasses
import datetime as dt
import json
import logging
import os
import sys
import threading
import uuid
from typing import Any
from unittest import mock

import pytest
from hypothesis import given

from loghub.errors import ConfigError
from loghub.event.context import bound
from loghub.event.model import KEYS, TAIL_KEYS, Event
from loghub.event.presets import PRESETS
from loghub.formatters import (
    DatadogFormatter,
    ECSFormatter,
    GCPFormatter,
    GELFFormatter,
    JSONFormatter,
    LogstashFormatter,
    OTelFormatter,
)

from strategies import Hostile, LyingDict, odd_values


def record(message: Any = "hello %s", args: tuple[Any, ...] = ("you",), **extra: Any) -> logging.LogRecord:
    made = logging.LogRecord("shop.cart", logging.WARNING, "/app/shop.py", 12, message, args, None, "add")
    made.__dict__.update(extra)
    return made


def line(formatter: JSONFormatter, made: logging.LogRecord) -> dict[str, Any]:
    text = formatter.format_line(made)
    assert text.count(b"\n") == 1
    found: dict[str, Any] = json.loads(text)
    return found


def test_plain_line_has_the_keys_of_the_schema_in_order(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("LOGHUB_SERVICE", raising=False)
    made = record(order_id=5, component="web")
    made.created = 1_795_357_041.698

    found = line(JSONFormatter(static={"service": "shop", "hostname": "web-1", "region": "eu"}), made)

    assert list(found.items()) == [
        ("timestamp", "2026-11-22T14:17:21.698000Z"),
        ("level", "WARNING"),
        ("logger", "shop.cart"),
        ("message", "hello you"),
        ("template", "hello %s"),
        ("service", "shop"),
        ("hostname", "web-1"),
        ("process", os.getpid()),
        ("thread", "MainThread"),
        ("module", "shop"),
        ("function", "add"),
        ("file", "/app/shop.py"),
        ("line", 12),
        ("component", "web"),
        ("region", "eu"),
        ("order_id", 5),
    ]


def test_static_wins_over_extra_and_extra_over_bound_and_bound_over_environment(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("LOGHUB_SERVICE", "from-environment")

    with bound(service="from-bound", component="bound", request_id="r1"):
        found = line(JSONFormatter(), record(component="extra"))
        fixed = line(JSONFormatter(static={"component": "static"}), record(component="extra"))

    assert (found["service"], found["component"], found["request_id"]) == ("from-bound", "extra", "r1")
    assert fixed["component"] == "static"
    assert line(JSONFormatter(), record())["service"] == "from-environment"


def test_identity_that_is_none_counts_as_not_given_and_a_number_is_its_text(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOGHUB_HOSTNAME", "web-1")

    for formatter in (JSONFormatter(), JSONFormatter(mask=["secret"])):
        found = line(formatter, record(hostname=None, request_id=42, component=None, user=None))
        assert found["hostname"] == "web-1"
        assert found["request_id"] == "42"
        assert "component" not in found
        assert found["user"] is None


def test_extra_cannot_spoof_a_standard_key_and_is_not_lost() -> None:
    found = line(
        JSONFormatter(), record(level="INFO", timestamp="1970", _private=1, _loghub_mark=2, exception={"type": "X"})
    )

    assert found["level"] == "WARNING"
    assert found["extra"] == {"level": "INFO", "timestamp": "1970", "_private": 1, "exception": {"type": "X"}}


def test_level_number_is_written_for_levels_of_ones_own_only() -> None:
    made = record()
    made.levelno, made.levelname = 25, "NOTICE"

    assert line(JSONFormatter(), made)["levelno"] == 25
    assert "levelno" not in line(JSONFormatter(), record())


def test_dict_message_is_merged() -> None:
    found = line(JSONFormatter(), record({"message": "paid", "amount": 5}, ()))

    assert (found["message"], found["amount"]) == ("paid", 5)
    assert "template" not in found


def test_dict_message_whose_methods_raise_is_merged_all_the_same() -> None:
    found = line(JSONFormatter(preset="ecs"), record(LyingDict(message="paid", amount=5), ()))

    assert (found["message"], found["amount"], found["log.origin.file.line"]) == ("paid", 5, 12)
    assert "format_error" not in json.dumps(found)


def test_mock_that_claims_to_be_a_dict_is_a_message() -> None:
    found = line(JSONFormatter(), record(mock.MagicMock(spec=dict), (), amount=5))

    assert found["message"].startswith("<MagicMock")
    assert found["amount"] == 5


@pytest.mark.parametrize(("message", "args"), [("%d items", ("x",)), ("%s %s", ("x",)), ("%s", (Hostile(),))])
def test_wrong_arguments_give_the_template_and_say_what_was_wrong(message: str, args: tuple[Any, ...]) -> None:
    found = line(JSONFormatter(), record(message, args))

    assert found["message"] == message
    assert "Error" in found["format_error"]
    assert "args" in found


@given(odd_values, odd_values)
def test_any_record_gives_a_line(message: Any, extra: Any) -> None:
    found = line(JSONFormatter(), record(message, (), value=extra))

    assert found["logger"] == "shop.cart"


def test_exception_is_text_and_data() -> None:
    try:
        raise KeyError("sku-1")
    except KeyError:
        made = record(exc_info=sys.exc_info())

    found = line(JSONFormatter(), made)

    assert found["exc_info"].startswith("Traceback (most recent call last):")
    assert found["exception"]["type"] == "KeyError"
    assert found["exception"]["frames"][-1]["function"] == "test_exception_is_text_and_data"


def test_thread_and_task_are_named() -> None:
    lines: list[dict[str, Any]] = []

    async def work() -> None:
        lines.append(line(JSONFormatter(), logging.makeLogRecord({"msg": "x"})))

    async def start() -> None:
        await asyncio.create_task(work(), name="checkout-5")

    thread = threading.Thread(target=lambda: asyncio.run(start()), name="worker-1")
    thread.start()
    thread.join()

    assert (lines[0]["thread"], lines[0]["task"]) == ("worker-1", "checkout-5")
    assert "task" not in line(JSONFormatter(), record())


def test_keys_stand_in_the_order_of_the_schema() -> None:
    try:
        raise ValueError("x")
    except ValueError:
        made = record("%d", ("x",), stack_info="Stack", exc_info=sys.exc_info(), trace_id="t", a=1)

    keys = list(line(JSONFormatter(static={"service": "s"}), made))
    order = [*KEYS, "a", *TAIL_KEYS]
    assert keys == [key for key in order if key in keys]


def test_python_json_logger_options_give_its_own_fields() -> None:
    formatter = JSONFormatter("%(levelname)s %(message)s", rename_fields={"levelname": "severity"}, timestamp="at")

    found = line(formatter, record(order_id=5))

    assert list(found) == ["severity", "message", "order_id", "at"]
    assert formatter.plain is False


def test_hook_of_a_subclass_runs() -> None:
    class Loud(JSONFormatter):
        def process_log_record(self, log_data: dict[str, Any]) -> dict[str, Any]:
            return log_data | {"message": log_data["message"].upper()}

    found = line(Loud(), record())

    assert found["message"] == "HELLO YOU"
    assert found["logger"] == "shop.cart"


def test_format_gives_the_line_as_text() -> None:
    formatter, made = JSONFormatter(), record()

    assert formatter.format(made).encode() + b"\n" == formatter.format_line(made)


def test_json_default_gives_a_value_for_an_unknown_one() -> None:
    assert line(JSONFormatter(json_default=lambda _: "ours"), record(value=object()))["value"] == "ours"


@dataclasses.dataclass
class User:
    name: str
    password: str


MOMENT = dt.datetime(2026, 11, 22, tzinfo=dt.UTC)
ASKED_ABOUT: list[object] = [
    MOMENT,
    MOMENT.date(),
    MOMENT.time(),
    uuid.UUID(int=5),
    logging.Formatter,
    User("ann", "hunter2-hunter2"),
    {1},
    b"x",
]


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"mask": ["password"]},
        {"preset": "ecs"},
        {"preset": "gelf"},
        {"json_indent": 2},
        {"json_ensure_ascii": True},
        {"fmt": "%(message)s"},
    ],
    ids=repr,
)
@pytest.mark.parametrize("value", ASKED_ABOUT, ids=lambda value: type(value).__name__)
def test_json_default_is_asked_about_all_that_json_has_no_form_for(value: object, options: dict[str, Any]) -> None:
    asked: list[object] = []

    def give(unknown: object) -> str:
        asked.append(unknown)
        return "given"

    formatter = JSONFormatter(json_default=give, **options)
    text = formatter.format(record(value=value, known=[1, ("a", 1.5), {"b": None}, True]))

    assert asked == [value]
    assert '"given"' in text
    assert "encode_fallback" not in text


@pytest.mark.parametrize("options", [{}, {"mask": ["password"]}, {"json_indent": 2}, {"fmt": "%(message)s"}], ids=repr)
@pytest.mark.parametrize("value", ASKED_ABOUT, ids=lambda value: type(value).__name__)
def test_json_default_that_raises_leaves_the_usual_form_and_is_marked(value: object, options: dict[str, Any]) -> None:
    def refuse(_: object) -> Any:
        raise TypeError("unknown")

    made = record(value=value)
    found = json.loads(JSONFormatter(json_default=refuse, **options).format(made))

    assert found.pop("encode_fallback") is True
    assert found == json.loads(JSONFormatter(**options).format(made))


def test_encoder_that_refuses_a_value_still_writes_the_others() -> None:
    class Encoder(json.JSONEncoder):
        def default(self, o: Any) -> Any:
            return "mine" if isinstance(o, dt.date) else super().default(o)

    found = line(JSONFormatter(json_encoder=Encoder), record(at=MOMENT, odd={1}))

    assert (found["at"], found["odd"], found["encode_fallback"]) == ("mine", [1], True)


def test_key_that_any_json_library_writes_is_not_marked() -> None:
    found = line(JSONFormatter(), record(value={1: "a", None: "b", False: "c", 1.5: "d"}))
    doubled = line(JSONFormatter(), record(value={1: "a", "1": "b"}))

    assert (found["value"], "encode_fallback" in found) == ({"1": "a", "null": "b", "false": "c", "1.5": "d"}, False)
    assert (doubled["value"], doubled["encode_fallback"]) == ({"1": "a", "1~2": "b"}, True)


def test_gelf_says_what_it_changed_inside_a_list() -> None:
    cycle: list[object] = []
    cycle.append(cycle)

    assert line(GELFFormatter(), record(value=cycle))["_encode_fallback"] == "true"


def test_what_the_mask_names_is_nowhere_in_the_line() -> None:
    formatter = JSONFormatter(mask=["password", {"pattern": "email"}])

    try:
        password = "hunter2-hunter2"
        raise ValueError(f"refused {password}")
    except ValueError:
        made = record("%s by %s", (password, "ann@example.org"), password=password, exc_info=sys.exc_info())

    text = formatter.format_line(made)

    assert b"hunter2" not in text
    assert b"ann@example.org" not in text
    assert formatter.plain
    assert json.loads(text)["password"] == "***"


def test_mask_holds_with_hooks_and_python_json_logger_options() -> None:
    class Adding(JSONFormatter):
        def process_log_record(self, log_data: dict[str, Any]) -> dict[str, Any]:
            return log_data | {"token": "t-0123456789abcdef"}

    assert line(Adding(mask=["token"]), record())["token"] == "***"
    assert line(JSONFormatter("%(message)s", mask=["pin"]), record(pin="1234"))["pin"] == "***"


PRESET_CLASSES = {
    "ecs": ECSFormatter,
    "otel": OTelFormatter,
    "gcp": GCPFormatter,
    "datadog": DatadogFormatter,
    "logstash": LogstashFormatter,
    "gelf": GELFFormatter,
}


@pytest.mark.parametrize("preset", PRESET_CLASSES)
def test_preset_is_an_option_and_a_class_and_not_plain(preset: str) -> None:
    by_option, by_class = JSONFormatter(preset=preset), PRESET_CLASSES[preset]()
    made = record(order_id=5)

    assert by_option.format_line(made) == by_class.format_line(made)
    assert line(by_class, made) != line(JSONFormatter(), made)
    assert not by_class.plain


def test_preset_has_its_place_for_what_was_cut() -> None:
    found = line(ECSFormatter(max_string=64), record("x", (), text="y" * 1000))

    assert "truncated" not in found
    assert found["loghub"]["truncated"] == ["text"]


def test_locals_are_in_the_line_where_asked_for_and_masked() -> None:
    try:
        password, kept = "hunter2-hunter2", "seen"
        raise ValueError(password[:1] + kept)
    except ValueError:
        made = record(exc_info=sys.exc_info())

    frame = line(JSONFormatter(locals=True, mask=["password"]), made)["exception"]["frames"][-1]

    assert frame["locals"]["password"] == "***"
    assert "seen" in frame["locals"]["kept"]
    assert "locals" not in line(JSONFormatter(), made)["exception"]["frames"][-1]


@pytest.mark.parametrize("preset", PRESETS)
@pytest.mark.parametrize("most", [1024, 4096])
def test_line_of_any_preset_is_within_its_bytes_and_says_what_was_cut(preset: str, most: int) -> None:
    formatter = JSONFormatter(preset=preset, max_line=most)

    # Text of JSON inside of JSON, as GELF has it, may be twice as long.
    for value in ({"a": ['"' * 50] * 200}, "x" * 10_000, [[1, {"k": "v"}]] * 500, "\\" * 5_000):
        text = formatter.format_line(record(value=value))
        assert len(text) <= most
        assert Event.from_mapping(json.loads(text), now_us=0).fields["truncated"]


def test_limits_cut_and_say_where() -> None:
    formatter = JSONFormatter(max_line="4 KB", max_depth=2, max_items=64, max_string=100)

    found = line(formatter, record("x", (), text="y" * 1000, deep={"a": {"b": {"c": {"d": 1}}}}))

    assert len(found["text"]) < 200
    assert "text" in found["truncated"]
    assert len(formatter.format_line(record("x", (), **{f"k{n}": "z" * 99 for n in range(60)}))) <= 4000


def test_tags_of_the_environment_hold_where_nothing_else_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOGHUB_ENV", "staging")
    monkeypatch.setenv("LOGHUB_VERSION", "1.2")

    found = line(JSONFormatter(static={"version": "2.0"}), record())

    assert (found["env"], found["version"]) == ("staging", "2.0")


def test_formatters_configured_alike_share_a_line_and_others_do_not() -> None:
    first, second, other = JSONFormatter(static={"a": 1}), JSONFormatter(static={"a": 1}), JSONFormatter()
    first.format_line(made := record())
    second.format_line(made)

    made = record()
    shared = first.format_line(made)

    assert second.format_line(made) is shared
    assert other.format_line(made) != shared
    assert list(line(other, made)) == list(line(JSONFormatter(), record()))


def test_wrong_value_of_an_option_is_named() -> None:
    wrong: list[tuple[str, dict[str, Any]]] = [
        ("preset='elastic': give one of", {"preset": "elastic"}),
        ("preset='ecs': a preset has its own fields", {"preset": "ecs", "fmt": "%(message)s"}),
        ("max_line=10: give at least 1024", {"max_line": 10}),
        ("max_depth=0: give a whole number", {"max_depth": 0}),
        ("max_string=9: give a whole number, 64 or more", {"max_string": 9}),
        ("locals='maybe'", {"locals": "maybe"}),
    ]

    for sentence, options in wrong:
        with pytest.raises(ConfigError, match=sentence):
            JSONFormatter(**options)

    with pytest.raises(ConfigError, match="ECSFormatter: preset='gelf'"):
        ECSFormatter(preset="gelf")


def test_wrong_option_is_named() -> None:
    with pytest.raises(ConfigError, match=r"JSONFormatter: statik=.*did you mean 'static'"):
        JSONFormatter(statik={})  # type: ignore[call-arg]

    with pytest.raises(ConfigError, match="JSONFormatter: static='shop': give a mapping"):
        JSONFormatter(static="shop")  # type: ignore[arg-type]

    with pytest.raises(ConfigError, match=r"JSONFormatter: in_app=.*: give names of packages"):
        JSONFormatter(in_app=["shop/web"])


class LateFormatter(JSONFormatter):
    """Sets what it wants after the constructor, as python-json-logger's subclasses may."""

    def __init__(self, **late: Any) -> None:
        super().__init__()

        for name, value in late.items():
            setattr(self, name, value)


def test_attributes_set_after_the_constructor_are_heeded() -> None:
    made = logging.makeLogRecord({"msg": "paid", "levelname": "INFO", "day": dt.date(2026, 11, 22)})

    assert b'"day":"a day"' in LateFormatter(json_default=lambda _: "a day").format_line(made)
    assert b'"message": "paid"' in LateFormatter(json_indent=2).format_line(made)
    assert b'"text":"paid"' in LateFormatter(rename_fields={"message": "text"}).format_line(made)
    assert LateFormatter(prefix="log: ").format_line(made).startswith(b"log: {")
    assert b'"service":"shop"' in LateFormatter(static_fields={"service": "shop"}).format_line(made)
