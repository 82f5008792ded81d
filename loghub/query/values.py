"""How one value of an event compares with what a query says.

Each rule is one that SQL can keep as well; `loghub.hub.store.sql` writes the same ones.

1. Texts are equal when they are the same characters. A query's number in JSON's spelling also equals
   a number of that value: an integer of up to 2^53 equals 42 and 42.0; a longer one equals only an
   integer with its digits; any other number is compared as a 64-bit float.
2. `true` and `false` equal the booleans and these texts.
3. Order is that of 64-bit floats, and for numbers only.
4. Wildcards and regular expressions look at texts, at integers of 64 bits in decimal, and at
   true and false; never at floats (their spelling is not unique), lists or objects.
5. Any-case means equal after `fold`: each character lower-cased by itself.
"""

import math
import operator
import re
from collections.abc import Callable
from typing import TypeAlias

from loghub.event.model import JSONValue
from loghub.query.tree import Operator, Pattern

Test: TypeAlias = Callable[[JSONValue], bool]
TextTest: TypeAlias = Callable[[str], bool]
Number: TypeAlias = int | float

EXACT = 2**53
"""Below it, integers and 64-bit floats are the same numbers."""

BOOLEANS = {"true": True, "false": False}

_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)(?P<rest>(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?)")
_MAX_DIGITS = 4000  # Python reads integers of at most 4300 digits
_SMALLEST, _LARGEST = -(2**63), 2**64 - 1

ORDER: dict[Operator, Callable[[float, float], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


def fold(text: str) -> str:
    """Lower-case each character by itself.

    `str.lower` looks around a Σ, and makes two characters of İ; DuckDB's `lower` does neither.
    """
    return text.lower() if text.isascii() else text.replace("İ", "i").replace("Σ", "\u03c3").lower()


def number_literal(text: str) -> Number | None:
    """Read a number in JSON's spelling; None where the text is another."""
    found = _NUMBER.fullmatch(text)

    if found is None:
        return None

    return float(text) if found["rest"] or len(text) > _MAX_DIGITS else int(text)


def equals(pattern: Pattern) -> Test:
    """Give the test for `field:value`, with wildcards or without."""
    if len(pattern.parts) > 1:
        return on_text(wildcard(pattern))

    text = pattern.parts[0]
    number = number_literal(text)

    if number is None:
        return _equals_text(text)

    return _equals_integer(text, number) if isinstance(number, int) else _equals_float(text, number)


def ordered(sign: Operator, bound: float) -> Test:
    """Give the test for `field<value`."""
    compare = ORDER[sign]

    def test(value: JSONValue) -> bool:
        number = _as_float(value)
        return number is not None and compare(number, bound)

    return test


def on_text(test: TextTest) -> Test:
    """Make a test of texts one of values."""

    def test_value(value: JSONValue) -> bool:
        text = value if isinstance(value, str) else _spelt(value)
        return text is not None and test(text)

    return test_value


def wildcard(pattern: Pattern) -> TextTest:
    """Give the test of a whole text for a pattern, in linear time."""
    first, *middle, last = pattern.parts
    least = len(first) + len(last)

    def test(text: str) -> bool:
        if len(text) < least or not text.startswith(first) or not text.endswith(last):
            return False

        return _in_turn(text, middle, len(first), len(text) - len(last))

    return test


def _in_turn(text: str, parts: list[str], start: int, end: int) -> bool:
    for part in parts:
        found = text.find(part, start, end)

        if found < 0:
            return False

        start = found + len(part)

    return True


def _equals_text(text: str) -> Test:
    boolean = BOOLEANS.get(text)

    def test(value: JSONValue) -> bool:
        return value == text

    def test_boolean(value: JSONValue) -> bool:
        return value == text or value is boolean

    return test if boolean is None else test_boolean


def _equals_integer(text: str, number: int) -> Test:
    def test(value: JSONValue) -> bool:
        return value == text or (value == number and not isinstance(value, bool))

    def test_long(value: JSONValue) -> bool:
        return value == text or (isinstance(value, int) and value == number)

    return test if abs(number) < EXACT else test_long


def _equals_float(text: str, number: float) -> Test:
    def test(value: JSONValue) -> bool:
        return value == text or _as_float(value) == number

    return test


def _as_float(value: JSONValue) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None

    try:
        number = float(value)
    except OverflowError:
        return math.inf if value > 0 else -math.inf

    return number if math.isfinite(number) else None


def _spelt(value: JSONValue) -> str | None:
    if isinstance(value, bool):
        return "true" if value else "false"

    return str(value) if isinstance(value, int) and _SMALLEST <= value <= _LARGEST else None
