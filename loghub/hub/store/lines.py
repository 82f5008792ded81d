"""Lines and their events, which are made when someone asks: most are never looked at before they are rows."""

from collections.abc import Iterator, Mapping, Sequence
from typing import overload

from loghub.event.encode import decode
from loghub.event.model import Event, JSONValue


class LineEvents(Sequence[Event]):
    """The events of lines.

    Args:
        lines: the lines.
        received_us: when they came, for a line without a time.
        known: events that are there already, by the place of their line.
    """

    __slots__ = ("_events", "_lines", "_received_us")

    def __init__(self, lines: Sequence[bytes], received_us: int, known: Mapping[int, Event] | None = None) -> None:
        self._lines = lines
        self._received_us = received_us
        self._events: dict[int, Event] = dict(known or {})

    def __len__(self) -> int:
        return len(self._lines)

    @overload
    def __getitem__(self, place: int) -> Event: ...

    @overload
    def __getitem__(self, place: slice) -> list[Event]: ...

    def __getitem__(self, place: int | slice) -> Event | list[Event]:
        if isinstance(place, slice):
            return [self[index] for index in range(len(self))[place]]

        index = range(len(self))[place]
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
