"""What the look-up finds is what a test of each query finds."""

from hypothesis import given
from hypothesis import strategies as st

from loghub.event.model import Event
from loghub.hub.dispatch import Dispatch
from loghub.query.parse import parse
from loghub.query.predicate import Predicate, predicate
from loghub.query.tree import Query

from query_strategies import NOW_US, events, queries


def dispatch(*texts: str) -> Dispatch[str]:
    found: Dispatch[str] = Dispatch(NOW_US)

    for text in texts:
        found.add(parse(text), text)

    return found


def found(dispatch: Dispatch[str], **fields: object) -> set[str]:
    event = Event.from_mapping(fields, now_us=NOW_US)  # type: ignore[arg-type]
    return {member for group in dispatch.find([event]) for member in group.members}


@given(st.lists(queries, max_size=12), st.lists(events, max_size=4), st.data())
def test_events_are_found_by_the_queries_that_they_match_each_once_and_in_order(
    asked: list[Query], seen: list[Event], data: st.DataObject
) -> None:
    dispatch: Dispatch[int] = Dispatch(NOW_US)

    for number, query in enumerate(asked):
        dispatch.add(query, number)

    gone = data.draw(st.sets(st.sampled_from(range(len(asked))))) if asked else set()

    for number in gone:
        dispatch.remove(asked[number], number)

    places = {member: places for group, places in dispatch.find(seen).items() for member in group.members}

    for number, query in enumerate(asked):
        matches = predicate(query, now_us=NOW_US)
        expected = [] if number in gone else [place for place, event in enumerate(seen) if matches(event)]
        assert places.get(number, []) == expected


def test_each_query_stands_where_the_fewest_events_look() -> None:
    values = ("user.id:42 -tags:x", "service:api host:(a OR b)")
    texts = ("timeout", "one OR two three", "Slow*query -ts:2026-01-01")
    kinds = (
        "level>=error",
        "service:api OR logger:app",
        "service:api timeout",
        "-host:a",
        "host:a*",
        "host:a OR timeout",
    )
    asked = dispatch(*values, *texts, *kinds)

    assert {group.members[0] for _, under in asked._by_value.values() for at in under.values() for group in at} == {
        *values
    }
    assert {group.members[0] for groups in asked._by_text.values() for group in groups} == {*texts}
    assert {*asked._by_text} == {"timeout", "one", "three", "query"}
    assert [group.members[0] for group in asked._by_kind] == [*kinds]


def test_what_a_kind_decides_is_tested_once() -> None:
    asked = dispatch("level>=error", "service:a* level>=info", "service:api slow:true timeout", "service:web")
    tested: list[str] = []

    for group in asked._by_kind:
        assert group.of_kind is not None
        group.of_kind = _noted(group.of_kind, group.members[0], tested)

    for number in range(3):
        assert found(asked, service="api", level="ERROR", number=number) == {"level>=error", "service:a* level>=info"}

    assert len(tested) == len(asked._by_kind)


def _noted(test: Predicate, name: str, tested: list[str]) -> Predicate:
    def matches(event: Event) -> bool:
        tested.append(name)
        return test(event)

    return matches


def test_a_value_is_found_however_it_is_written() -> None:
    asked = dispatch("user.id:42", "user.id:42.0", "tags:b", "ok:true", "logger:app", "level:error")

    assert found(asked, user={"id": "42"}) == {"user.id:42"}
    assert found(asked, user={"id": 42.0}) == {"user.id:42", "user.id:42.0"}
    assert found(asked, tags=["a", "b", "b", {}], ok=True) == {"tags:b", "ok:true"}
    assert found(asked, logger="app.db.pool", level="FATAL") == {"logger:app"}
    assert found(asked, logger="application", level="ERR") == {"level:error"}


def test_equal_queries_are_tested_once() -> None:
    asked: Dispatch[int] = Dispatch(NOW_US)

    for member in range(3):
        asked.add(parse("service:api"), member)

    (group,) = asked.find([Event.from_mapping({"service": "api"}, now_us=NOW_US)])
    assert group.members == [0, 1, 2]


def test_who_left_leaves_nothing_behind() -> None:
    asked = dispatch("service:(api OR web) timeout", "logger:app", "timeout")

    for text in ("service:(api OR web) timeout", "logger:app", "timeout", "timeout"):
        asked.remove(parse(text), text)

    assert not len(asked)
    assert not asked._by_kind
    assert not asked._by_value
    assert not asked._by_text


def test_a_relative_time_moves_along_with_the_clock() -> None:
    asked = dispatch("ts>-15m")
    event = Event.from_mapping({}, now_us=NOW_US)
    asked.tick(NOW_US + 1_000_000)
    assert asked.find([event])
    asked.tick(NOW_US + 900_000_000)
    assert not asked.find([event])
