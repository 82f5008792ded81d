r"""Text → tree. Pure: no clock, no I/O.

Rules:
1. `query := all ("OR" all)*`, `all := one (["AND"] one)*`, `one := ("NOT" | "-")* (term | "(" query ")")`.
   So NOT binds before AND before OR. Keywords are upper-case and whole words; in quotes they are words.
2. A term is a field with an operator and a value, or a word. It is a field where a name (letters,
   digits, `_ . - @ /`, or any text in quotes) stands directly before one of `: = != < <= > >=`.
3. A word or value is a run of pieces without space between them: bare text, "quoted text", and `*`,
   the wildcard. Bare text ends at a space, parenthesis, quote or `|`; a `*` in quotes is a star.
4. Quotes know the escapes `\" \\ \/ \n \r \t \uXXXX`, as JSON does.
5. After `:` a `(` starts a group, in which each term is a value of that field, and a `/` starts a
   regular expression up to the next `/` that is not escaped.
6. What is ordered is checked here: a number, a level or, for `ts`, a moment.

It refuses stages (`| count by service`), nesting beyond `MAX_DEPTH`, and says where and what was expected.
"""

import re
from collections.abc import Callable
from typing import NoReturn, cast

from loghub.errors import QuerySyntaxError
from loghub.event.model import level_number
from loghub.query.regex import regex_fault
from loghub.query.times import REMEDY, parse_moment
from loghub.query.tree import (
    ALIASES,
    Compare,
    Contains,
    Equals,
    Everything,
    Matches,
    Operator,
    Pattern,
    Present,
    Query,
    both,
    either,
    negated,
)

MAX_DEPTH = 50

_SPACE = re.compile(r"\s*")
_KEYWORD = re.compile(r"(?:AND|OR|NOT)(?=[\s()]|\Z)")
_NAME = re.compile(r"[\w.@/-]+")
_OPERATOR = re.compile(r"!=|<=|>=|[:=<>]")
_BARE = re.compile(r'[^\s()"|*]+')
_REGEX = re.compile(r"/((?:[^/\\]|\\.)*)/", re.DOTALL)
_QUOTED_RUN = re.compile(r'[^"\\]*')
_NUMBER = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?")
_HEX = re.compile(r"u([0-9a-fA-F]{4})")
_ESCAPES = {'"': '"', "\\": "\\", "/": "/", "n": "\n", "r": "\r", "t": "\t"}
_ENDS = "()|"

_A_FILTER = "a word, a field with a value, or a parenthesis"


def parse(text: str) -> Query:
    """Read a query.

    Args:
        text: a filter expression; empty or blank means every event.

    Raises:
        QuerySyntaxError: the position and what was expected there.
    """
    return _Parser(text).whole()


def parse_filter(text: str) -> tuple[Query, int]:
    """Read a query that stages may follow.

    Returns:
        The tree, and where the `|` before the first stage stands, or the end of the text.

    Raises:
        QuerySyntaxError: the position and what was expected there.
    """
    return _Parser(text, stages=True).first()


class _Parser:
    """One pass over the text; `_at` is the next character."""

    def __init__(self, text: str, *, stages: bool = False) -> None:
        self._text = text
        self._stages = stages
        self._at = 0
        self._depth = 0

    def whole(self) -> Query:
        return self.first()[0]

    def first(self) -> tuple[Query, int]:
        self._refuse_surrogates()
        self._skip_space()

        if self._at == len(self._text) or (self._stages and self._peek() == "|"):
            return Everything(), self._at

        query = self._query(self._term)

        if self._at < len(self._text) and self._peek() != "|":
            self._fail("the end, or a ( before this )")

        return query, self._at

    def _query(self, term: Callable[[], Query]) -> Query:
        parts = [self._all(term)]

        while self._take_keyword("OR"):
            parts.append(self._all(term))

        return either(parts)

    def _all(self, term: Callable[[], Query]) -> Query:
        parts = [self._one(term)]

        while self._take_keyword("AND") or self._more():
            parts.append(self._one(term))

        return both(parts)

    def _one(self, term: Callable[[], Query]) -> Query:
        turned = False

        while self._take_keyword("NOT") or self._take_minus():
            turned = not turned

        query = self._parenthesis(term) if self._peek() == "(" else self._checked(term)
        self._skip_space()
        return negated(query) if turned else query

    def _parenthesis(self, term: Callable[[], Query]) -> Query:
        if self._depth == MAX_DEPTH:
            self._fail(f"at most {MAX_DEPTH} parentheses inside each other")

        opened = self._at
        self._at += 1
        self._depth += 1
        self._skip_space()
        query = self._query(term)

        if self._peek() != ")":
            self._fail(f"a ) for the ( at character {opened + 1}")

        self._at += 1
        self._depth -= 1
        return query

    def _checked(self, term: Callable[[], Query]) -> Query:
        """Read a term where one must stand."""
        keyword = _KEYWORD.match(self._text, self._at)

        if keyword:
            self._fail(f'{_A_FILTER}; put the word {keyword[0]} in quotes: "{keyword[0]}"')

        if self._peek() in ("", ")"):
            self._fail(_A_FILTER)

        return term()

    def _term(self) -> Query:
        start = self._at
        name = self._name()
        operator = _OPERATOR.match(self._text, self._at) if name is not None else None

        if name is None or operator is None:
            self._at = start
            return self._word()

        self._at = operator.end()
        return self._field(name, operator[0])

    def _name(self) -> str | None:
        if self._peek() == '"':
            return self._quoted()

        name = _NAME.match(self._text, self._at)

        if name is None:
            return None

        self._at = name.end()
        return ALIASES.get(name[0], name[0])

    def _word(self) -> Query:
        parts = self._pieces()
        wanted = tuple(part for part in parts if part)
        return Contains(Pattern(wanted)) if wanted else Everything()

    def _field(self, name: str, operator: str) -> Query:
        if operator in ("<", "<=", ">", ">="):
            return self._compare(name, cast("Operator", operator))

        query = self._parenthesis(lambda: self._value(name)) if self._peek() == "(" else self._value(name)
        return negated(query) if operator == "!=" else query

    def _value(self, name: str) -> Query:
        if self._peek() == "/":
            return self._regex(name)

        start = self._at
        parts = self._pieces()

        if parts == ["", ""]:
            return Present(name)

        if name == "timestamp":
            self._check_moment(start, parts)

        return Equals(name, Pattern(tuple(parts)))

    def _regex(self, name: str) -> Query:
        start = self._at
        found = _REGEX.match(self._text, start)

        if found is None or not found[1]:
            self._fail('a regular expression between slashes; put a value that starts with / in quotes: "/…"')

        self._at = found.end()

        if self._peek() not in ("", *_ENDS) and not self._peek().isspace():
            self._fail('a space after the regular expression; put a value that starts with / in quotes: "/…"')

        if name == "timestamp":
            self._fail(REMEDY, start)

        regex = re.sub(r"\\(.)", lambda pair: "/" if pair[1] == "/" else pair[0], found[1], flags=re.DOTALL)
        fault = regex_fault(regex)

        if fault is not None:
            self._fail(f"a regular expression in RE2 syntax ({fault})", start)

        return Matches(name, regex)

    def _compare(self, name: str, operator: Operator) -> Query:
        start = self._at
        parts = self._pieces()

        if name == "timestamp":
            self._check_moment(start, parts)

        elif len(parts) > 1 or not _is_ordered(name, parts[0]):
            known = "a level (debug, info, warning, error, critical) or a number"
            self._fail(known if name == "level" else f"a number: {operator} compares numbers, levels and times", start)

        return Compare(name, operator, parts[0])

    def _check_moment(self, start: int, parts: list[str]) -> None:
        try:
            parse_moment("*".join(parts), 0)
        except ValueError:
            self._fail(REMEDY, start)

    def _pieces(self) -> list[str]:
        """Read a run of pieces: the texts between its wildcards."""
        parts = [""]
        start = self._at

        while True:
            character = self._peek()
            bare = _BARE.match(self._text, self._at)

            if character == '"':
                parts[-1] += self._quoted()

            elif character == "*":
                self._at += 1
                parts.append("")

            elif bare:
                parts[-1] += bare[0]
                self._at = bare.end()

            elif character == "|" and not self._stages:
                self._refuse_stage()

            elif self._at == start:
                self._fail('a value directly behind the operator; the empty text is ""')

            else:
                return [*parts[:1], *filter(None, parts[1:-1]), *parts[1:][-1:]]

    def _quoted(self) -> str:
        opened = self._at
        self._at += 1
        text = ""

        while True:
            run = _QUOTED_RUN.match(self._text, self._at)
            text += run[0] if run else ""
            self._at = run.end() if run else self._at

            if self._peek() == "":
                self._fail(f'a " for the one at character {opened + 1}')

            if self._peek() == '"':
                self._at += 1
                return text

            text += self._escape()

    def _escape(self) -> str:
        code = _HEX.match(self._text, self._at + 1)
        plain = _ESCAPES.get(self._text[self._at + 1 : self._at + 2])

        if code and not "d800" <= code[1].lower() <= "dfff":
            self._at = code.end()
            return chr(int(code[1], 16))

        if plain is None:
            self._fail(r"one of \" \\ \/ \n \r \t \uXXXX; a backslash in quotes is written \\")

        self._at += 2
        return plain

    def _more(self) -> bool:
        if self._peek() == "|" and not self._stages:
            self._refuse_stage()

        return self._peek() not in ("", ")", "|") and not self._at_keyword("OR")

    def _take_keyword(self, word: str) -> bool:
        if not self._at_keyword(word):
            return False

        self._at += len(word)
        self._skip_space()
        return True

    def _at_keyword(self, word: str) -> bool:
        found = _KEYWORD.match(self._text, self._at)
        return found is not None and found[0] == word

    def _take_minus(self) -> bool:
        if self._peek() != "-":
            return False

        self._at += 1

        if self._peek() == "" or self._peek().isspace():
            self._fail('what to leave out, directly behind the -; put a lone - in quotes: "-"')

        return True

    def _peek(self) -> str:
        return self._text[self._at : self._at + 1]

    def _skip_space(self) -> None:
        space = _SPACE.match(self._text, self._at)
        self._at = space.end() if space else self._at

    def _refuse_stage(self) -> NoReturn:
        self._fail('a filter: stages (what follows a |) are not available here; put a text with | in quotes: "a|b"')

    def _refuse_surrogates(self) -> None:
        try:
            self._text.encode()
        except UnicodeEncodeError as error:
            self._fail("text that UTF-8 can write", error.start)

    def _fail(self, expected: str, position: int | None = None) -> NoReturn:
        raise QuerySyntaxError(self._text, self._at if position is None else position, expected) from None


def _is_ordered(name: str, value: str) -> bool:
    if name == "level" and level_number(value) is not None:
        return True

    return _NUMBER.fullmatch(value) is not None
