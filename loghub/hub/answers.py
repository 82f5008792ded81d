"""What the hub answers, as bytes: JSON, errors, events, cursors.

Integers keep all their digits. A cursor is a text that a caller gives back as it came; what is in
it is nobody's business, so it is checked when it comes back.
"""

import json
import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

import orjson
from starlette.responses import Response

from loghub.event.encode import encode
from loghub.event.model import format_time
from loghub.hub.store.protocol import Place, StoredEvent

_TAIL_CURSOR = re.compile(r"([0-9A-Za-z_.:-]{1,64})~([0-9a-f]{1,16})")
_PAGE_CURSOR = re.compile(r"(-?[0-9]{1,18})~([0-9A-Za-z_.:-]{1,64})~([0-9a-f]{1,16})")


_PLACE = frozenset(("_id", "_received", "_cursor"))


class JSONAnswer(Response):
    """An answer in JSON."""

    media_type = "application/json"

    def render(self, content: Any) -> bytes:  # noqa: ANN401 (any JSON)
        """Write the content; bytes are taken to be JSON already."""
        return content if isinstance(content, bytes) else to_json(content)


def refusal(
    status: int,
    code: str,
    message: str,
    *,
    position: int | None = None,
    headers: Mapping[str, str] | None = None,
) -> JSONAnswer:
    """Say why something was refused, in the shape that every error has."""
    return JSONAnswer({"error": error_fields(code, message, position)}, status, headers)


def error_fields(code: str, message: str, position: int | None = None) -> dict[str, str | int]:
    """Give the inside of an error."""
    fields: dict[str, str | int] = {"code": code, "message": message}
    return fields if position is None else fields | {"position": position}


def to_json(value: Mapping[str, Any]) -> bytes:
    """Write JSON whatever is in it, and integers at any length as they are."""
    try:
        return orjson.dumps(value)
    except (TypeError, ValueError, RecursionError):
        pass

    try:
        return json.dumps(value, separators=(",", ":"), allow_nan=False).encode()
    except (TypeError, ValueError, RecursionError):
        return encode(value)[:-1]


def event_json(stored: StoredEvent, epoch: str) -> bytes:
    """Write an event as the API gives it: its id, when it came and its cursor, then its fields."""
    fields = stored.event.fields

    # The place stands first, and no field of the same name takes its value.
    if not fields.keys().isdisjoint(_PLACE):
        fields = {name: value for name, value in fields.items() if name not in _PLACE}

    place = (
        f'{{"_id":"{stored.id}","_received":"{_received(stored.received_us)}"'
        f',"_cursor":"{tail_cursor(epoch, stored.arrival)}",'
    )
    return place.encode() + to_json(fields)[1:]


@lru_cache(maxsize=64)
def _received(time_us: int) -> str:
    """Write a time that many events of a batch have."""
    return format_time(time_us)


def tail_cursor(epoch: str, arrival: int) -> str:
    """Write a place in the order of arrival."""
    return f"{epoch}~{arrival:x}"


def parse_tail_cursor(text: str) -> tuple[str, int] | None:
    """Read a place in the order of arrival: epoch and number."""
    match = _TAIL_CURSOR.fullmatch(text)
    return (match[1], int(match[2], 16)) if match else None


def page_cursor(place: Place) -> str:
    """Write the place where a page ended."""
    return f"{place.time_us}~{place.source}~{place.seq:x}"


def parse_page_cursor(text: str) -> Place | None:
    """Read the place where a page ended."""
    match = _PAGE_CURSOR.fullmatch(text)
    return Place(int(match[1]), match[2], int(match[3], 16)) if match else None
