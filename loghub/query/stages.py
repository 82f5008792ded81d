r"""What may follow a query behind a `|`: one stage, which makes a table of the events that match.

```text
| count                     how many
| count by service, level   how many for each pair of values
| top 10 by logger          the values that most events have
| timechart 1m by level     how many in each minute, a column for each value
| fields timestamp, user.id columns, a row for each event
```

Rules:
1. A name of a field is written as in a query; one with other characters is put in quotes.
2. `str(stage)` reads back as the same stage.
3. A tail, a filter and what else takes events one by one know no stages: they use `parse`, which refuses them.
"""

import json
import re
from dataclasses import dataclass
from typing import NoReturn, TypeAlias

from loghub.errors import QuerySyntaxError
from loghub.query.fields import INSIDE_EXCEPTION
from loghub.query.parse import parse_filter
from loghub.query.times import parse_length
from loghub.query.tree import ALIASES, Query, print_name

MOST_ROWS = 1000

_DEFAULT_TOP = 10
_SPACE = re.compile(r"\s*")
_WORD = re.compile(r"[a-z]+")
_NAME = re.compile(r'[\w.@/-]+|"(?:[^"\\]|\\.)*"')
_TOKEN = re.compile(r"[\w.]+")
_STAGES = "count by FIELD, top 10 by FIELD, timechart 1m by FIELD, or fields FIELD, FIELD"


@dataclass(frozen=True, slots=True)
class Count:
    """How many events there are for each combination of values."""

    fields: tuple[str, ...] = ()

    def __str__(self) -> str:
        return "count" + _by(self.fields)


@dataclass(frozen=True, slots=True)
class Top:
    """The values that most events have."""

    limit: int
    field: str

    def __str__(self) -> str:
        return f"top {self.limit}{_by((self.field,))}"


@dataclass(frozen=True, slots=True)
class Timechart:
    """How many events there are in each step of time, of so many microseconds."""

    step: str
    step_us: int
    field: str | None = None

    def __str__(self) -> str:
        return f"timechart {self.step}{_by(() if self.field is None else (self.field,))}"


@dataclass(frozen=True, slots=True)
class Columns:
    """Some fields of each event."""

    fields: tuple[str, ...]

    def __str__(self) -> str:
        return f"fields {', '.join(map(print_name, self.fields))}"


Stage: TypeAlias = Count | Top | Timechart | Columns


def parse_stages(text: str) -> tuple[Query, Stage | None]:
    """Read a query and the stage behind it, where there is one.

    Raises:
        QuerySyntaxError: the position and what was expected there.
    """
    query, end = parse_filter(text)
    return query, None if end == len(text) else _Stages(text, end + 1).stage()


def _by(fields: tuple[str, ...]) -> str:
    return f" by {', '.join(map(print_name, fields))}" if fields else ""


class _Stages:
    """One pass over what follows the `|`."""

    def __init__(self, text: str, at: int) -> None:
        self._text = text
        self._at = at

    def stage(self) -> Stage:
        self._skip_space()
        word = _WORD.match(self._text, self._at)
        read = {"count": self._count, "top": self._top, "timechart": self._timechart, "fields": self._columns}
        known = read.get(word[0]) if word else None

        if word is None or known is None:
            self._fail(f"a stage: {_STAGES}")

        self._move(word.end())
        stage = known()

        if self._at < len(self._text):
            self._fail("the end: one stage may follow a query" if self._text[self._at] == "|" else "the end")

        return stage

    def _count(self) -> Stage:
        return Count(self._names() if self._takes_by() else ())

    def _top(self) -> Stage:
        start = self._at
        count = _TOKEN.match(self._text, self._at)
        text = count[0] if count and count[0] != "by" else ""

        if text and not (text.isascii() and text.isdigit() and len(text) <= len(str(MOST_ROWS)) and self._fits(text)):
            self._fail(f"a whole number from 1 to {MOST_ROWS}, or by", start)

        self._move(start + len(text))

        if not self._takes_by():
            self._fail("by and a field")

        return Top(int(text or _DEFAULT_TOP), self._name())

    @staticmethod
    def _fits(text: str) -> bool:
        return 1 <= int(text) <= MOST_ROWS

    def _timechart(self) -> Stage:
        token = _TOKEN.match(self._text, self._at)
        length = parse_length(token[0]) if token else None

        if token is None or length is None:
            self._fail("a length of time, as 30s, 1m or 1h30m")

        self._move(token.end())
        return Timechart(token[0], length, self._name() if self._takes_by() else None)

    def _columns(self) -> Stage:
        return Columns(self._names())

    def _takes_by(self) -> bool:
        word = _WORD.match(self._text, self._at)

        if word is None or word[0] != "by":
            return False

        self._move(word.end())
        return True

    def _names(self) -> tuple[str, ...]:
        names = [self._name()]

        while self._text[self._at : self._at + 1] == ",":
            self._move(self._at + 1)
            names.append(self._name())

        return tuple(dict.fromkeys(names))

    def _name(self) -> str:
        found = _NAME.match(self._text, self._at)
        name = _unquoted(found[0]) if found else None

        if found is None or name is None or name == INSIDE_EXCEPTION:
            self._fail("the name of a field")

        self._move(found.end())
        return name

    def _move(self, at: int) -> None:
        self._at = at
        self._skip_space()

    def _skip_space(self) -> None:
        space = _SPACE.match(self._text, self._at)
        self._at = space.end() if space else self._at

    def _fail(self, expected: str, position: int | None = None) -> NoReturn:
        raise QuerySyntaxError(self._text, self._at if position is None else position, expected)


def _unquoted(text: str) -> str | None:
    if text[0] != '"':
        return ALIASES.get(text, text)

    try:
        name: str = json.loads(text, strict=False)
        name.encode()
    except ValueError:  # no escape of JSON, or half a character
        return None

    return name
