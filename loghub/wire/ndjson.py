"""Bytes of a body → lines: NDJSON, or a JSON array of objects.

Rules:
1. A body whose first character is `[` is an array; anything else is one line for each newline.
2. A line keeps its bytes: no number is rounded, no key is moved. The elements of an array may
   be spread over several lines; each becomes one.
3. Blank lines are passed over, but counted, so that a line's number is the one an editor shows.
4. Where an array stops making sense, what is left of it is one more line, for whoever reads it to refuse.

It refuses a body with too many lines, and takes each line as it comes: reading it is another's task.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from operator import itemgetter

from loghub.errors import LoghubError

_BOM = b"\xef\xbb\xbf"
_SPACE = " \t\r\n"
_OPENING, _CLOSING = {ord("{")}, {ord("}")}
_first, _last = itemgetter(0), itemgetter(-2)
_DECODER = json.JSONDecoder()


@dataclass(frozen=True, slots=True)
class RawLine:
    """One line of a body.

    Attributes:
        number: where it begins in the body, from 1.
        text: its bytes, without the newline and blanks around it.
    """

    number: int
    text: bytes


class TooManyLinesError(LoghubError, ValueError):
    """A body has more lines than the reader takes."""

    def __init__(self, limit: int) -> None:
        super().__init__(f"more than {limit} lines in one body")
        self.limit = limit


def split(body: bytes, *, max_lines: int = 100_000) -> list[RawLine]:
    """Take a body apart.

    Raises:
        TooManyLinesError: there are more than `max_lines`.
    """
    body = body.removeprefix(_BOM)
    is_array = body.lstrip(b" \t\r\n")[:1] == b"["
    found: list[RawLine] = []

    for line in _elements(body) if is_array else _lines(body):
        if len(found) == max_lines:
            raise TooManyLinesError(max_lines)

        found.append(line)

    return found


def plain_lines(body: bytes) -> list[bytes] | None:
    """Take a body apart in which there is one object in each line and nothing around it; None where it may be another.

    Returns:
        The lines, each with its newline; they are those of `split`, a few times faster.
    """
    if body[:1] != b"{" or body[-2:] != b"}\n" or b"\r" in body:
        return None

    lines = body.splitlines(keepends=True)
    return lines if set(map(_first, lines)) == _OPENING and set(map(_last, lines)) == _CLOSING else None


def _lines(body: bytes) -> Iterator[RawLine]:
    for number, text in enumerate(body.split(b"\n"), 1):
        stripped = text.strip(b" \t\r")

        if stripped:
            yield RawLine(number, stripped)


def _elements(body: bytes) -> Iterator[RawLine]:
    """Give the elements of an array one by one, and what cannot be read of it as the last one."""
    text = body.decode("utf-8", "surrogateescape")  # bad bytes come back as they were
    place = _skip(text, text.index("[") + 1)
    number, counted = 1, 0

    while place < len(text) and text[place] != "]":
        number += text.count("\n", counted, place)
        counted = place
        end = _end_of_element(text, place)
        yield RawLine(number, _one_line(text[place:end]))
        place = _skip(text, end)

        if text[place : place + 1] == ",":
            place = _skip(text, place + 1)

    rest = text[place + 1 :].strip(_SPACE)

    if rest:
        yield RawLine(number + text.count("\n", counted, _skip(text, place + 1)), _one_line(rest))


def _end_of_element(text: str, place: int) -> int:
    """Find where the element ends; the end of the text where it is no JSON or no separator follows."""
    try:
        _, end = _DECODER.raw_decode(text, place)
    except (ValueError, RecursionError):
        return len(text)

    following = _skip(text, end)
    return end if following == len(text) or text[following] in ",]" else len(text)


def _skip(text: str, place: int) -> int:
    while place < len(text) and text[place] in _SPACE:
        place += 1

    return place


def _one_line(text: str) -> bytes:
    """Join the lines of an element: within JSON, a line break can only stand between tokens."""
    return text.replace("\r", " ").replace("\n", " ").strip(_SPACE).encode("utf-8", "surrogateescape")
