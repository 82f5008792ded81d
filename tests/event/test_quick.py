import asyncio
import logging
import sys
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loghub.event.context import bound
from loghub.event.encode import Limits, encode
from loghub.event.quick import QuickLine
from loghub.event.record import fields_of

from strategies import odd_values

ENVIRONMENT = {"hostname": "web-1", "env": "test"}
LIMITS = Limits()
NEEDED = {"name", "msg", "args", "levelname", "levelno", "pathname", "lineno", "module", "funcName", "created"} | {
    *("process", "threadName", "exc_info", "exc_text", "stack_info", "taskName")
}


class Told(logging.LogRecord):
    """A record class of somebody else's."""

    def getMessage(self) -> str:
        return "told"


def record(message: Any = "paid", args: tuple[Any, ...] = (), **extra: Any) -> logging.LogRecord:
    made = logging.LogRecord("shop.cart", logging.WARNING, "/app/shop.py", 12, message, args, None, "add")
    made.__dict__.update(extra)
    return made


def both_ways(made: logging.LogRecord, static: dict[str, Any]) -> tuple[bytes, bytes, bool]:
    """Give the line by either way, and whether the quick one served."""
    slow: list[logging.LogRecord] = []

    def otherwise(record: logging.LogRecord) -> bytes:
        slow.append(record)
        return encode(fields_of(record, static, ENVIRONMENT), None, LIMITS)

    quick = QuickLine(static, ENVIRONMENT, None, LIMITS, otherwise).line(made)
    return quick, encode(fields_of(made, static, ENVIRONMENT), None, LIMITS), not slow


USUAL = [
    record(),
    record("paid %s in %d ms", ("EUR", 5), order_id=7, tags=["a"], cart={"items": [1, None]}),
    record('\u00e4 "quoted"\n', component="web", request_id="r-1", trace_id=None),
    record("x", _loghub_mark=1, a=None),
    record("x", levelname="NOTICE", levelno=25, funcName="", threadName=None, process=None),
    record("x", created=1_795_357_041.9999999, region="eu"),
    record("50 %", name="shop.100%d", module="%b", funcName="%%", threadName="%s", percent="%d"),
]


@pytest.mark.parametrize("made", USUAL)
@pytest.mark.parametrize("static", [{}, {"service": "shop", "region": "de"}, {"component": None, "request_id": "s"}])
@pytest.mark.parametrize("values", [{}, {"request_id": "bound", "order_id": 1, "tenant": "acme"}])
def test_quick_line_is_the_line_of_the_fields(
    made: logging.LogRecord, static: dict[str, Any], values: dict[str, Any]
) -> None:
    with bound(**values):
        quick, right, was_quick = both_ways(made, static)

    assert quick == right
    assert was_quick


@pytest.mark.parametrize(
    "made",
    [
        record({"message": "merged", "a": 1}),
        record(5),
        record("%d", ("x",)),
        record("x", level="spoofed"),
        record("x", _private=1),
        record("x", service="of-an-extra"),
        record("x", number=float("nan")),
        record("x", big=2**70),
        record("\ud800"),
        record("x", text="y" * 70_000),
        record("x", stack_info="Stack"),
        Told("shop", 20, "/app/shop.py", 1, "x", (), None),
    ],
)
def test_rare_record_is_left_to_the_other_way(made: logging.LogRecord) -> None:
    quick, right, was_quick = both_ways(made, {})

    assert quick == right
    assert not was_quick


@given(
    st.dictionaries(st.text(max_size=6) | st.sampled_from(["service", "trace_id", "level", "extra"]), odd_values),
    st.dictionaries(st.sampled_from(["service", "component", "a"]), st.text(max_size=3) | st.none()),
)
def test_any_extras_give_the_same_line_either_way(extra: dict[str, Any], static: dict[str, Any]) -> None:
    free = {key: value for key, value in extra.items() if key not in logging.makeLogRecord({}).__dict__}
    quick, right, _ = both_ways(record("x", **{"a": 1} | free), static)

    # Objects without a text of their own show their address, which is the same; sets may come in any order.
    assert quick == right


def test_task_is_named_and_full_caches_are_emptied(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("loghub.event.quick._MOST", 3)
    writer = QuickLine({}, {}, None, LIMITS, lambda _: b"")

    async def log() -> bytes:
        made = logging.LogRecord("shop", 20, "/app/shop.py", 1, "x", (), None)
        return writer.line(made)

    async def start() -> bytes:
        return await asyncio.create_task(log(), name="checkout-5")

    lines = [writer.line(record("x", (), lineno=number, **{f"key{number}": 1})) for number in range(20)]

    assert b'"task":"checkout-5"' in asyncio.run(start())
    assert all(b'"line":%d' % number in line for number, line in enumerate(lines) if number)


def test_exception_is_left_to_the_other_way() -> None:
    try:
        raise ValueError("x")
    except ValueError:
        made = record(exc_info=sys.exc_info())

    assert both_ways(made, {})[2] is False


def test_line_of_a_record_that_comes_again_is_the_same_until_the_record_changes() -> None:
    quick = QuickLine({}, ENVIRONMENT, None, LIMITS, lambda record: encode(fields_of(record, {}, ENVIRONMENT)))
    made = record("paid", order_id=7)
    quick.line(made)
    left = quick.line(made)

    assert quick.line(made) is left
    made.order_id = True
    assert b'"order_id":true' in quick.line(made)


def test_rare_line_of_a_record_that_comes_again_is_written_once() -> None:
    written: list[logging.LogRecord] = []

    def otherwise(record: logging.LogRecord) -> bytes:
        written.append(record)
        return encode(fields_of(record, {}, ENVIRONMENT))

    quick = QuickLine({}, ENVIRONMENT, None, LIMITS, otherwise)
    made, usual = record(5), record()
    quick.line(usual)
    quick.line(usual)

    assert len({id(quick.line(made)) for _ in range(4)}) == 1
    assert written == [made]


def alternating() -> list[logging.LogRecord]:
    """Give records of one place that are not alike."""
    told = record("x", order_id=7)
    told.levelname, told.levelno = "ERROR", logging.ERROR
    less = record("x", order_id=7)
    del less.__dict__["processName"]
    more = record("x", order_id=7, region="eu")
    return [
        record("x", order_id=7),
        record("x", sku="b"),
        told,
        record("x", sku="b", order_id=1),
        less,
        more,
        record("y"),
    ]


def test_place_whose_records_alternate_gives_each_its_own_line() -> None:
    quick = QuickLine({}, ENVIRONMENT, None, LIMITS, lambda record: encode(fields_of(record, {}, ENVIRONMENT)))

    for _ in range(3):
        for made in alternating():
            assert quick.line(made) == encode(fields_of(made, {}, ENVIRONMENT))

        with bound(tenant="acme"):
            for made in alternating():
                assert quick.line(made) == encode(fields_of(made, {}, ENVIRONMENT))


def test_attribute_that_took_the_place_of_another_is_written() -> None:
    quick = QuickLine({}, ENVIRONMENT, None, LIMITS, lambda record: encode(fields_of(record, {}, ENVIRONMENT)))
    quick.line(record("x", order_id=7))

    for key in logging.makeLogRecord({}).__dict__:
        made = record("x", order_id=7)
        made.__dict__["region"] = made.__dict__.pop(key)

        if {"region", "order_id"} <= set(made.__dict__) and key not in NEEDED:
            assert b'"region":' in quick.line(made)


def test_keys_that_look_like_code_are_keys() -> None:
    odd: dict[str, Any] = {
        "a b": 1,
        "'": 2,
        '"""': 3,
        "{x}": 4,
        "\\": 5,
        "v0": 6,
        "dumps": 7,
        "None": 8,
        "exact": 9,
        "\n": 10,
    }
    quick, right, was_quick = both_ways(record("x", **odd), {"c0": 1, "v1": 2})

    assert quick == right
    assert was_quick
