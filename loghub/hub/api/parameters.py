"""The parameters of a request, read into what the store takes; a wrong one names itself."""

import time
from collections.abc import Sequence
from typing import Literal, TypeVar, get_args

from starlette.datastructures import QueryParams

from loghub.event.model import format_time
from loghub.hub.answers import parse_page_cursor
from loghub.hub.store.protocol import Order, Place, Span
from loghub.query.fields import INSIDE_EXCEPTION
from loghub.query.parse import parse
from loghub.query.stages import Stage, parse_stages
from loghub.query.times import parse_moment
from loghub.query.tree import ALIASES, Query

_ALWAYS = Span(-(2**62), 2**62)
_MAX_DIGITS = 9
_MAX_QUERY = 4096
_MAX_FIELD = 256
_MAX_FIELDS = 50
_MOST_SAMPLED = 100_000
_ORDERS: tuple[Order, ...] = get_args(Order)
_SAME_CURSOR = "give back the cursor of an answer as it came"

_Choice = TypeVar("_Choice", bound=str)


class ParameterError(ValueError):
    """A parameter that cannot be used; the message begins with its name."""

    def __init__(self, name: str, message: str) -> None:
        super().__init__(f"{name}: {message}")


def now_us() -> int:
    """Give the time in microseconds."""
    return time.time_ns() // 1000


def read_query(parameters: QueryParams) -> Query:
    """Read "query"; the empty one matches everything.

    Raises:
        QuerySyntaxError: with the position.
        ParameterError: it is so long that planning it would take seconds.
    """
    return parse(_query_text(parameters))


def read_stages(parameters: QueryParams) -> tuple[Query, Stage | None]:
    """Read "query", and the stage behind it where there is one; as `read_query`."""
    return parse_stages(_query_text(parameters))


def _query_text(parameters: QueryParams) -> str:
    text = parameters.get("query", "")

    if len(text) > _MAX_QUERY:
        raise ParameterError("query", f"at most {_MAX_QUERY} characters, found {len(text)}")

    return text


def read_span(parameters: QueryParams, now: int, default_from: str | None = None) -> Span:
    """Read "from" and "to".

    Raises:
        ParameterError: one is no moment, or they do not follow each other.
    """
    start = _moment(parameters, "from", default_from, now, _ALWAYS.start_us)
    end = _moment(parameters, "to", "now" if default_from else None, now, _ALWAYS.end_us)

    if end <= start:
        raise ParameterError("to", "must lie behind from")

    return Span(start, end)


def read_number(parameters: QueryParams, name: str, default: int, largest: int, *, least: int = 1) -> int:
    """Read a whole number.

    Raises:
        ParameterError: it is none, too small or too large.
    """
    text = parameters.get(name)

    if text is None:
        return default

    if not (text.isascii() and text.isdigit() and len(text) <= _MAX_DIGITS and least <= int(text) <= largest):
        raise ParameterError(name, f"expected a whole number from {least} to {largest}, found {text!r}")

    return int(text)


def read_sample(parameters: QueryParams) -> int | None:
    """Read "sample": how many events a tail is to show in a second; None for all.

    Raises:
        ParameterError: it is no such number.
    """
    return read_number(parameters, "sample", 0, _MOST_SAMPLED) or None


def read_field(parameters: QueryParams, name: str, default: str) -> str:
    """Read the name of a field, as a query has it: also a short one.

    Raises:
        ParameterError: it names nothing.
    """
    return _field(name, parameters.get(name) or default)


def read_fields(parameters: QueryParams, name: str, default: str) -> list[str]:
    """Read names of fields with commas between them, each once; one that has a comma cannot be asked for.

    Raises:
        ParameterError: one names nothing, or there are too many.
    """
    texts = (parameters.get(name) or default).split(",")

    if len(texts) > _MAX_FIELDS:
        raise ParameterError(name, f"at most {_MAX_FIELDS} fields, found {len(texts)}")

    return list(dict.fromkeys(_field(name, text.strip()) for text in texts))


def _field(name: str, text: str) -> str:
    if len(text) > _MAX_FIELD or text == INSIDE_EXCEPTION:
        raise ParameterError(
            name, f"expected the name of a field, as level or exception.type, found {text[:_MAX_FIELD]!r}"
        )

    return ALIASES.get(text, text)


def read_order(parameters: QueryParams) -> Order:
    """Read "order".

    Raises:
        ParameterError: it is no order.
    """
    return read_choice(parameters, "order", "newest", _ORDERS)


def read_choice(parameters: QueryParams, name: str, default: _Choice, choices: Sequence[_Choice]) -> _Choice:
    """Read one of a few words.

    Raises:
        ParameterError: it is another.
    """
    text = parameters.get(name, default)

    for choice in choices:
        if text == choice:
            return choice

    raise ParameterError(name, f"expected {' or '.join(choices)}, found {text!r}")


def read_rank(parameters: QueryParams) -> int:
    """Read "cursor" as a rank: how many groups the pages before had.

    Raises:
        ParameterError: it is no cursor of groups.
    """
    text = parameters.get("cursor") or "0"

    if not (text.isascii() and text.isdigit() and len(text) <= _MAX_DIGITS):
        raise ParameterError("cursor", _SAME_CURSOR)

    return int(text)


def read_place(parameters: QueryParams) -> Place | None:
    """Read "cursor": where the page before ended.

    Raises:
        ParameterError: it is no cursor of a search.
    """
    text = parameters.get("cursor")

    if not text:
        return None

    place = parse_page_cursor(text)

    if place is None:
        raise ParameterError("cursor", _SAME_CURSOR)

    return place


def _moment(parameters: QueryParams, name: Literal["from", "to"], default: str | None, now: int, open_end: int) -> int:
    text = parameters.get(name) or default

    if text is None:
        return open_end

    try:
        moment = parse_moment(text, now)
        format_time(moment)
    except OverflowError:
        raise ParameterError(name, f"{text!r} lies outside of the years 1 to 9999") from None
    except ValueError as error:
        raise ParameterError(name, str(error)) from None

    return moment
