"""Patterns of secrets that are known by their look: named ones, and regular expressions of a user's own.

Each runs in linear time on any text: repetitions are possessive or bounded by what follows. A hint is a text
that stands in everything the pattern matches, so that most texts cost one `in`.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass

from loghub.errors import ConfigError

MASKED = "***"


@dataclass(frozen=True, slots=True)
class Pattern:
    """What one pattern finds and puts in its place.

    Attributes:
        hint: stands, in lower case, in each text that the pattern matches; empty where there is none.
        shortest: the number of characters below which nothing matches.
        regex: finds the secret.
        replacement: what stands in its place; a function decides match by match.
    """

    hint: str
    shortest: int
    regex: re.Pattern[str]
    replacement: str | Callable[[re.Match[str]], str] = MASKED


def pattern_of(value: object, rule: object) -> Pattern:
    """Give the pattern that a configuration names or spells.

    Raises:
        ConfigError: no such name, or no regular expression.
    """
    if not isinstance(value, str) or not value:
        raise _wrong(rule, "give {pattern: email} or {pattern: 'a regular expression'}")

    if value in NAMED:
        return NAMED[value]

    if value.isidentifier():
        raise _wrong(
            rule, f"there is no pattern of this name, only {', '.join(NAMED)}; [{value[0]}]{value[1:]} finds the word"
        )

    try:
        regex = re.compile(value)
    except (re.error, RecursionError, OverflowError) as error:
        raise _wrong(rule, f"this is no regular expression: {error}") from error

    if regex.search("") is not None:
        raise _wrong(rule, "this regular expression matches the empty text; let it match at least one character")

    return Pattern("", 1, regex)


def _wrong(rule: object, remedy: str) -> ConfigError:
    return ConfigError("JSONFormatter", "mask", rule, remedy)


def _card(match: re.Match[str]) -> str:
    """Mask the groups of digits that are a card's number by their count and Luhn's sum."""
    text = match[0]
    bounds = [(part.start(), part.end()) for part in re.finditer(r"[0-9]+", text)]
    kept: list[str] = []
    at = first = 0

    while first < len(bounds):
        start = bounds[first][0]
        last = _last_group_of_card(text, bounds, first)

        if last is None:
            first += 1
            continue

        kept += (text[at:start], MASKED)
        at, first = bounds[last][1], last + 1

    return "".join(kept) + text[at:]


def _last_group_of_card(text: str, bounds: list[tuple[int, int]], first: int) -> int | None:
    digits = ""

    for last in range(first, len(bounds)):
        digits += text[slice(*bounds[last])]

        if len(digits) > _CARD_DIGITS[1]:
            return None

        if len(digits) >= _CARD_DIGITS[0] and digits[0] in "23456" and _luhn(digits):
            return last

    return None


_CARD_DIGITS = (13, 19)  # ISO/IEC 7812-1, without the shortest ones that no network gives out any more
_DOUBLED = (0, 2, 4, 6, 8, 1, 3, 5, 7, 9)


def _luhn(digits: str) -> bool:
    numbers = [int(digit) for digit in reversed(digits)]
    return (sum(numbers[::2]) + sum(_DOUBLED[number] for number in numbers[1::2])) % 10 == 0


NAMED: dict[str, Pattern] = {
    "email": Pattern("@", 5, re.compile(r"(?<![\w.+%'-])[\w.+%'-]++@[\w-]++(?:\.[\w-]++)+")),
    "bearer": Pattern(
        "bearer", 8, re.compile(r"""(?i)\b(bearer(?:["']?\s*[:=]\s*["']?|\s+|%20))[^\s"',;<>]++"""), rf"\1{MASKED}"
    ),
    "jwt": Pattern("eyj", 5, re.compile(r"(?<![\w-])eyJ[\w-]*+\.[\w-]++(?:\.[\w-]*+)+")),
    "card": Pattern("", 13, re.compile(r"(?<![0-9])[0-9](?:[ -]?[0-9]){12,}+"), _card),
    "private_key": Pattern(
        "-----begin",
        27,
        re.compile(
            r"-----BEGIN [A-Z0-9 ]*PRIVATE KEY(?: BLOCK)?-----.*?(?:-----END [A-Z0-9 ]*PRIVATE KEY(?: BLOCK)?-----|\Z)",
            re.DOTALL,
        ),
    ),
    "url_credentials": Pattern("://", 5, re.compile(r"""(?<=://)[^\s/?#"'<>]+(?=@)""")),
}
"""The patterns that have a name."""
