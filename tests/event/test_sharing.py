import copy
import gc
import logging
import pickle
import weakref
from typing import Any

import pytest

from loghub.event.context import bound
from loghub.event.sharing import SharedLine, group_of

from strategies import Hostile


class Encoder:
    """Counts how often it is asked."""

    def __init__(self) -> None:
        self.asked = 0

    def __call__(self, record: logging.LogRecord) -> bytes:
        self.asked += 1
        return f"{record.getMessage()} {self.asked}\n".encode()


def sharing_group(encode: Encoder) -> SharedLine:
    """Give a group that met a record twice."""
    group, made = SharedLine(encode), record()
    group.line(made)
    group.line(made)
    encode.asked = 0
    return group


def record(**extra: Any) -> logging.LogRecord:
    return logging.makeLogRecord({"msg": "paid", "order_id": 7} | extra)


def test_four_handlers_cost_one_encoding() -> None:
    encode = Encoder()
    group, made = sharing_group(encode), record()

    lines = [group.line(made) for _ in range(4)]

    assert encode.asked == 1
    assert len(set(lines)) == 1


def test_one_handler_alone_leaves_nothing_on_records() -> None:
    group, made = SharedLine(Encoder()), record()
    before = dict(made.__dict__)

    group.line(made)

    assert made.__dict__ == before


def _exception_text(made: logging.LogRecord) -> None:
    made.exc_text = "Traceback"


def _another_value(made: logging.LogRecord) -> None:
    made.__dict__["order_id"] = 8


def _removed(made: logging.LogRecord) -> None:
    del made.__dict__["order_id"]


def _added(made: logging.LogRecord) -> None:
    made.__dict__["tenant"] = "acme"


def _renamed(made: logging.LogRecord) -> None:
    made.__dict__["order"] = made.__dict__.pop("order_id")


@pytest.mark.parametrize("change", [_exception_text, _another_value, _removed, _added, _renamed])
def test_record_that_a_filter_changed_is_encoded_anew(change: Any) -> None:
    encode = Encoder()
    group, made = sharing_group(encode), record()
    group.line(made)

    change(made)
    second = group.line(made)

    assert encode.asked == 2
    assert group.line(made) == second


def test_what_other_formatters_and_our_filters_leave_does_not_matter() -> None:
    encode = Encoder()
    group, made = sharing_group(encode), record()
    group.line(made)

    made.message, made.asctime = "paid", "now"
    made.__dict__["_loghub_counted"] = True
    group.line(made)

    assert encode.asked == 1


def test_equal_value_that_is_another_object_is_a_change() -> None:
    encode = Encoder()
    group, made = sharing_group(encode), record(flag=1, values=[Hostile()])
    group.line(made)

    made.__dict__["flag"] = True
    group.line(made)

    assert encode.asked == 2


def test_object_changed_in_place_is_not_noticed() -> None:
    encode = Encoder()
    group, cart = sharing_group(encode), ["sku-1"]
    made = record(cart=cart)
    group.line(made)

    cart.append("sku-2")
    group.line(made)

    assert encode.asked == 1


def test_other_bound_values_are_noticed() -> None:
    encode = Encoder()
    group, made = sharing_group(encode), record()

    with bound(request_id="a"):
        group.line(made)
        group.line(made)

    with bound(request_id="b"):
        group.line(made)

    group.line(made)
    assert encode.asked == 3


def test_record_is_pickled_and_copied_without_its_line() -> None:
    encode = Encoder()
    group, made = sharing_group(encode), record()
    group.line(made)

    again = pickle.loads(pickle.dumps(made))  # noqa: S301 (of our own making)
    group.line(again)
    group.line(copy.deepcopy(made))

    assert encode.asked == 3


def test_line_goes_with_the_record() -> None:
    group, made = sharing_group(Encoder()), record()
    seen = weakref.ref(made)
    group.line(made)

    del made
    gc.collect()

    assert seen() is None


def test_group_of_a_configuration_lives_as_long_as_its_formatters() -> None:
    def begin() -> SharedLine:
        return SharedLine(Encoder())

    first = group_of(("plain", b"{}"), begin)

    assert group_of(("plain", b"{}"), begin) is first
    assert group_of(("ecs", b"{}"), begin) is not first
