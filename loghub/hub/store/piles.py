"""Where in time the rows of a hot part are: in piles, as they came.

Rows come about in order of time, and the newest of them are what a page shows most often. To keep the largest of many
values that go up takes long; a pile says which rows need no look.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from loghub.hub.store.protocol import Span

_ROWS = 1_000


@dataclass(frozen=True, slots=True)
class Pile:
    """Rows that came one after the other: times of the oldest and of the newest one, and how many they are."""

    min_us: int
    max_us: int
    count: int


def add(piles: list[Pile], fresh: Iterable[Pile]) -> None:
    """Add piles; small ones become one."""
    for pile in fresh:
        last = piles[-1] if piles else None

        if last and last.count < _ROWS:
            piles[-1] = Pile(min(last.min_us, pile.min_us), max(last.max_us, pile.max_us), last.count + pile.count)
        else:
            piles.append(pile)


def newest_from(piles: list[Pile], span: Span, limit: int) -> int | None:
    """Give a time from which on at least `limit` rows are in the span; None where that is not known."""
    from_us, found = span.end_us, 0

    for pile in reversed(piles):
        if span.start_us <= pile.min_us and pile.max_us < span.end_us:
            from_us, found = min(from_us, pile.min_us), found + pile.count

            if found >= limit:
                return from_us

    return None


def oldest_until(piles: list[Pile], span: Span, limit: int) -> int | None:
    """Give a time up to which, itself left out, at least `limit` rows are in the span; None where it is not known."""
    until_us, found = span.start_us, 0

    for pile in list(piles):
        if span.start_us <= pile.min_us and pile.max_us < span.end_us:
            until_us, found = max(until_us, pile.max_us + 1), found + pile.count

            if found >= limit:
                return until_us

    return None
