"""Lines and their events, which are made when someone asks: most are never looked at before they are rows."""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any, overload

from loghub.event.encode import decode
from loghub.event.model import LEVELS, Event, JSONValue
from loghub.hub.store.quick import loader

_MAX_ORDERS = 5_000
_SECOND_SIZE = len("2026-09-21T14:13:20")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)

_orders: dict[tuple[str, ...], tuple[str, ...]] = {}
"""Of lines with these keys, the keys in the order of an event; () where they stand in it."""


class LineEvents(Sequence[Event]):
    """The events of lines.

    Args:
        lines: the lines.
        received_us: when they came, for a line without a time.
        known: events that are there already, by the place of their line.
        odd: places of the lines that have to be checked when they are read; of the others blocks were made. None for
            all.
    """

    __slots__ = ("_events", "_lines", "_load", "_odd", "_received_us")

    def __init__(
        self,
        lines: Sequence[bytes],
        received_us: int,
        known: Mapping[int, Event] | None = None,
        odd: Iterable[int] | None = None,
    ) -> None:
        self._lines = lines
        self._received_us = received_us
        self._events: dict[int, Event] = dict(known or {})
        self._odd: Collection[int] = range(len(lines)) if odd is None else frozenset(odd)
        self._load: Callable[[bytes], Any] | None = None

    def __len__(self) -> int:
        return len(self._lines)

    @overload
    def __getitem__(self, place: int) -> Event: ...

    @overload
    def __getitem__(self, place: slice) -> list[Event]: ...

    def __getitem__(self, place: int | slice) -> Event | list[Event]:
        if isinstance(place, slice):
            if not self._odd:
                return read_checked(self._lines[place], self._loader())

            return [self[index] for index in range(len(self))[place]]

        index = range(len(self))[place]

        if index not in self._odd:  # made again each time: it costs less than to keep it
            return read_checked([self._lines[index]], self._loader())[0]

        event = self._events.get(index)

        if event is None:
            event = self._events[index] = read_event(self._lines[index], self._received_us)

        return event

    def __iter__(self) -> Iterator[Event]:
        return (self[index] for index in range(len(self)))

    def _loader(self) -> Callable[[bytes], Any]:
        self._load = self._load or loader(self._lines)
        return self._load


def read_event(line: bytes, received_us: int) -> Event:
    """Read a line again, as it was read when it came; one that is no event as its message."""
    try:
        fields: dict[str, JSONValue] = decode(line)
    except ValueError:
        fields = {"message": line.decode(errors="backslashreplace").rstrip("\n")}

    return Event.from_mapping(fields, now_us=received_us)


def read_checked(lines: Iterable[bytes], load: Callable[[bytes], Any]) -> list[Event]:
    """Read lines of which blocks were made as `read_event` does, several times faster: there is nothing to check.

    Args:
        lines: the lines.
        load: reads their JSON exactly.
    """
    events: list[Event] = []

    for line in lines:
        fields: dict[str, Any] = load(line)
        keys = tuple(fields)
        order = _orders[keys] if keys in _orders else _learn(keys, line)

        if order:
            fields = {key: fields[key] for key in order}

        time: str = fields["timestamp"]
        time_us = _second_us(time[:_SECOND_SIZE]) + int(time[20:26])
        events.append(Event(time_us, LEVELS[fields["level"]], fields))

    return events


def _learn(keys: tuple[str, ...], line: bytes) -> tuple[str, ...]:
    order = tuple(read_event(line, 0).fields)

    if len(_orders) >= _MAX_ORDERS:
        _orders.clear()

    _orders[keys] = order = () if order == keys else order
    return order


@lru_cache(maxsize=1024)
def _second_us(text: str) -> int:
    """Read a second, which many lines share."""
    return (datetime.fromisoformat(text).replace(tzinfo=UTC) - _EPOCH) // _MICROSECOND
