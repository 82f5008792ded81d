"""Names that are masked, and the ways in which their values are spelled inside texts.

A value is found behind `name=`, `name: `, `"name": ` and `('name', `: a quoted text up to its closing quote, a
bracket or a call up to its closing bracket, a word with the scheme before it (`Bearer …`). Where the end is not
clear, more is masked rather than less.
"""

import re
from collections.abc import Iterable, Iterator, Sequence

from loghub.errors import ConfigError
from loghub.event.patterns import MASKED

_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_MAX_KNOWN = 10_000

_SPELLED = re.compile(
    r"""(?<![\w.\-])[-.]*+(\w[\w.\-]*+)(?:\\*["'])?[ \t]*+(?:=>|[:=]=?)[ \t]*+|\([ ]*[bu]?["']([\w.\-]+)["'],[ ]*"""
)
_QUOTE = re.compile(r"""[bBuUrRfF]{0,2}(\\*["'])""")
_NESTED = re.compile(r"[\w.]*[\[({<]")
_MARK = re.compile(r"""\\.|["'\[\](){}<>]""", re.DOTALL)
_WORD = re.compile(
    r"""(?i:(?:bearer|basic|digest|token|negotiate|apikey|hmac)[ ]+)?"""
    r"""(?:[^\s,;&]|[,;&](?!\s|$|[\w.\-]++["']?[=:]))+"""
)
_TAIL = re.compile(r"""[\])}>"'.]+$""")
_PLACEHOLDER = re.compile(r"%(?:\(\w{1,40}\))?[-#0 +]{0,2}\d{0,2}(?:\.\d{1,2})?[sdrafgixXc]")
_PLACE = re.compile(r"%(?:%|[^a-zA-Z%(]*[a-zA-Z])")
_BEFORE = re.compile(r"""(?:^|[^\w.\-])([\w.\-]{1,100})\\*["']?[ \t]*(?:=>|[:=]=?)[ \t]*["']?$""")
_CLOSING = {"[": "]", "(": ")", "{": "}", "<": ">"}


class Names:
    """The names of the rules: in any case, with `-` as with `_`, in camelCase as in snake_case, `*` for anything.

    A key with dots or double underscores is taken by its last part too: `user.password`, `_User__password`.
    """

    def __init__(self, rules: Sequence[str]) -> None:
        self._squashed = frozenset(_squash(rule) for rule in rules if "*" not in rule)
        wild = [re.escape(form).replace(r"\*", ".*") for rule in rules if "*" in rule for form in sorted(_forms(rule))]
        self._wild = re.compile("|".join(wild), re.DOTALL) if wild else None
        self._known: dict[str, bool] = {}
        self._arguments: dict[str, tuple[int, ...]] = {}

    def __bool__(self) -> bool:
        return bool(self._squashed or self._wild)

    def has(self, key: str) -> bool:
        """Tell whether a key's value is masked."""
        known = self._known.get(key)

        if known is None:
            known = self._is_named(key)

            if len(self._known) >= _MAX_KNOWN:
                self._known.clear()

            self._known[key] = known

        return known

    def mask(self, text: str) -> str:
        """Give a text without the values that stand behind a masked name."""
        if "=" not in text and ":" not in text and "(" not in text:
            return text

        parts: list[str] = []
        at = 0

        for start, end in self._values(text):
            parts += (text[at:start], MASKED)
            at = end

        return "".join(parts) + text[at:] if parts else text

    def arguments(self, template: str) -> tuple[int, ...]:
        """Give the indexes of the arguments that a %-template puts behind a masked name, as in `password=%s`."""
        known = self._arguments.get(template)

        if known is None:
            known = tuple(self._find_arguments(template))

            if len(self._arguments) >= _MAX_KNOWN:
                self._arguments.clear()

            self._arguments[template] = known

        return known

    def _find_arguments(self, template: str) -> Iterator[int]:
        if "*" in template or "%(" in template or ("=" not in template and ":" not in template):
            return

        places = [place for place in _PLACE.finditer(template) if place[0] != "%%"]

        for index, place in enumerate(places):
            name = _BEFORE.search(template, max(0, place.start() - 120), place.start())

            if name and self.has(name[1]):
                yield index

    def _values(self, text: str) -> Iterator[tuple[int, int]]:
        at = 0

        while found := _SPELLED.search(text, at):
            at = found.end()

            if not self.has(found[1] or found[2]):
                continue

            start, end = _value(text, at)

            if end > start and not _PLACEHOLDER.fullmatch(text, start, end):
                yield start, end

            at = max(at, end)

    def _is_named(self, key: str) -> bool:
        parts = {key, key.rpartition(".")[2], key.rpartition("__")[2], key.strip("_")}

        if not self._squashed.isdisjoint(_squash(part) for part in parts):
            return True

        wild = self._wild
        return wild is not None and any(wild.fullmatch(form) for part in parts for form in _forms(part))


def check_name(rule: str, value: object) -> str:
    """Give a rule that is a name.

    Raises:
        ConfigError: it would mask everything, or nothing.
    """
    if not rule.strip("*_- "):
        raise ConfigError("JSONFormatter", "mask", value, "name a key, as password or card_*")

    return rule


def _squash(name: str) -> str:
    return name.lower().replace("_", "").replace("-", "").replace(" ", "")


def _forms(name: str) -> set[str]:
    """Give a name as it stands and with camelCase taken apart, both in lower case and with `_`."""
    return {form.lower().replace("-", "_").replace(" ", "_") for form in (name, _CAMEL.sub("_", name))}


def _value(text: str, at: int) -> tuple[int, int]:
    """Give start and end of the value that begins at a place of a text."""
    quote = _QUOTE.match(text, at)

    if quote:
        return quote.end(), _closing_quote(text, quote.end(), quote[1])

    nested = _NESTED.match(text, at)

    if nested:
        return at, _closing_bracket(text, nested.end() - 1)

    word = _WORD.match(text, at)

    if not word:
        return at, at

    tail = _TAIL.search(word[0])
    return at, word.end() - len(tail[0]) if tail and tail.start() else word.end()


def _closing_quote(text: str, start: int, quote: str) -> int:
    """Give the place of the closing quote: not escaped, and with something behind it that may follow a value."""
    escapes = len(quote) - 1
    at = text.find(quote[-1], start)

    while at >= 0:
        before = at - len(text[max(start, at - 64) : at].rstrip("\\")) - max(start, at - 64)
        closes = before == escapes if escapes else before % 2 == 0

        if closes and (at + 1 >= len(text) or not (text[at + 1].isalnum() or text[at + 1] in ("_", "-", text[at]))):
            return at - escapes

        at = text.find(quote[-1], at + 1)

    return len(text)


def _closing_bracket(text: str, start: int) -> int:
    """Give the place behind the bracket that closes the one at `start`, or the end of the text."""
    open_brackets: list[str] = []
    quote = ""

    for mark in _marks(text, start):
        sign = mark[0]

        if quote:
            quote = "" if sign == quote else quote

        elif sign in "\"'":
            quote = sign

        elif sign in _CLOSING:
            open_brackets.append(_CLOSING[sign])

        elif open_brackets and sign == open_brackets[-1]:
            open_brackets.pop()

            if not open_brackets:
                return mark.end()

    return len(text)


def _marks(text: str, start: int) -> Iterable[re.Match[str]]:
    return (mark for mark in _MARK.finditer(text, start) if mark[0][0] != "\\")
