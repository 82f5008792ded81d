import datetime as dt
import enum
from collections import ChainMap, deque, namedtuple
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import PurePosixPath
from types import MappingProxyType
from typing import Any
from unittest import mock
from uuid import UUID

import msgspec
import pytest

from loghub.event.encode import decode, encode
from loghub.event.limits import Limits

from strategies import Color, LyingDict, LyingInteger, LyingList, LyingText, OwnFloat, Unfinished

Point = namedtuple("Point", "x y")  # noqa: PYI024 (as applications have it)


@dataclass
class Order:
    item: Any
    tags: set[str] = field(default_factory=set)


class Struct(msgspec.Struct):
    a: int
    b: Any


class Level(enum.IntEnum):
    HIGH = 3


class Raising(enum.Enum):
    ONE = 1

    @property
    def value(self) -> int:
        raise RuntimeError("no value")


class NoZone(dt.tzinfo):
    def tzname(self, _: dt.datetime | None) -> str:
        return "none"

    def dst(self, _: dt.datetime | None) -> dt.timedelta:
        return dt.timedelta(0)

    def utcoffset(self, _: dt.datetime | None) -> dt.timedelta:
        raise RuntimeError("no offset")


MOMENT = dt.datetime(2026, 11, 22, 14, 17, 21, 5, dt.UTC)
CASES: list[tuple[Any, Any]] = [
    (b"\xff\xfe", "__4="),
    (memoryview(b"ab")[::-1], "YmE="),
    (MOMENT, "2026-11-22T14:17:21.000005+00:00"),
    (MOMENT.replace(tzinfo=None), "2026-11-22T14:17:21.000005"),
    (MOMENT.date(), "2026-11-22"),
    (dt.time(1, 2, tzinfo=dt.UTC), "01:02:00+00:00"),
    (dt.timedelta(days=1), "1 day, 0:00:00"),
    (Decimal("1.50"), "1.50"),
    (UUID(int=5), "00000000-0000-0000-0000-000000000005"),
    (PurePosixPath("/a/b"), "/a/b"),
    (Level.HIGH, 3),
    (Color.RED, "cmVk"),
    (Level, [3]),
    (Order, "Order"),
    (Order(Point(1, 2), {"x"}), {"item": [1, 2], "tags": ["x"]}),
    (Struct(1, Decimal(2)), {"a": 1, "b": "2"}),
    (ChainMap({"a": 1}, {"b": 2}), {"a": 1, "b": 2}),
    (MappingProxyType({"a": (1,)}), {"a": [1]}),
    (deque([1, 2]), [1, 2]),
    ({1: 2}.keys(), [1]),
    (ValueError("x"), "ValueError: x"),
    (LyingDict(a=1), {"a": 1}),
    (LyingList([1, LyingList()]), [1, []]),
    (LyingText("é"), "é"),
    (LyingInteger(5), 5),
    (OwnFloat(1.5), 1.5),
]


@pytest.mark.parametrize(("value", "found"), CASES, ids=[str(number) for number in range(len(CASES))])
@pytest.mark.parametrize("beside", [{}, {"odd": 2**70, (5,): 1}], ids=["usual", "made safe"])
def test_value_has_the_same_form_on_every_way(value: Any, found: Any, beside: dict[Any, Any]) -> None:
    line = decode(encode({"v": value, "inside": {"list": [value]}, **beside}, limits=Limits()))

    assert line["v"] == found
    assert line["inside"] == {"list": [found]}
    assert ("encode_fallback" in line) == bool(beside)


# Each of these ends the process where orjson meets it.
DEADLY: dict[str, Any] = {
    "dataclass": Unfinished.empty(),
    "enum": Raising.ONE,
    "uuid": UUID.__new__(UUID),
    "zone": MOMENT.replace(tzinfo=NoZone()),
}


@pytest.mark.parametrize("name", DEADLY)
def test_value_that_is_broken_inside_is_said_to_be_lost(name: str) -> None:
    line = decode(encode({"v": [DEADLY[name]], "sound": 1}, limits=Limits()))

    assert line == {"v": ["__could_not_encode__"], "sound": 1, "encode_fallback": True}


def test_list_that_changes_while_it_is_written_is_no_danger() -> None:
    class Clearing:
        def __str__(self) -> str:
            items.clear()
            return "cleared"

    items: list[Any] = [Clearing(), *range(1000)]

    assert isinstance(decode(encode({"v": items}, limits=Limits()))["v"], list)


def test_mock_that_claims_to_be_a_dict_is_text() -> None:
    text = decode(encode({"v": mock.MagicMock(spec=dict)}, limits=Limits()))["v"]

    assert isinstance(text, str)
    assert text.startswith("<MagicMock")


class NoClass:
    @property  # type: ignore[misc]
    def __class__(self) -> Any:
        raise RuntimeError("no class")

    def __str__(self) -> str:
        return "text"


@pytest.mark.parametrize("limits", [None, Limits()])
def test_object_that_does_not_say_its_class_is_told_by_its_type(limits: Limits | None) -> None:
    line = decode(encode({"v": [NoClass()], "key": {NoClass(): 1}}, limits=limits))

    assert (line["v"], line["key"]) == (["text"], {"text": 1})
    assert line["encode_fallback"] is True


def test_attrs_object_is_its_fields() -> None:
    attrs = pytest.importorskip("attrs")
    made = attrs.make_class("Cart", ["items"], slots=True)([Decimal(1)])

    assert decode(encode({"v": made}, limits=Limits()))["v"] == {"items": ["1"]}


def test_pydantic_model_is_its_fields_and_its_secrets_stay_hidden() -> None:
    pydantic = pytest.importorskip("pydantic")
    model = pydantic.create_model("User", name=(str, ...), password=(pydantic.SecretStr, ...))

    found = decode(encode({"v": model(name="a", password="hunter2")}, limits=Limits()))["v"]

    assert found == {"name": "a", "password": "**********"}


def test_numpy_scalars_and_arrays_are_numbers_and_lists() -> None:
    numpy = pytest.importorskip("numpy")
    values = {
        "int": numpy.int64(5),
        "float": numpy.float64(1.5),
        "half": numpy.float16(1.5),
        "bool": numpy.bool_(1),
        "array": numpy.arange(6).reshape(2, 3)[:, ::2],
        "time": numpy.datetime64("2026-11-22T14:17:21"),
        "text": numpy.str_("x"),
        "nan": numpy.array([1.0, numpy.nan]),
    }

    assert decode(encode(values, limits=Limits())) == {
        "int": 5, "float": 1.5, "half": 1.5, "bool": True, "array": [[0, 2], [3, 5]], "time": "2026-11-22T14:17:21",
        "text": "x", "nan": [1.0, "NaN"], "encode_fallback": True,
    }  # fmt: skip
