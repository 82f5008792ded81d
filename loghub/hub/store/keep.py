"""How much a hub keeps, and how people write it."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from loghub.errors import ConfigError, QuerySyntaxError
from loghub.options import duration, size
from loghub.query.parse import parse
from loghub.query.tree import Everything, Query

_PERCENT = 100
_SHARE = re.compile(r"\s*([0-9]+(?:\.[0-9]+)?)\s*%\s*")
_SECOND_US = 1_000_000


@dataclass(frozen=True, slots=True)
class Rule:
    """Events that are kept for less time than the others.

    Attributes:
        text: the query that they match, as it was written.
        query: the same, read.
        age_us: how long they are kept at least, in microseconds.
    """

    text: str
    query: Query = field(compare=False)
    age_us: int


@dataclass(frozen=True, slots=True)
class Free:
    """How much of the disk stays free: bytes, or percent of it."""

    size: int = 0
    percent: float = 0.0

    def of(self, disk_bytes: int) -> int:
        """Give it in bytes of a disk of that size."""
        return max(self.size, int(disk_bytes * self.percent / _PERCENT))


NOTHING_FREE = Free()


@dataclass(frozen=True, slots=True)
class Keep:
    """How much is kept.

    Attributes:
        age_us: how long an event is kept at least, from its receipt on, in microseconds.
        size: how many bytes of disk events take at most.
        free: how much of the disk stays free.
        rules: what is kept for less time.
    """

    age_us: int
    size: int
    free: Free = NOTHING_FREE
    rules: Sequence[Rule] = ()


def read_free(text: str, owner: str, option: str) -> Free:
    """Read "2 GB" or "5 %".

    Raises:
        ConfigError: it is neither.

    >>> read_free("5 %", "loghub serve", "--keep-free")
    Free(size=0, percent=5.0)
    """
    share = _SHARE.fullmatch(text)

    if share is None:
        try:
            return Free(size(text, owner, option))
        except ConfigError:
            raise ConfigError(owner, option, text, _FREE_REMEDY) from None

    if float(share[1]) >= _PERCENT:
        raise ConfigError(owner, option, text, _FREE_REMEDY)

    return Free(percent=float(share[1]))


_FREE_REMEDY = 'give bytes of the disk that stay free, as "2 GB", or a part of it below 100 %, as "5 %"'


def read_rule(query: str, age: str, owner: str, option: str) -> Rule:
    """Read a query and how long what matches it is kept, as "level:debug" and "1 day".

    Raises:
        ConfigError: the query cannot be read, or the time is none.
    """
    try:
        tree = parse(query)
    except QuerySyntaxError as error:
        raise ConfigError(owner, option, query, f"give a query that can be read, as level:debug: {error}") from error

    if isinstance(tree, Everything):
        raise ConfigError(
            owner, option, query, "name what is kept for less time, as level:debug; for all of it: --keep"
        )

    age_us = round(duration(age, owner, option) * _SECOND_US)

    if age_us <= 0:
        raise ConfigError(owner, option, age, "use a length of time above zero, as 1 day")

    return Rule(query, tree, age_us)
