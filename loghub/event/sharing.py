"""One encoding for all handlers: formatters that are configured alike leave a record's line on the record.

Rules:
1. Formatters with the same configuration form a group; a group's line lies on the record under the group's own name.
   It goes when the record goes; it is not pickled with it, and no line of ours carries it.
2. A group begins to share when it meets a record twice: one handler alone pays nothing.
3. The line is given again only while each attribute of the record, what is bound and the task are the same objects.
   A filter that sets, replaces or removes an attribute in between is noticed, and what another formatter leaves
   (`message`, `asctime`) does not matter. An object that is changed in place, as a list that grows, is not noticed.
"""

import itertools
import logging
from collections.abc import Callable, Hashable, Mapping
from operator import is_
from typing import Any
from weakref import WeakValueDictionary

from loghub.event.record import surroundings, task_name

_UNHEARD = frozenset(("message", "asctime"))
_ABSENT = object()
_numbers = itertools.count()
_groups: "WeakValueDictionary[Hashable, SharingGroup]" = WeakValueDictionary()


class SharingGroup:
    """The formatters that share lines.

    Args:
        kept: what the configuration refers to by identity: it must not be collected before the group.
    """

    def __init__(self, *kept: object) -> None:
        self._kept = kept
        self._name = f"_loghub_line_{next(_numbers)}"
        self._shares = False
        self._last = 0.0

    def line(self, record: logging.LogRecord, encode: Callable[[logging.LogRecord], bytes]) -> bytes:
        """Give the line that lies on the record if it still holds, else encode it."""
        # No reference to the record is kept: an exception's frames would live on in it. It is known again by its
        # time; where two records have the same, sharing begins for nothing.
        if not self._shares and self._last != record.created:
            self._last = record.created
            return encode(record)

        self._shares = True
        left = record.__dict__.get(self._name)

        if type(left) is _Left and left.holds(record):
            return left.line

        line = encode(record)
        record.__dict__[self._name] = _Left(record, line)
        return line


def group_of(configuration: Hashable, *kept: object) -> SharingGroup:
    """Give the group of a configuration; it lives as long as one of its formatters."""
    group = _groups.get(configuration)

    if group is None:
        group = _groups.setdefault(configuration, SharingGroup(*kept))

    return group


class _Left:
    """A line on a record, and what it was made of."""

    __slots__ = ("_around", "_held", "_task", "line")

    def __init__(self, record: logging.LogRecord, line: bytes) -> None:
        self.line = line
        self._held = record.__dict__.copy()
        self._around = surroundings()
        self._task = task_name(record)

    def __reduce__(self) -> tuple[type[bool], tuple[()]]:
        """Stay behind when the record is pickled or deeply copied."""
        return bool, ()

    def holds(self, record: logging.LogRecord) -> bool:
        """Tell whether nothing changed since."""
        around = surroundings()

        return (
            _is_same(self._held, record.__dict__)
            and ((not around and not self._around) or _is_equal(self._around, around))
            and self._task == task_name(record)
        )


def _is_same(before: dict[str, Any], now: dict[str, Any]) -> bool:
    # What was added last stands last: mostly one comparison of the values, in C.
    if all(map(is_, before.values(), now.values())) and list(before) == list(itertools.islice(now, len(before))):
        added = itertools.islice(now, len(before), None)
        return all(map(_is_unheard, added))

    changed = [key for key in {**before, **now} if before.get(key, _ABSENT) is not now.get(key, _ABSENT)]
    return all(map(_is_unheard, changed))


def _is_unheard(key: object) -> bool:
    return key in _UNHEARD or (isinstance(key, str) and key.startswith("_loghub"))


def _is_equal(before: Mapping[str, Any], now: Mapping[str, Any]) -> bool:
    """Compare what is bound: the ids of a span are texts that are made anew each time."""
    return list(before) == list(now) and all(
        old is new or (type(old) is str and type(new) is str and old == new)
        for old, new in zip(before.values(), now.values(), strict=True)
    )
