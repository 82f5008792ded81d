"""A condition in SQL with its parameters."""

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Where:
    """A condition, and the values of its `?` in order."""

    sql: str
    params: tuple[object, ...] = ()


TRUE = Where("TRUE")
FALSE = Where("FALSE")


def join(word: str, parts: Iterable[Where]) -> Where:
    """Put AND or OR between conditions."""
    kept = tuple(parts)
    return Where(f"({f' {word} '.join(part.sql for part in kept)})", tuple(p for part in kept for p in part.params))
