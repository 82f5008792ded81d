"""Makes the fields of a line fit into its bytes: the largest give way, the small stay whole.

Every field may keep as many bytes as the level to which the line can be filled; what is above
it is shortened to that level: a text in its middle, an object or list from its end. So a line
of a megabyte of payload keeps its time, its message and its error.
"""

import json
from collections.abc import Callable, Iterable, Iterator

import orjson

from loghub.event.model import JSONValue
from loghub.event.safe import Path, shortened

_LEAST = 48
"""Bytes below which a part is left out, not shortened."""


def dump(value: JSONValue) -> bytes:
    """Write a safe value; integers over 64 bits are beyond orjson."""
    try:
        return orjson.dumps(value)
    except TypeError:
        return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()


def fit(fields: dict[str, JSONValue], room: int, cut: Callable[[Path], None]) -> dict[str, JSONValue]:
    """Shorten the largest of the fields until all of them take at most `room` bytes.

    Args:
        fields: safe values.
        room: bytes for the object that they make.
        cut: is told the path of each part that was shortened or left out.
    """
    names = {key: len(dump(key)) + 2 for key in fields}
    sizes = {key: len(dump(value)) for key, value in fields.items()}
    level = _level(list(sizes.values()), room - sum(names.values()))

    if level < _LEAST:  # too many fields: the first of them, the standard ones, stay
        shrunk = _shrink(fields, room, (), cut)
        return shrunk if isinstance(shrunk, dict) else {}

    return {key: value if sizes[key] <= level else _shrink(value, level, (key,), cut) for key, value in fields.items()}


def _level(sizes: list[int], room: int) -> int:
    """Give the height up to which columns of these sizes may stand, if they are to hold `room` in all."""
    left = room

    for done, size in enumerate(sorted(sizes)):
        columns = len(sizes) - done

        if size * columns > left:
            return left // columns

        left -= size

    return max(room, 0)


def _shrink(value: JSONValue, room: int, path: Path, cut: Callable[[Path], None]) -> JSONValue:
    if isinstance(value, dict):
        return {str(key): item for key, item in _first(value.items(), room, path, cut)}

    if isinstance(value, list):
        return [item for _, item in _first(enumerate(value), room, path, cut)]

    cut(path)
    return _short_text(value if isinstance(value, str) else str(value), room)


def _first(
    parts: Iterable[tuple[str | int, JSONValue]], room: int, path: Path, cut: Callable[[Path], None]
) -> Iterator[tuple[str | int, JSONValue]]:
    """Give the first parts of an object or list that fit, the one at the edge shortened."""
    left = room - 2

    for step, item in parts:
        name = len(dump(step)) + 2 if isinstance(step, str) else 1
        kept = item if name + len(dump(item)) <= left else _edge(item, left - name, (*path, step), cut)

        if kept is None and item is not None:
            cut(path)
            return

        yield step, kept
        left -= name + len(dump(kept))


def _edge(item: JSONValue, room: int, path: Path, cut: Callable[[Path], None]) -> JSONValue:
    return _shrink(item, room, path, cut) if room >= _LEAST else None


def _short_text(text: str, room: int) -> str:
    keep = min(len(text), room)
    short = shortened(text, keep)

    while keep > 0 and (size := len(dump(short))) > room:
        keep = min(keep - 1, keep * room // size)
        short = shortened(text, keep)

    return short
