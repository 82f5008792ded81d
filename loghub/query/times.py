"""Moments as people write them: RFC 3339, or relative to now.

A moment in a query stays text until it is asked for, so that `ts>-15m` in a live tail
moves along with the clock. A time without a zone is UTC. It refuses anything else and
says what to write.
"""

import re

from loghub.event.model import parse_time

REMEDY = "a time as 2026-11-22T10:00:00Z, or relative as -15m, -1h30m, now"

_UNITS_US = {
    "ms": 1_000,
    "s": 1_000_000,
    "m": 60_000_000,
    "h": 3_600_000_000,
    "d": 86_400_000_000,
    "w": 604_800_000_000,
}
_RELATIVE = re.compile(r"(?:now)?(?:([+-])((?:[0-9]{1,9}(?:ms|[smhdw]))+))?", re.ASCII)
_STEP = re.compile(r"([0-9]+)([a-z]+)")
_LIMIT_US = 2**62


def parse_moment(text: str, now_us: int) -> int:
    """Read a moment.

    Args:
        text: RFC 3339 ("2026-11-22T10:00:00Z", "2026-11-22"), or relative ("-15m", "-1h30m", "now").
        now_us: what it is relative to, in microseconds since 1970-01-01 UTC.

    Returns:
        Microseconds since 1970-01-01 UTC.

    Raises:
        ValueError: the text is no moment.
    """
    relative = _RELATIVE.fullmatch(text) if text else None
    time_us = parse_time(text) if relative is None else now_us + _offset(relative[1], relative[2] or "")

    if time_us is None or abs(time_us) > _LIMIT_US:
        raise ValueError(f"{text!r} is not {REMEDY}")

    return time_us


def parse_length(text: str) -> int | None:
    """Read a length of time, as "30s" or "1h30m", in microseconds; None where the text is none."""
    length = _RELATIVE.fullmatch(f"+{text}")
    return (_offset("+", text) or None) if length and length[2] else None


def _offset(sign: str | None, steps: str) -> int:
    size = sum(int(count) * _UNITS_US[unit] for count, unit in _STEP.findall(steps))
    return -size if sign == "-" else size
