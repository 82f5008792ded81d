"""Any usual values → plain ones that orjson writes without running anyone's code.

Lists and objects are copied, so that another thread's change has no effect on a line that is
being written. It raises where a value needs more than a known form, is over a limit of depth or
items, or is a number that is none: `safe.py`, which is slower and remembers what it did, is next.
"""

import math
from collections.abc import Callable
from typing import Any

from loghub.event.limits import Limits
from loghub.event.values import is_json, known

PLAIN = frozenset((str, int, float, bool, type(None)))
"""Types that are plain by themselves; not their subclasses."""


def plain(value: Any, limits: Limits, default: Callable[[Any], Any] | None = None) -> Any:  # noqa: ANN401 (whatever a user logs)
    """Give a copy of a value in plain values.

    Raises:
        ValueError: it has to be made safe.
        Exception: whatever the code of a user's object raises.
    """
    return _plain(value, limits.depth + 1, limits, default)


def copied(value: Any, limits: Limits) -> Any:  # noqa: ANN401 (as plain)
    """Give a copy of the objects and lists in a value, past any method of a subclass; other values stay.

    A tuple stays a tuple, a named one of its class: a serializer may have a form of its own for these.

    Raises:
        ValueError: it is too deep or has too many items.
    """
    return _copied(value, limits.depth + 1, limits)


def _copied(value: Any, room: int, limits: Limits) -> Any:  # noqa: ANN401 (as plain)
    kind: Any = type(value)

    for family in (dict, list, tuple):
        if issubclass(kind, family):
            break
    else:
        return value

    if room == 0:
        raise ValueError("too deep")

    _check_length(family.__len__(value), limits)

    if family is dict:
        return {key: _copied(item, room - 1, limits) for key, item in dict.items(value)}

    items = [_copied(item, room - 1, limits) for item in family.__iter__(value)]

    if family is list:
        return items

    is_sound = kind.__iter__ is tuple.__iter__ and kind.__len__ is tuple.__len__
    made: tuple[Any, ...] = tuple.__new__(kind if is_sound else tuple, items)
    return made


def _plain(value: Any, room: int, limits: Limits, default: Callable[[Any], Any] | None) -> Any:  # noqa: ANN401 (as plain)
    kind = type(value)

    if kind in PLAIN:
        if kind is float and not math.isfinite(value):
            raise ValueError("a number that is none")

        return value

    if room == 0:
        raise ValueError("too deep")

    if kind is dict:
        _check_length(len(value), limits)
        return {key: _plain(item, room - 1, limits, default) for key, item in value.items()}

    if kind is list:
        _check_length(len(value), limits)
        return [_plain(item, room - 1, limits, default) for item in value]

    # A form takes a level too: a chain of them may have no end.
    form = known if default is None or is_json(value) else default
    return _plain(form(value), room - 1, limits, default)


def _check_length(length: int, limits: Limits) -> None:
    if length > limits.items:
        raise ValueError("too many items")
