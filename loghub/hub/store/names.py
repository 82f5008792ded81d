"""The names of the fields inside a value, and what kind of values they have.

Rules:
1. What is inside an object has a name with a dot; a literal key of that name counts before it.
   Deeper than `_DEPTH` nothing is named, nor what no query could name (an empty step).
2. A list is of the kind of its elements, a list of lists is mixed; null is nothing.
3. The shape of a value is what DuckDB's `json_structure` says of it; `shape` says the same.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, TypeAlias

from loghub.event.model import INTEGER_KEYS, JSONValue
from loghub.hub.store.summaries import Kind

Shape: TypeAlias = Any
"""The name of a type, a list with the shape of its elements, or an object of shapes."""

_DEPTH = 4
_KINDS: dict[str, Kind] = {
    "VARCHAR": "string",
    "BOOLEAN": "bool",
    "JSON": "mixed",
    "UBIGINT": "number",
    "BIGINT": "number",
    "HUGEINT": "number",
    "UHUGEINT": "number",
    "DOUBLE": "number",
}


class Names:
    """Counts names; a name in events of different kinds is mixed."""

    def __init__(self) -> None:
        self._found: dict[str, tuple[Kind, int]] = {}

    def add(self, name: str, kind: Kind, count: int) -> None:
        """Count a name."""
        before, counted = self._found.get(name, (kind, 0))
        self._found[name] = (kind if before == kind else "mixed", counted + count)

    def add_shape(self, shape: Shape, count: int) -> None:
        """Count the names of an object, by its shape."""
        if isinstance(shape, dict):
            for name, kind in dict(reversed([*_names(_attributes(shape), "", _DEPTH)])).items():
                self.add(name, kind, count)

    def largest(self, limit: int) -> Mapping[str, tuple[Kind, int]]:
        """Give the names that are in most events."""
        ranked = sorted(self._found.items(), key=lambda entry: (-entry[1][1], entry[0]))
        return dict(ranked[:limit])


def _attributes(shape: Mapping[str, Shape]) -> Mapping[str, Shape]:
    return {key: inside for key, inside in shape.items() if key != "levelno"}  # each event has it


def _names(shape: Mapping[str, Shape], prefix: str, depth: int) -> Iterator[tuple[str, Kind]]:
    """Give the names, a literal key before what is nested: whoever makes a dict of it turns it around."""
    inside: list[tuple[str, Shape]] = []

    for key, below in shape.items():
        kind = _kind(below)

        if kind is not None and key and (not prefix or "" not in key.split(".")):
            yield prefix + key, kind

            if isinstance(below, dict) and "" not in key.split("."):
                inside.append((f"{prefix}{key}.", below))

    for name, below in inside:
        if depth > 1:
            yield from _names(below, name, depth - 1)


def _kind(shape: Shape) -> Kind | None:
    if isinstance(shape, dict):
        return "object"

    if isinstance(shape, list):
        return "mixed" if isinstance(shape[0], list) else _kind(shape[0])

    return _KINDS.get(shape)


def kind_of(name: str) -> Kind:
    """Give the kind of a standard key's value."""
    return "number" if name in INTEGER_KEYS else "string"


def shape(value: JSONValue) -> Shape:
    """Say what a value is made of, as far as names and kinds go."""
    if isinstance(value, dict):
        return {key: shape(inside) for key, inside in value.items()} if value else "JSON"

    if isinstance(value, list):
        return [_joined(map(shape, value))]

    if isinstance(value, bool):
        return "BOOLEAN"

    if isinstance(value, int | float):
        return "DOUBLE"

    return "VARCHAR" if isinstance(value, str) else "NULL"


def _joined(shapes: Iterable[Shape]) -> Shape:
    """Give the shape of a list's elements: the one that all of them have, or JSON; null says nothing."""
    found = [each for each in shapes if each != "NULL"]
    kinds = {"list" if isinstance(each, list) else _kind(each) for each in found}

    if kinds == {"mixed", "object"} and all(isinstance(each, dict) or each == "JSON" for each in found):
        return next(each for each in found if isinstance(each, dict))  # empty objects beside others

    if not found:
        return "NULL"

    return found[0] if len(kinds) == 1 else "JSON"
