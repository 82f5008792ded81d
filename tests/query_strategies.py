"""Events and queries of every odd kind, drawn from pools so small that they often meet."""

from typing import Any

from hypothesis import strategies as st

from loghub.event.encode import decode, encode
from loghub.event.model import LEVELS, Event, JSONValue
from loghub.query.tree import (
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

NOW_US = 1_790_000_000_000_000

# fmt: off
ODD_TEXTS = (
    "", "a", "A", "ab", "a b", "a.b", "web-1", "web-2", "app",
    "app.db", "application", "timeout", "TIMEOUT", "ValueError",
    "*", "a*", "%", "_", "a%b", "a_b", "\\", "a\\b", "\\%", '"', 'a"b', "a/b", "/", "AND", "-a", "[1]", "{}", "[",
    "ß", "ẞ", "SS", "İ", "i", "I", "i\u0307", "\u0131", "\u0391Σ", "\u03b1\u03c2",
    "\u03b1\u03c3", "Σ", "ǅ", "é", "É", "e\u0301",
    "42", "042", "42.0", "4.2e1", "-42", "1e5", "100000", "true", "false", "True",
    "null", "None", "nan", "inf", "0", "-0",
    "9007199254740993", "9007199254740992", "18446744073709551616", "123456789012345678901234567890", "1e999",
    "a\nb", "\n", "\t", "\x00", "a\x00b", "\x7f", "\u2028", "😀",
)
FIELD_NAMES = (
    "message", "logger", "service", "hostname", "process", "line", "request_id",
    "exc_info", "stack_info", "level", "levelno",
    "exception", "exception.type", "exception.fingerprint", "exception.message",
    "exception.cause.type", "extra", "extra.line",
    "a", "a.b", "a.b.c", "b", "a.0", "tags", "user.id", "odd name", 'q"uote', "back\\slash", "$",
    "a*", "é", "", ".", "a.", ".a",
    "arrival", "time_us", "attributes", "seq", "0", "a/b", "a~b", "@x", "timestamp.x",
    "message.a", "NOT", "ts", "host", "n\nl",
)
REGEXES = (
    "a", "^a", "b$", "^$", "a.b", "(?i)é", "(?i)timeout", r"\d+", r"^\d+$", "/",
    "a|b", "[[:upper:]]", r"\\", "true", r"\x00", "ß",
)
OPERATORS: tuple[Operator, ...] = ("<", "<=", ">", ">=")
# fmt: on

texts = st.sampled_from(ODD_TEXTS) | st.text(max_size=4)
numbers = (
    st.sampled_from((0, 1, -1, 42, 100_000, 2**53, 2**53 + 1, 2**63, 2**64 - 1, 2**64, -(2**63), 10**29, 10**400))
    | st.sampled_from((42.0, 42.5, -0.0, 1e5, 1e16, 1e22, 1.5e300, 5e-324, 0.1, 9007199254740992.0))
    | st.integers(-50, 50)
    | st.floats(allow_nan=False, allow_infinity=False)
)
scalars: st.SearchStrategy[JSONValue] = st.none() | st.booleans() | numbers | texts
names = st.sampled_from(FIELD_NAMES)


def _deeper(inside: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    keys = st.sampled_from(("a", "b", "c", "b.c", "id", "type", "0", "a.b"))
    return st.lists(inside, max_size=3) | st.dictionaries(keys, inside, max_size=3)


values: st.SearchStrategy[JSONValue] = st.recursive(scalars, _deeper, max_leaves=5)
levels = st.sampled_from((*LEVELS, "warning", "Notice", "TRACE", "AUDIT", "audit", "İ", "Level 35", "30"))
times = st.sampled_from(("2026-09-21T14:13:20Z", "2026-09-21T14:00:00", "1999-01-01", "9999-12-31T23:59:59.999999Z"))


def _read(mapping: dict[str, JSONValue]) -> Event:
    """Bring a mapping the way of all events: through a line."""
    return Event.from_mapping(decode(encode(mapping)), now_us=NOW_US)


_exceptions = st.fixed_dictionaries(
    {},
    optional={
        "type": st.just("ValueError") | values,
        "message": values,
        "fingerprint": texts | numbers,
        "cause": st.fixed_dictionaries({"type": texts}),
        "message.a": values,
    },
)
events: st.SearchStrategy[Event] = st.builds(
    lambda known, free: _read({**free, **known}),
    st.fixed_dictionaries(
        {},
        optional={
            "timestamp": times,
            "level": levels,
            "levelno": st.sampled_from((5, 30, 35, 2**53 + 1)),
            "message": texts,
            "exception": _exceptions,
            "process": st.integers(0, 50) | st.sampled_from((2**53 + 1, 2**63 - 1)),
        },
    ),
    st.dictionaries(names, values, max_size=5),
)

patterns = st.builds(lambda parts: Pattern(tuple(parts)), st.lists(texts, min_size=1, max_size=1)) | st.builds(
    lambda first, middle, last: Pattern((first, *filter(None, middle), last)),
    texts,
    st.lists(texts, max_size=2),
    texts,
).filter(lambda pattern: pattern.parts != ("", ""))
words = st.lists(texts.filter(bool), min_size=1, max_size=3).map(lambda parts: Contains(Pattern(tuple(parts))))
number_texts = numbers.map(repr).filter(lambda text: len(text) < 100) | st.sampled_from(("+1", ".5", "5.", "1e999"))
moments = times | st.sampled_from(("-15m", "-1h30m", "now", "+1d"))

_leaves: st.SearchStrategy[Query] = st.one_of(
    st.just(Everything()),
    words,
    st.builds(Equals, names, patterns | number_texts.map(lambda text: Pattern((text,)))),
    st.builds(Equals, st.just("level"), levels.map(lambda level: Pattern((level.lower(),)))),
    st.builds(Equals, st.just("timestamp"), moments.map(lambda moment: Pattern((moment,)))),
    st.builds(Present, names),
    st.builds(Matches, names, st.sampled_from(REGEXES)),
    st.builds(Compare, names.filter(lambda name: name != "level"), st.sampled_from(OPERATORS), number_texts),
    st.builds(Compare, st.just("level"), st.sampled_from(OPERATORS), st.sampled_from(("warning", "ERR", "35", "1e2"))),
    st.builds(Compare, st.just("timestamp"), st.sampled_from(OPERATORS), moments),
)


def _joined(inside: st.SearchStrategy[Query]) -> st.SearchStrategy[Query]:
    some = st.lists(inside, min_size=1, max_size=3)
    return some.map(both) | some.map(either) | inside.map(negated)


queries: st.SearchStrategy[Query] = st.recursive(_leaves, _joined, max_leaves=5)
