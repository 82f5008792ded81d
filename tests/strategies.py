"""Values, fields and events for property tests."""

from typing import Any

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


odd_values: st.SearchStrategy[Any] = st.recursive(
    scalars
    | st.floats()
    | st.integers(-(2**200), 2**200)
    | st.binary(max_size=8)
    | st.datetimes()
    | st.decimals()
    | st.uuids()
    | st.characters(categories=["Cs"])
    | st.builds(Hostile)
    | st.builds(object)
    | st.builds(ValueError, st.text(max_size=4)),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.tuples(inner, inner)
        | st.dictionaries(st.text(max_size=4) | st.integers() | st.tuples(st.integers()), inner, max_size=3)
    ),
    max_leaves=6,
)
"""Values that an application might log, JSON or not."""
