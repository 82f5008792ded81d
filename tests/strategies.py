"""Values, fields and events for property tests."""

import asyncio
import datetime as dt
import enum
import io
import itertools
import re
import sys
import threading
from collections import ChainMap, deque
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType, TracebackType
from typing import Any
from unittest import mock

import attrs
import numpy as np
import pydantic
from hypothesis import strategies as st

from loghub.event.model import Event, JSONValue

scalars = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text()
"""JSON values without parts."""

json_values: st.SearchStrategy[JSONValue] = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=8,
)
"""Any JSON value."""

json_objects = st.dictionaries(st.text(max_size=12), json_values, max_size=6)
"""Any JSON object."""

_WORDS = (
    "timestamp",
    "level",
    "levelno",
    "logger",
    "message",
    "service",
    "process",
    "line",
    "exception",
    "request_id",
    "extra",
)

line_objects = st.dictionaries(st.sampled_from(_WORDS) | st.text(max_size=6), json_values, max_size=8)
"""JSON objects that use the standard keys, rightly or wrongly."""

events = st.builds(lambda fields, now: Event.from_mapping(fields, now_us=now), line_objects, st.integers(0, 2**50))
"""Events as they come from any sender."""


class Hostile:
    """An object of which nothing works."""

    def __str__(self) -> str:
        raise RuntimeError("no text")

    __repr__ = __str__

    def __hash__(self) -> int:
        raise RuntimeError("no hash")

    def __eq__(self, other: object) -> bool:
        raise RuntimeError("no comparison")

    def __getattribute__(self, name: str) -> Any:
        if name in ("__class__", "__name__"):  # a LogRecord and the tests' tools ask for these
            return object.__getattribute__(self, name)

        raise RuntimeError("no attributes")


class Endless:
    """An object whose text asks for its text."""

    def __str__(self) -> str:
        return str(self)

    def __repr__(self) -> str:
        return repr(self)


class LyingDict(dict[Any, Any]):
    """A dict whose methods say other things than it holds."""

    def __len__(self) -> int:
        return 10**9

    def __iter__(self) -> Any:
        return itertools.count()

    def items(self) -> Any:
        raise RuntimeError("no items")

    keys = values = items


class LyingList(list[Any]):
    """A list whose methods say other things than it holds."""

    def __len__(self) -> int:
        return 10**9

    def __iter__(self) -> Any:
        return itertools.count()


class LyingText(str):
    """A text that has no text."""

    __slots__ = ()

    def __str__(self) -> str:
        raise RuntimeError("no text")

    def encode(self, encoding: str = "utf-8", errors: str = "strict") -> bytes:
        raise RuntimeError(encoding, errors)


class LyingInteger(int):
    """A number that has no number."""

    def __int__(self) -> int:
        raise RuntimeError("no number")

    __index__ = __str__ = __repr__ = __int__  # type: ignore[assignment]


class OwnFloat(float):
    """A number of a class of its own."""


class Color(enum.Enum):
    """Values that are no JSON."""

    RED = b"red"
    MIXED = (1, complex(1, 2))
    ODD = Hostile


@dataclass
class Order:
    """A dataclass."""

    item: Any
    _private: int = 0


@dataclass(slots=True)
class Unfinished:
    """A dataclass that may lack its attribute."""

    item: Any = None

    @classmethod
    def empty(cls) -> "Unfinished":
        made = cls()
        del made.item
        return made


@attrs.define
class Cart:
    """An attrs class."""

    items: Any
    _owner: str = "ann"


class User(pydantic.BaseModel):
    """A pydantic model, made without its checks."""

    name: Any
    password: pydantic.SecretStr = pydantic.SecretStr("hunter2")


class NoDict:
    """An object that refuses to show what it holds."""

    @property
    def __dict__(self) -> dict[str, Any]:  # type: ignore[override]
        raise RuntimeError("no dict")


def nested(depth: int) -> list[Any]:
    """Give lists inside one another."""
    value: list[Any] = []

    for _ in range(depth):
        value = [value]

    return value


def cyclic(item: object) -> dict[str, Any]:
    """Give a dict that holds itself in three ways."""
    value: dict[str, Any] = {"item": item}
    value |= {"self": value, "list": [value], "tuple": (value, [(value,)])}
    return value


def _array(items: list[Any]) -> Any:
    """Give an array of any objects."""
    made = np.empty(len(items), dtype=object)

    for index, item in enumerate(items):
        made[index] = item

    return made


def _traceback() -> TracebackType | None:
    try:
        raise ValueError("x")
    except ValueError as error:
        return error.__traceback__


ODD: dict[str, Callable[[], Any]] = {
    "hostile": Hostile,
    "endless": Endless,
    "object": object,
    "lock": threading.Lock,
    "event": asyncio.Event,
    "file": io.StringIO,
    "unfinished dataclass": Unfinished.empty,
    "class": lambda: Hostile,
    "enum class": lambda: Color,
    "enum member": lambda: Color.MIXED,
    "enum of a class": lambda: Color.ODD,
    "traceback": _traceback,
    "function": lambda: len,
    "not implemented": lambda: NotImplemented,
    "ellipsis": lambda: ...,
    "module": lambda: sys,
    "path": lambda: Path("/a/b"),
    "generator": lambda: (number for number in itertools.count()),
    "endless count": itertools.count,
    "pattern": lambda: re.compile("x"),
    "308 digits": lambda: 10**308,
    "310 digits": lambda: -(10**310),
    "4300 digits": lambda: 10**4299,
    "5000 digits": lambda: 10**5000,
    "no dict": NoDict,
    "numpy integer": lambda: np.int64(5),
    "numpy number that is none": lambda: np.float32("nan"),
    "numpy complex": lambda: np.complex64(1j),
    "numpy time that is none": lambda: np.datetime64("NaT", "s"),
    "numpy nanoseconds": lambda: np.datetime64(1, "ns"),
    "numpy bytes": lambda: np.bytes_(b"\xff"),
    "numpy array of bytes": lambda: np.array([b"\xff"]),
    "numpy array of records": lambda: np.zeros(2, dtype=[("a", "i4"), ("b", "f8")]),
    "numpy array of no dimension": lambda: np.array(5),
    "40 deep": lambda: nested(40),
    "300 deep": lambda: nested(300),
    "5000 deep": lambda: nested(5000),
}
"""Values one by one: of some of them not even the test's own tools can make a text."""

_texts = st.text(st.characters(), max_size=8)  # lone surrogates and control characters too
_zones = (
    st.none() | st.just(dt.UTC) | st.builds(lambda hours: dt.timezone(dt.timedelta(hours=hours)), st.integers(-23, 23))
)

_odd_scalars: st.SearchStrategy[Any] = (
    scalars
    | _texts
    | st.floats()
    | st.integers(-(2**200), 2**200)
    | st.binary(max_size=8)
    | st.binary(max_size=8).map(bytearray)
    | st.binary(max_size=8).map(lambda data: memoryview(data)[1:])
    | st.datetimes(timezones=_zones)
    | st.dates()
    | st.times()
    | st.timedeltas()
    | st.decimals()
    | st.fractions()
    | st.complex_numbers()
    | st.uuids()
    | st.ip_addresses()
    | st.characters(categories=["Cs"])
    | st.sampled_from(sorted(ODD)).map(lambda name: ODD[name]())
    | st.builds(mock.MagicMock, spec=st.sampled_from([dict, list, str, int, None]))
    | st.builds(LyingText, _texts)
    | st.builds(LyingInteger, st.integers())
    | st.builds(OwnFloat, st.floats())
    | st.builds(ValueError, _texts | st.builds(Hostile))
)

odd_keys: st.SearchStrategy[Any] = (
    _texts
    | st.integers(-3, 3)
    | st.sampled_from(["1", "None", "null", "true"])
    | st.none()
    | st.booleans()
    | st.floats()
    | st.tuples(st.integers())
    | st.binary(max_size=4)
    | st.uuids()
    | st.sampled_from([*Color])
    | st.builds(Endless)
    | st.builds(LyingText, _texts)
)
"""What may stand as a key in a dict."""

odd_values: st.SearchStrategy[Any] = st.recursive(
    _odd_scalars,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.lists(inner, max_size=3).map(LyingList)
        | st.lists(inner, max_size=3).map(deque)
        | st.tuples(inner, inner)
        | st.builds(Order, inner)
        | st.builds(Cart, inner)
        | st.builds(User.model_construct, name=inner)
        | st.lists(inner, max_size=3).map(_array)
        | st.builds(cyclic, inner)
        | st.sets(st.text(max_size=4) | st.integers() | st.tuples(st.integers()), max_size=3)
        | st.dictionaries(odd_keys, inner, max_size=3)
        | st.dictionaries(odd_keys, inner, max_size=3).map(LyingDict)
        | st.dictionaries(odd_keys, inner, max_size=3).map(MappingProxyType)
        | st.dictionaries(st.text(max_size=4), inner, max_size=3).map(ChainMap)
    ),
    max_leaves=6,
)
"""Values that an application might log, JSON or not."""
