"""Lines and their events, which are made when someone asks: most are never looked at before they are rows."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any, overload

import orjson

from loghub.event.encode import decode
from loghub.event.model import LEVELS, Event, JSONValue
from loghub.hub.store.quick import time_us

_MAX_ORDERS = 5_000

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

    __slots__ = ("_events", "_lines", "_odd", "_received_us")

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

    def __len__(self) -> int:
        return len(self._lines)

    @overload
    def __getitem__(self, place: int) -> Event: ...

    @overload
    def __getitem__(self, place: slice) -> list[Event]: ...

    def __getitem__(self, place: int | slice) -> Event | list[Event]:
        if isinstance(place, slice):
            if not self._odd:
                return read_checked(self._lines[place])

            return [self[index] for index in range(len(self))[place]]

        index = range(len(self))[place]

        if index not in self._odd:  # made again each time: it costs less than to keep it
            return read_checked([self._lines[index]])[0]

        event = self._events.get(index)

        if event is None:
            event = self._events[index] = read_event(self._lines[index], self._received_us)

        return event

    def __iter__(self) -> Iterator[Event]:
        return (self[index] for index in range(len(self)))


def read_event(line: bytes, received_us: int) -> Event:
    """Read a line again, as it was read when it came; one that is no event as its message."""
    try:
        fields: dict[str, JSONValue] = decode(line)
    except ValueError:
        fields = {"message": line.decode(errors="backslashreplace").rstrip("\n")}

    return Event.from_mapping(fields, now_us=received_us)


def read_checked(lines: Iterable[bytes]) -> list[Event]:
    """Read lines of which blocks were made as `read_event` does, several times faster: there is nothing to check."""
    events: list[Event] = []

    for line in lines:
        fields: dict[str, Any] = orjson.loads(line)
        keys = tuple(fields)
        order = _orders[keys] if keys in _orders else _learn(keys, line)

        if order:
            fields = {key: fields[key] for key in order}

        events.append(Event(time_us(fields["timestamp"]), LEVELS[fields["level"]], fields))

    return events


def _learn(keys: tuple[str, ...], line: bytes) -> tuple[str, ...]:
    order = tuple(read_event(line, 0).fields)

    if len(_orders) >= _MAX_ORDERS:
        _orders.clear()

    _orders[keys] = order = () if order == keys else order
    return order
