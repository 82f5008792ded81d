"""The shared examples of `tests/query/vectors.json`, typed."""

import json
from dataclasses import dataclass
from pathlib import Path

from loghub.event.model import Event, JSONValue
from loghub.query.times import parse_moment


@dataclass(frozen=True, slots=True)
class Example:
    """A query, how it is printed, and lines that it matches or not."""

    query: str
    printed: str
    matching: list[Event]
    not_matching: list[Event]


@dataclass(frozen=True, slots=True)
class Fault:
    """A text that is no query."""

    query: str
    position: int
    expected: str


_VECTORS = json.loads((Path(__file__).parent / "query" / "vectors.json").read_text(encoding="utf-8"))

NOW_US = parse_moment(_VECTORS["now"], 0)


def _events(lines: list[dict[str, JSONValue]]) -> list[Event]:
    return [Event.from_mapping(line, now_us=NOW_US) for line in lines]


EXAMPLES = [
    Example(each["query"], each["printed"], _events(each["matching"]), _events(each["not_matching"]))
    for each in _VECTORS["queries"]
]
FAULTS = [Fault(**each) for each in _VECTORS["errors"]]
