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
_groups: "WeakValueDictionary[Hashable, Sharing]" = WeakValueDictionary()


class Sharing:
    """What formatters that share lines have in common; the two kinds of it differ in how they write one.

    Attributes:
        shares: whether a record came twice.
        latest: time of the last record. No reference to it is kept: an exception's frames would live on in it.
            Where two records have the same time, sharing begins for nothing.
    """

    def __init__(self) -> None:
        self.shares = False
        self.latest = 0.0
        self._name = f"_loghub_line_{next(_numbers)}"

    def line(self, record: logging.LogRecord) -> bytes:
        """Give the line that lies on the record if it still holds, else write it; never raises."""
        raise NotImplementedError

    def found(self, record: logging.LogRecord) -> bytes | None:
        """Give the line that lies on the record, if it still holds."""
        left = record.__dict__.get(self._name)
        return left.line if type(left) is _Left and left.holds(record) else None

    def leave(self, record: logging.LogRecord, line: bytes) -> None:
        """Lay a line on the record."""
        record.__dict__[self._name] = _Left(record, line)


class SharedLine(Sharing):
    """Shares lines that anybody writes.

    Args:
        encode: gives the line of a record; never raises.
    """

    def __init__(self, encode: Callable[[logging.LogRecord], bytes]) -> None:
        super().__init__()
        self._encode = encode

    def line(self, record: logging.LogRecord) -> bytes:
        """Give the line that lies on the record if it still holds, else encode it; never raises."""
        created = record.__dict__.get("created", 0.0)
        self.shares = self.shares or self.latest == created
        self.latest = created

        if not self.shares:
            return self._encode(record)

        line = self.found(record)

        if line is None:
            line = self._encode(record)
            self.leave(record, line)

        return line


def group_of(configuration: Hashable, begin: Callable[[], Sharing]) -> Sharing:
    """Give the group of a configuration; it lives as long as one of its formatters."""
    group = _groups.get(configuration)
    return _groups.setdefault(configuration, begin()) if group is None else group


class _Left:
    """A line on a record, and what it was made of."""

    __slots__ = ("_around", "_keys", "_task", "_values", "line")

    def __init__(self, record: logging.LogRecord, line: bytes) -> None:
        self.line = line
        self._keys = tuple(record.__dict__)
        self._values = tuple(record.__dict__.values())
        self._around = surroundings()
        self._task = task_name(record)

    def __reduce__(self) -> tuple[type[bool], tuple[()]]:
        """Stay behind when the record is pickled or deeply copied."""
        return bool, ()

    def holds(self, record: logging.LogRecord) -> bool:
        """Tell whether nothing changed since."""
        around = surroundings()

        return (
            self._is_same(record.__dict__)
            and ((not around and not self._around) or _is_equal(self._around, around))
            and self._task == task_name(record)
        )

    def _is_same(self, held: dict[str, Any]) -> bool:
        # What was added since stands last: mostly two comparisons, in C.
        keys, number = tuple(held), len(self._keys)

        if keys[:number] == self._keys and all(map(is_, self._values, held.values())):
            return all(map(_is_unheard, keys[number:]))

        before = dict(zip(self._keys, self._values, strict=True))
        changed = [key for key in {**before, **held} if before.get(key, _ABSENT) is not held.get(key, _ABSENT)]
        return all(map(_is_unheard, changed))


def _is_unheard(key: object) -> bool:
    return key in _UNHEARD or (isinstance(key, str) and key.startswith("_loghub"))


def _is_equal(before: Mapping[str, Any], now: Mapping[str, Any]) -> bool:
    """Compare what is bound: the ids of a span are texts that are made anew each time."""
    return list(before) == list(now) and all(
        old is new or (type(old) is str and type(new) is str and old == new)
        for old, new in zip(before.values(), now.values(), strict=True)
    )
