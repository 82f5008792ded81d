"""Lines as our handlers write them → blocks for the hot table, several times faster than by way of events.

Rules:
1. A row made here is the row that `to_row` makes of the line's event, value for value, and the line is one that is
   kept byte for byte. A line for which that is not plain to see is left to the slow way: one with a key or a value
   that has to be moved or rewritten, an exception, a level of its own, a time that is not written as ours are.
2. Which keys a line has is looked at once for all lines that have the same ones; what is learnt is a plan.
3. Values are checked by the column: joining texts refuses what is no text. Only where a column is refused,
   its rows are looked at one by one.
"""

import re
from array import array
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import count
from operator import itemgetter
from typing import Any, TypeVar

import orjson

from loghub.event.encode import decode
from loghub.event.model import INTEGER_KEYS, LEVELS, TAIL_KEYS, JSONValue
from loghub.hub.store.blocks import Block, Texts, Values
from loghub.hub.store.columns import KEY_COLUMNS

_MAX_PLANS = 5_000
_AT_ONCE = 256  # lines whose values stay in the processor's cache: with 5 000 at once a line takes half as long again
_OWN_NAMES = frozenset(("_id", "_received", "_cursor"))
_SLOW_KEYS = frozenset(TAIL_KEYS) - {"exc_info"} | {"levelno", "short_message"} | _OWN_NAMES
_NEEDED = frozenset(("timestamp", "level"))
_TIME_SIZE = len("2026-09-21T14:13:20.000001Z")
_SECOND_SIZE = len("2026-09-21T14:13:20")
_TIMES = re.compile(r"(?:[0-9T:-]{19}\.[0-9]{6}Z)*")
_SECOND = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_DIGITS = bytes(ord("0") if chr(byte) in "0123456789" else ord(" ") for byte in range(256))
_LONG_NUMBER = b"0" * 19  # an integer over 64 bits has at least so many digits
_NO_ATTRIBUTES = b"{}"
_REFUSALS = (TypeError, ValueError, KeyError, OverflowError)
_T = TypeVar("_T")


@dataclass(frozen=True, slots=True, eq=False)
class _Plan:
    """What is known of lines that have the same keys in the same order.

    Attributes:
        keys: the standard keys among them, in the order of the columns.
        values: gives their values, as a tuple.
        free: the other keys, in their order.
        group: a number, the same for all plans with these standard keys.
    """

    keys: tuple[str, ...]
    values: Callable[[Mapping[str, JSONValue]], tuple[Any, ...]]
    free: tuple[str, ...]
    group: int


@dataclass(slots=True)
class _Rows:
    """Rows with the same standard keys."""

    keys: tuple[str, ...]
    places: list[int] = field(default_factory=list)
    values: list[tuple[Any, ...]] = field(default_factory=list)
    attributes: list[bytes] = field(default_factory=list)
    plans: set[_Plan] = field(default_factory=set)


_plans: dict[tuple[str, ...], _Plan | None] = {}
_groups: dict[tuple[str, ...], int] = {}
_group_numbers = count()
_IN_ORDER = ("timestamp", *KEY_COLUMNS)


def read_lines(lines: Sequence[bytes], most_bytes: int = 2**31) -> tuple[list[Block], list[int]]:
    """Read lines.

    Args:
        lines: each one ends in a newline.
        most_bytes: what a line without its newline may have; a longer one goes the slow way.

    Returns:
        Blocks, and the places of the lines that have to go the slow way.
    """
    load = loader(lines)
    most = most_bytes + 1 if max(map(len, lines), default=0) > most_bytes else 0
    blocks: list[Block] = []
    odd: list[int] = []

    for start in range(0, len(lines), _AT_ONCE):
        groups = _group(lines[start : start + _AT_ONCE], start, most, load, odd)
        blocks += [block for rows in groups if (block := _block(rows, odd))]

    odd.sort()
    return blocks, odd


def _group(
    lines: Sequence[bytes], start: int, most: int, load: Callable[[bytes], Any], odd: list[int]
) -> Iterable[_Rows]:
    """Read lines, the first of which is at the place `start`; 0 for `most` says that none of them is too long."""
    groups: dict[int, _Rows] = {}
    plans, dumps = _plans, orjson.dumps

    for place, line in enumerate(lines, start):
        if most and len(line) > most:
            odd.append(place)
            continue

        try:
            fields = load(line)
            plan = plans[keys] if (keys := tuple(fields)) in plans else _learn(keys)

            if plan is None or type(fields) is not dict:
                odd.append(place)
                continue

            free = plan.free
            attributes = dumps({key: fields[key] for key in free}) if free else _NO_ATTRIBUTES
        except (ValueError, TypeError, KeyError):  # no JSON, no object, too deep; or another thread cleared the plans
            odd.append(place)
            continue

        rows = groups.get(plan.group)

        if rows is None:
            rows = groups[plan.group] = _Rows(plan.keys)

        rows.plans.add(plan)
        rows.places.append(place)
        rows.values.append(plan.values(fields))
        rows.attributes.append(attributes)

    return groups.values()


def loader(lines: Sequence[bytes]) -> Callable[[bytes], Any]:
    """Give what reads JSON exactly: orjson makes a float of an integer over 64 bits."""
    return decode if _LONG_NUMBER in b"".join(lines).translate(_DIGITS) else orjson.loads


def _learn(keys: tuple[str, ...]) -> _Plan | None:
    if len(_plans) >= _MAX_PLANS:
        _plans.clear()
        _groups.clear()

    plan = _plans[keys] = _plan(keys)
    return plan


def _plan(keys: tuple[str, ...]) -> _Plan | None:
    """Make a plan; None where lines with these keys go the slow way."""
    names = frozenset(keys)

    if not names >= _NEEDED or names & _SLOW_KEYS:
        return None

    ours = tuple(key for key in _IN_ORDER if key in names)
    group = _groups.setdefault(ours, next(_group_numbers))
    return _Plan(ours, itemgetter(*ours), tuple(key for key in keys if key not in ours), group)


def _block(rows: _Rows, odd: list[int]) -> Block | None:
    """Make a block of rows; those that cannot be in it are added to `odd`."""
    try:
        return _checked(rows)
    except _REFUSALS:
        fine = [index for index, values in enumerate(rows.values) if _is_fine(rows.keys, values)]

    columns = _picked(rows.places, fine), _picked(rows.values, fine), _picked(rows.attributes, fine)
    kept = _Rows(rows.keys, *columns, rows.plans)
    odd.extend(set(rows.places).difference(kept.places))
    return _checked(kept) if fine else None


def _picked(values: Sequence[_T], places: Sequence[int]) -> list[_T]:
    return [values[place] for place in places]


def _checked(rows: _Rows) -> Block:
    """Check values, and put them into columns.

    Raises:
        TypeError, ValueError, KeyError, OverflowError: one of them has to go the slow way.
    """
    by_key = dict(zip(rows.keys, zip(*rows.values, strict=True), strict=True))
    times = _times(by_key.pop("timestamp"))
    columns: dict[str, Values] = {"severity": array("q", [LEVELS[level] for level in by_key["level"]])}

    for key, values in by_key.items():
        columns[key] = _numbers(values) if key in INTEGER_KEYS else _texts(values)

    columns["attributes"] = Texts(b"".join(rows.attributes), list(map(len, rows.attributes)))
    return Block(rows.places, times, columns, frozenset(key for plan in rows.plans for key in plan.free))


def _texts(values: tuple[str, ...]) -> Texts:
    text = "".join(values)

    if text.isascii():
        return Texts(text.encode(), list(map(len, values)))

    encoded = [value.encode() for value in values]
    return Texts(b"".join(encoded), list(map(len, encoded)))


def _numbers(values: tuple[int, ...]) -> "array[int]":
    if set(map(type, values)) != {int}:
        raise TypeError

    return array("q", values)


def _times(values: tuple[str, ...]) -> "array[int]":
    if not _TIMES.fullmatch("".join(values)) or set(map(len, values)) != {_TIME_SIZE}:
        raise ValueError

    heads = [value[:_SECOND_SIZE] for value in values]
    seconds = {second: _second_us(second) for second in set(heads)}
    return array("q", [seconds[head] + int(value[20:26]) for head, value in zip(heads, values, strict=True)])


def _second_us(second: str) -> int:
    if not _SECOND.fullmatch(second):
        raise ValueError

    return (datetime.fromisoformat(second).replace(tzinfo=UTC) - _EPOCH) // _MICROSECOND


def _is_fine(keys: tuple[str, ...], values: tuple[Any, ...]) -> bool:
    try:
        _checked(_Rows(keys, [0], [values], [_NO_ATTRIBUTES]))
    except _REFUSALS:
        return False

    return True
