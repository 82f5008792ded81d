"""An event matches what the query says of it."""

import pytest
from query_vectors import EXAMPLES, NOW_US, Example

from loghub.event.model import Event
from loghub.query import parse, predicate
from loghub.query.tree import Compare, Equals, Matches, Pattern, Query


@pytest.mark.parametrize("vector", EXAMPLES, ids=lambda vector: vector.query)
def test_events_match_as_the_vectors_say(vector: Example) -> None:
    matches = predicate(parse(vector.query), now_us=NOW_US)

    assert [event.fields for event in vector.matching if not matches(event)] == []
    assert [event.fields for event in vector.not_matching if matches(event)] == []


def test_relative_time_moves_with_the_clock() -> None:
    query = parse("ts>-15m")
    event = Event.from_mapping({}, now_us=NOW_US)

    assert predicate(query, now_us=NOW_US + 899_000_000)(event)
    assert not predicate(query, now_us=NOW_US + 900_000_000)(event)


@pytest.mark.parametrize(
    "query",
    [
        Matches("timestamp", "a"),
        Matches("a", "("),
        Compare("a", "<", "b"),
        Compare("timestamp", "<", "b"),
        Equals("timestamp", Pattern(("2026-", ""))),
    ],
)
def test_tree_that_no_text_gives_is_refused(query: Query) -> None:
    with pytest.raises(ValueError, match=r"."):
        predicate(query, now_us=0)
