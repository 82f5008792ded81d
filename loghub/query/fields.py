"""Where a field of a query is found in an event.

Rules:
1. `timestamp` and `levelno` are on every event: its time and its severity.
2. `exception` is the type of the outermost exception; `exception.…` goes inside it, never to a
   literal key. The type and the fingerprint are texts; anything else in their place is absent.
3. Any other name is a key of the line, or, with dots, a key inside an object. The longest literal
   key wins, at each step: `a.b.c` is the key "a.b.c", else "b.c" inside "a", else "c" in "b" in "a".
   A name with nothing before, behind or between dots is a literal key only.
4. null is absent. A name goes through objects, not through lists.
"""

from collections.abc import Callable, Mapping
from typing import TypeAlias

from loghub.event.model import Event, JSONValue

Reader: TypeAlias = Callable[[Event], JSONValue]
Path: TypeAlias = tuple[str, ...]

INSIDE_EXCEPTION = "exception."
EXCEPTION_TEXTS = ("type", "fingerprint")

_MAX_STEPS = 16


def reader(name: str) -> Reader:
    """Give the function that reads a field; it returns None where the event lacks it."""
    special = _SPECIAL.get(name)

    if special is not None:
        return special

    if name.startswith(INSIDE_EXCEPTION):
        return _inside_exception(name.removeprefix(INSIDE_EXCEPTION))

    if "." in name:
        return _dotted(paths(name))

    return _key(name)


def paths(name: str) -> tuple[Path, ...]:
    """Give the places where a name may be, the first that exists counts; beyond 16 steps dots are literal."""
    if "" in name.split("."):
        return ((name,),)

    steps = name.split(".", _MAX_STEPS - 1)
    return tuple((*steps[:count], ".".join(steps[count:])) for count in range(len(steps)))


def _key(name: str) -> Reader:
    def read(event: Event) -> JSONValue:
        return event.fields.get(name)

    return read


def _dotted(places: tuple[Path, ...]) -> Reader:
    def read(event: Event) -> JSONValue:
        return _first(event.fields, places)

    return read


def _inside_exception(name: str) -> Reader:
    places = paths(name)
    text_only = name in EXCEPTION_TEXTS

    def read(event: Event) -> JSONValue:
        exception = event.fields.get("exception")
        value = _first(exception, places) if isinstance(exception, dict) else None
        return value if isinstance(value, str) or not text_only else None

    return read


def _first(fields: Mapping[str, JSONValue], places: tuple[Path, ...]) -> JSONValue:
    top = fields if isinstance(fields, dict) else dict(fields)

    for place in places:
        inside: object = top

        for key in place[:-1]:
            inside = inside.get(key) if isinstance(inside, dict) else None

        if isinstance(inside, dict) and place[-1] in inside:
            value: JSONValue = inside[place[-1]]
            return value

    return None


def _severity(event: Event) -> JSONValue:
    return event.severity


_SPECIAL: dict[str, Reader] = {
    "levelno": _severity,
    "exception": _inside_exception("type"),
}
