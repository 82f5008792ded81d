import pytest
from hypothesis import given
from hypothesis import strategies as st

from loghub.errors import QuerySyntaxError
from loghub.query.parse import parse
from loghub.query.stages import Columns, Count, Stage, Timechart, Top, parse_stages
from loghub.query.tree import Query

from query_strategies import FIELD_NAMES, queries

_names = st.sampled_from([name for name in FIELD_NAMES if name != "exception."])
_many = st.lists(_names, min_size=1, max_size=3, unique=True).map(tuple)
_stages: st.SearchStrategy[Stage] = st.one_of(
    st.builds(Count, st.just(()) | _many),
    st.builds(Top, st.integers(1, 1000), _names),
    st.builds(Timechart, st.just("1h30m"), st.just(5_400_000_000), st.none() | _names),
    st.builds(Columns, _many),
)


@given(query=queries, stage=_stages)
def test_what_is_printed_reads_back(query: Query, stage: Stage) -> None:
    assert parse_stages(f"{query} | {stage}") == (parse(str(query)), stage)


@pytest.mark.parametrize(
    ("text", "stage"),
    [
        ("level>=error|count", Count()),
        ("level>=error | count by host, ts", Count(("hostname", "timestamp"))),
        ("level>=error | top by logger", Top(10, "logger")),
        ('level>=error | top 3 by "odd \\"name"', Top(3, 'odd "name')),
        ("level>=error | timechart 500ms", Timechart("500ms", 500_000)),
        ("level>=error | fields a.b,c , c", Columns(("a.b", "c"))),
        ('level>=error | timechart 1m by ""', Timechart("1m", 60_000_000, "")),
        ("level>=error", None),
    ],
)
def test_stages_are_read(text: str, stage: Stage | None) -> None:
    assert parse_stages(text) == (parse("level>=error"), stage)


def test_a_stage_may_stand_alone_and_a_bar_in_a_text_is_none() -> None:
    assert parse_stages("| count") == (parse(""), Count())
    assert parse_stages('"a|b" message:/a|b/') == (parse('"a|b" message:/a|b/'), None)


@pytest.mark.parametrize(
    ("text", "position", "word"),
    [
        ("a |", 3, "a stage"),
        ("a | sort", 4, "a stage"),
        ("a | top 0 by x", 8, "a whole number from 1 to 1000"),
        ("a | top 3", 9, "by and a field"),
        ("a | count by", 12, "the name of a field"),
        ('a | count by "\\ud800"', 13, "the name of a field"),
        ("a | timechart x", 14, "a length of time"),
        ("a | timechart 0s", 14, "a length of time"),
        ("a | count | count", 10, "one stage"),
        ("a | fields x y", 13, "the end"),
        ("(a | count)", 3, "a ) for the ("),
        ("a:|count", 2, "a value"),
    ],
)
def test_a_wrong_stage_names_its_position(text: str, position: int, word: str) -> None:
    with pytest.raises(QuerySyntaxError) as caught:
        parse_stages(text)

    assert caught.value.position == position
    assert word in caught.value.expected


@pytest.mark.parametrize("text", ["a | count", "| count", "a|count"])
def test_what_takes_single_events_refuses_stages(text: str) -> None:
    with pytest.raises(QuerySyntaxError, match="stages"):
        parse(text)
