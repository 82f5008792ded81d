"""When a file is rolled over: pure rules, read from "100 MB", "1 day", "midnight" or several of them."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from loghub.errors import ConfigError
from loghub.options import duration, size, text


@dataclass(frozen=True, slots=True)
class Rotation:
    """When to roll over.

    Attributes:
        bytes: a line that would make the file longer than this goes to the new file; 0 for no limit.
        seconds: length of the periods, counted from 1970 in UTC, that have a file each; 0 for no limit.
        midnight: whether a new local day starts a new file.
    """

    bytes: int = 0
    seconds: float = 0.0
    midnight: bool = False

    def __bool__(self) -> bool:
        return bool(self.bytes or self.seconds or self.midnight)

    def deadline(self, opened_at: float) -> float:
        """Give the unix time from which on a file opened at `opened_at` is rolled over; infinity for never."""
        limits = [float("inf")]

        if self.seconds:
            # The end of the period that the file belongs to: a restart does not move it.
            limits.append((opened_at // self.seconds + 1) * self.seconds)

        if self.midnight:
            limits.append(_next_midnight(opened_at))

        return min(limits)

    def should_roll(self, held: int, incoming: int, deadline: float, now: float) -> bool:
        """Tell whether a line of `incoming` bytes goes to a new file, where this one holds `held` bytes.

        An empty file is never rolled over, so a line longer than the limit has a file of its own.
        """
        return held > 0 and ((self.bytes > 0 and held + incoming > self.bytes) or now >= deadline)


def parse_rotation(value: object, owner: str) -> Rotation:
    """Read the option `rotate`: one of "100 MB", "1 day", "midnight", or a list of them.

    Raises:
        ConfigError: it is none of these.
    """
    if value is None:
        return Rotation()

    rules = value if isinstance(value, Sequence) and not isinstance(value, str) else [value]
    limits = [_limit(rule, owner) for rule in rules]

    return Rotation(
        bytes=min((limit.bytes for limit in limits if limit.bytes), default=0),
        seconds=min((limit.seconds for limit in limits if limit.seconds), default=0.0),
        midnight=any(limit.midnight for limit in limits),
    )


def _limit(rule: object, owner: str) -> Rotation:
    if isinstance(rule, str) and rule.strip().lower() == "midnight":
        return Rotation(midnight=True)

    for read in (_size_limit, _time_limit):
        try:
            return read(rule, owner)
        except ConfigError:
            continue

    text(rule, owner, "rotate")
    raise ConfigError(
        owner, "rotate", rule, 'give a size as "100 MB", a time as "1 day", "midnight", or a list of them'
    )


def _size_limit(rule: object, owner: str) -> Rotation:
    limit = size(rule, owner, "rotate")

    if limit <= 0:
        raise ConfigError(owner, "rotate", rule, 'give a size above 0, as "100 MB"')

    return Rotation(bytes=limit)


def _time_limit(rule: object, owner: str) -> Rotation:
    limit = duration(rule, owner, "rotate")

    if limit < 1:
        raise ConfigError(owner, "rotate", rule, 'give a time of at least "1 s"')

    return Rotation(seconds=limit)


def _next_midnight(moment: float) -> float:
    """Give the start of the next local day, also where a day has 23 or 25 hours."""
    day = datetime.fromtimestamp(moment).date() + timedelta(days=1)  # noqa: DTZ006 (the local day is what is asked for)
    return time.mktime(day.timetuple())
