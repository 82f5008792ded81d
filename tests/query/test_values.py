"""Values compare by rules that SQL can keep too."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loghub.query.tree import Pattern
from loghub.query.values import fold, number_literal, wildcard


@given(
    st.text("ab\n", max_size=3),
    st.lists(st.tuples(st.text("ab\n", max_size=3), st.text("ab\n", max_size=3)), min_size=1),
)
def test_wildcard_matches_any_filling(first: str, rest: list[tuple[str, str]]) -> None:
    text = first + "".join(filling + part for filling, part in rest)

    assert wildcard(Pattern((first, *(part for _, part in rest))))(text)


@pytest.mark.parametrize(
    ("parts", "text"), [(("ab", "ba"), "aba"), (("a", "b", "b"), "ab"), (("a", ""), "ba"), (("", "a"), "ab")]
)
def test_parts_of_a_wildcard_do_not_overlap(parts: tuple[str, ...], text: str) -> None:
    assert not wildcard(Pattern(parts))(text)


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("42", 42),
        ("-0", 0),
        ("4.2e1", 42.0),
        ("042", None),
        ("+1", None),
        ("1_0", None),
        ("\u0663", None),
        ("nan", None),
        ("", None),
    ],
)
def test_number_is_read_in_the_spelling_of_json(text: str, number: float | None) -> None:
    assert number_literal(text) == number


@given(st.text(), st.text())
def test_fold_looks_at_each_character_alone(left: str, right: str) -> None:
    assert fold(left + right) == fold(left) + fold(right)
