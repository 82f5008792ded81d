"""Lines as our handlers write them → blocks for the hot table, many at once and no value one by one.

Rules:
1. A row made of a block is the row that `to_row` makes of the line's event, value for value, and the line is one
   that is kept byte for byte. A line for which that is not plain to see is left to the slow way.
2. It is plain to see where the line begins with the standard keys, in the order of the schema, byte for byte as they
   are written again once they are read as what they have to be; that beginning is the head. What is left of the line
   are the free keys: as one object, they too have to be what is written of them again, and none is a name of ours.
   So neither part has a key twice, a number that is rounded, or a value to be moved.
3. What a traceback and an exception bring moves to columns of their own.
4. The engine takes the heads apart, while it inserts.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Annotated, Any, Literal, TypeAlias

import msgspec
import orjson
from msgspec import UNSET, UnsetType

from loghub.event.model import KEYS, TAIL_KEYS
from loghub.hub.store.blocks import Block, Texts

_AT_ONCE = 256  # lines whose values stay in the processor's cache
_NOT_FREE = frozenset((*KEYS, *TAIL_KEYS, "short_message", "_id", "_received", "_cursor"))
_APART = frozenset(("exc_info", "exception"))
_OF_EXCEPTIONS = (("exception_type", "type"), ("fingerprint", "fingerprint"))
_SECOND_SIZE = len("2026-09-21T14:13:20")
_DIGITS = bytes(ord("0") if chr(byte) in "0123456789" else byte for byte in range(256))
_TIME_SHAPE = b"0000-00-00T00:00:00.000000Z"
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_LARGE = 2**63

_Text: TypeAlias = str | UnsetType
_Integer: TypeAlias = Annotated[int, msgspec.Meta(ge=-_LARGE, le=_LARGE - 1)] | UnsetType


class _Standard(msgspec.Struct, gc=False):
    """The standard keys that stand before the free ones, in the order of the line; a level of its own is left out."""

    timestamp: str
    level: Literal["DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"]
    logger: _Text = UNSET
    message: _Text = UNSET
    template: _Text = UNSET
    service: _Text = UNSET
    hostname: _Text = UNSET
    process: _Integer = UNSET
    thread: _Text = UNSET
    task: _Text = UNSET
    module: _Text = UNSET
    function: _Text = UNSET
    file: _Text = UNSET
    line: _Integer = UNSET
    component: _Text = UNSET
    request_id: _Text = UNSET
    trace_id: _Text = UNSET
    span_id: _Text = UNSET


_read_standard = msgspec.json.Decoder(_Standard).decode_lines
_write_standard = msgspec.json.Encoder().encode_lines


class _OddError(ValueError):
    """At least one of the lines has to go the slow way."""


_REFUSALS = (ValueError, TypeError, RecursionError)  # msgspec's and orjson's own are ValueErrors and TypeErrors


def read_lines(lines: Sequence[bytes], most_bytes: int = 2**31) -> tuple[list[Block], list[int]]:
    """Read lines.

    Args:
        lines: each one is an object, and ends in a newline.
        most_bytes: what a line without its newline may have; a longer one goes the slow way.

    Returns:
        Blocks, and the places of the lines that have to go the slow way.
    """
    is_long = max(map(len, lines), default=0) > most_bytes + 1
    blocks: list[Block] = []
    odd: list[int] = []

    for start in range(0, len(lines), _AT_ONCE):
        some = lines[start : start + _AT_ONCE]
        places: Sequence[int] = range(start, start + len(some))

        try:
            if is_long:
                raise _OddError

            blocks.append(_block(some, places))
        except _REFUSALS:
            fine = [place for place, line in zip(places, some, strict=True) if _is_fine(line, most_bytes)]
            odd += sorted(set(places).difference(fine))
            blocks += [_block([lines[place] for place in fine], fine)] if fine else []

    return blocks, odd


def _is_fine(line: bytes, most_bytes: int) -> bool:
    if len(line) > most_bytes + 1:
        return False

    try:
        _block([line], range(1))
    except _REFUSALS:
        return False

    return True


def _block(lines: Sequence[bytes], places: Sequence[int]) -> Block:
    """Make a block of lines.

    Raises:
        ValueError, TypeError, RecursionError: one of the lines has to go the slow way.
    """
    standard = _read_standard(b"".join(lines))
    heads = _write_standard(standard).split(b"}\n")
    heads.pop()

    if len(heads) != len(lines) or not all(map(bytes.startswith, lines, heads)):
        raise _OddError

    oldest_us, newest_us = _edges_us([one.timestamp for one in standard])
    # A comma follows the head, or the last brace.
    free = [line[len(head) + 1 : -1] or b"}" for line, head in zip(lines, heads, strict=True)]
    exceptions, keys = _take_apart(heads, free)

    return Block(
        places,
        oldest_us,
        newest_us,
        Texts(b"}".join([*heads, b""]), [len(head) + 1 for head in heads]),
        Texts(b"{" + b"{".join(free), [len(one) + 1 for one in free]),
        exceptions,
        keys,
    )


def _take_apart(heads: list[bytes], free: list[bytes]) -> tuple[Mapping[int, bytes], frozenset[str]]:
    """Check the free keys of lines, and take from them what they have of exceptions.

    Args:
        heads: without their closing brace; what is told of an exception is added to them.
        free: objects without their opening brace; those with an exception are written anew.

    Returns:
        The exceptions, as JSON, by the index of their line; and all free keys.

    Raises:
        ValueError, TypeError: one of the lines has to go the slow way.
    """
    whole = b"[{" + b",{".join(free) + b"]"
    found = orjson.loads(whole)

    if len(found) != len(free) or orjson.dumps(found) != whole:
        raise _OddError

    keys: frozenset[str] = frozenset().union(*found)
    ours = _NOT_FREE & keys
    exceptions: dict[int, bytes] = {}

    if not ours <= _APART:
        raise _OddError

    for index, fields in enumerate(found if ours else ()):
        if not _APART.isdisjoint(fields):
            heads[index] += _told(fields)

            if "exception" in fields:
                exceptions[index] = orjson.dumps(fields.pop("exception"))

            free[index] = orjson.dumps(fields)[1:]

    return exceptions, keys - ours


def _told(fields: dict[str, Any]) -> bytes:
    """Take the traceback, and give it with what the columns tell of an exception, for a head."""
    told: dict[str, str] = {}

    if "exc_info" in fields:
        told["exc_info"] = fields.pop("exc_info")

    if "exception" in fields:
        exception = fields["exception"]

        if type(exception) is not dict:
            raise _OddError

        told |= {name: exception[key] for name, key in _OF_EXCEPTIONS if type(exception.get(key)) is str}

    if not all(type(text) is str for text in told.values()):
        raise _OddError

    return b"," + orjson.dumps(told)[1:-1] if told else b""


def _edges_us(times: Sequence[str]) -> tuple[int, int]:
    """Check times, and give the oldest and the newest one.

    Raises:
        ValueError: one of them is not written as ours are.
    """
    written = "".join(times).encode("ascii")

    if written.translate(_DIGITS) != _TIME_SHAPE * len(times):
        raise _OddError

    for second in {time[:_SECOND_SIZE] for time in times}:
        _second_us(second)

    oldest, newest = min(times), max(times)
    return time_us(oldest), time_us(newest)


def time_us(time: str) -> int:
    """Give the time of a line of a block."""
    return _second_us(time[:_SECOND_SIZE]) + int(time[_SECOND_SIZE + 1 : -1])


@lru_cache(maxsize=1024)
def _second_us(second: str) -> int:
    moment = datetime.fromisoformat(second)

    if moment.isoformat() != second:  # 24:00 of the day before
        raise _OddError

    return (moment.replace(tzinfo=UTC) - _EPOCH) // _MICROSECOND
