"""A tree prints as a query that parses to the same tree."""

import dataclasses

import pytest
from hypothesis import given

from loghub.query.parse import parse
from loghub.query.tree import And, Contains, Equals, Everything, Matches, Not, Pattern, Query, both, either, negated

from query_strategies import queries

A = Contains(Pattern(("a",)))
B = Contains(Pattern(("b",)))


@given(queries)
def test_print_parses_to_the_same_tree(query: Query) -> None:
    assert parse(str(query)) == query


def test_everything_drops_out_of_and() -> None:
    assert both([Everything(), A]) == A
    assert both([Everything(), Everything()]) == Everything()


def test_nested_joins_are_flat() -> None:
    assert both([both([A, B]), A]) == And((A, B, A))
    assert str(either([either([A, B]), A])) == "a OR b OR a"


def test_double_negation_is_none() -> None:
    assert negated(negated(A)) == A
    assert negated(A) == Not(A)


@pytest.mark.parametrize(
    ("query", "printed"),
    [
        (Equals("host", Pattern(("x",))), '"host":x'),
        (Equals("", Pattern(("",))), '"":""'),
        (Equals("-a", Pattern(("AND",))), '"-a":AND'),
        (Contains(Pattern(("AND",))), '"AND"'),
        (Contains(Pattern(("-a",))), '"-a"'),
        (Contains(Pattern(("a:b", "c|d"))), '"a:b"*"c|d"'),
        (Matches("m", "a/b"), r"m:/a\/b/"),
        (Matches("m", r"a\/b\\"), r"m:/a\/b\\/"),
    ],
)
def test_text_that_means_something_is_quoted(query: Query, printed: str) -> None:
    assert str(query) == printed


def test_tree_cannot_be_changed() -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        A.pattern = Pattern(("b",))  # type: ignore[misc]
