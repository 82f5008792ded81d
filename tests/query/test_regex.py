"""Regular expressions are RE2's; without the package a query with one says what to install."""

import sys
from collections.abc import Iterator

import pytest

from loghub.errors import MissingExtraError
from loghub.query import parse, predicate, regex


@pytest.fixture
def without_re2(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    regex._compiled.cache_clear()
    monkeypatch.setitem(sys.modules, "re2", None)
    yield
    regex._compiled.cache_clear()


@pytest.mark.usefixtures("without_re2")
def test_missing_package_is_named_when_the_expression_is_used() -> None:
    query = parse("message:/(/")

    with pytest.raises(MissingExtraError, match=r"pip install 'loghub\[hub\]'"):
        predicate(query, now_us=0)


def test_expression_that_backtracks_elsewhere_is_linear() -> None:
    assert not regex.regex_search("(a*)*b")("a" * 100_000)


def test_lookahead_is_refused() -> None:
    assert regex.regex_fault("(?=a)") == "invalid perl operator: (?="


def test_fault_is_not_written_to_stderr(capfd: pytest.CaptureFixture[str]) -> None:
    regex.regex_fault("[")

    assert capfd.readouterr().err == ""
