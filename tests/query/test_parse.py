"""Text becomes the tree that it says, or an error with its position."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from query_vectors import EXAMPLES, FAULTS, Example, Fault

from loghub.errors import QuerySyntaxError
from loghub.query.parse import MAX_DEPTH, parse
from loghub.query.tree import And, Compare, Contains, Equals, Matches, Not, Or, Pattern, Present


@pytest.mark.parametrize("vector", EXAMPLES, ids=lambda vector: vector.query)
def test_printed_query_is_the_canonical_one(vector: Example) -> None:
    assert str(parse(vector.query)) == vector.printed
    assert parse(vector.printed) == parse(vector.query)


@pytest.mark.parametrize("vector", FAULTS, ids=lambda vector: vector.query[:40])
def test_error_says_where_and_what_was_expected(vector: Fault) -> None:
    with pytest.raises(QuerySyntaxError) as caught:
        parse(vector.query)

    assert (caught.value.position, caught.value.expected) == (vector.position, vector.expected)


def test_not_binds_before_and_before_or() -> None:
    a, b, c = (Contains(Pattern((word,))) for word in "abc")

    assert parse("NOT a b OR c") == Or((And((Not(a), b)), c))
    assert parse("a OR b AND c") == Or((a, And((b, c))))


def test_each_kind_of_term_has_its_node() -> None:
    assert parse("host:web-*") == Equals("hostname", Pattern(("web-", "")))
    assert parse("a.b-c@d/e:**") == Present("a.b-c@d/e")
    assert parse(r"message:/a\/b \d|(c)/") == Matches("message", r"a/b \d|(c)")
    assert parse("ts>=2026-11-22T10:00:00+01:00") == Compare("timestamp", ">=", "2026-11-22T10:00:00+01:00")
    assert parse('x:a**"b c"*') == Equals("x", Pattern(("a", "b c", "")))


@given(
    st.text(alphabet=st.sampled_from('ab:*"()|/\\-<>=! \n\tANDORT{}[]u0é\ud800'), max_size=30) | st.text(max_size=12)
)
@example("a:" * 1000)
@example("(" * 3000)
@example("NOT " * 3000 + "a")
@example("-" * 3000 + "a")
def test_any_text_is_a_query_or_a_syntax_error_inside_it(text: str) -> None:
    try:
        query = parse(text)
    except QuerySyntaxError as error:
        assert 0 <= error.position <= len(text)  # noqa: PT017 (most texts are queries: pytest.raises would be wrong)
    else:
        assert parse(str(query)) == query


@given(
    st.sampled_from([vector.query for vector in EXAMPLES]), st.sampled_from([")", ' "', " x:", " |", " -", " (", " OR"])
)
def test_junk_behind_a_query_is_refused(query: str, junk: str) -> None:
    with pytest.raises(QuerySyntaxError):
        parse(query + junk)


def test_parentheses_nest_to_the_limit() -> None:
    assert parse("(" * MAX_DEPTH + "a" + ")" * MAX_DEPTH) == Contains(Pattern(("a",)))


def test_error_reads_as_a_sentence() -> None:
    with pytest.raises(QuerySyntaxError, match=r"at character 7: expected a level \(debug, info"):
        parse("level>loud")
