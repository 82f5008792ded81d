import asyncio
import json
import logging
import os
import sys
import threading
from typing import Any

import pytest
from hypothesis import given

from loghub.errors import ConfigError
from loghub.event.context import bound
from loghub.event.model import KEYS, TAIL_KEYS
from loghub.formatters import JSONFormatter

from strategies import Hostile, odd_values


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


def test_wrong_option_is_named() -> None:
    with pytest.raises(ConfigError, match=r"JSONFormatter: statik=.*did you mean 'static'"):
        JSONFormatter(statik={})  # type: ignore[call-arg]

    with pytest.raises(ConfigError, match="JSONFormatter: static='shop': give a mapping"):
        JSONFormatter(static="shop")  # type: ignore[arg-type]

    with pytest.raises(ConfigError, match=r"JSONFormatter: in_app=.*: give names of packages"):
        JSONFormatter(in_app=["shop/web"])
