"""How long, deep and wide a line may be, and whether a written line is.

Nearly all lines are so short that nothing in them can be too long. For the rest `exceeds` counts,
on the bytes alone. Cutting is done on the values (`safe.py`, `fit.py`), which know their paths.
"""

from dataclasses import dataclass, field, fields
from functools import reduce
from typing import ClassVar

from loghub.errors import ConfigError

_BRACKETS = bytes(bytes.maketrans(b"[]", b"{}"))
_NO_BRACKETS = bytes(byte for byte in range(256) if byte not in b"[]{}")


@dataclass(frozen=True, slots=True)
class Limits:
    """The size of a line and of its parts; what is beyond is cut, and its path stands in "truncated".

    Attributes:
        line_bytes: the line, its newline included.
        depth: objects and lists inside one another, the line itself not counted.
        items: members of one object or list.
        string: characters of one text; its beginning and its end are kept.
        harmless: a line of at most this many bytes is within the limits, but for its depth.
    """

    LEAST: ClassVar = 256
    """Bytes that a line must have room for, at least."""

    line_bytes: int = 1_000_000
    depth: int = 32
    items: int = 10_000
    string: int = 65_536
    harmless: int = field(init=False, repr=False)

    def __post_init__(self) -> None:
        for option in fields(self):
            if option.init:
                _check(option.name, getattr(self, option.name))

        # An item takes two bytes at least, a character one.
        object.__setattr__(self, "harmless", min(self.line_bytes, self.string, 2 * self.items))


def exceeds(line: bytes, limits: Limits) -> bool:
    """Tell whether a line is over a limit; may be wrong only in saying so of a line that is not."""
    if len(line) > limits.line_bytes:
        return True

    # Every other part between quotes is a text, and each of its characters is still a byte or more.
    parts = line.replace(rb"\\", b"_").replace(rb"\"", b"_").split(b'"')

    if max(map(len, parts[1::2]), default=0) > limits.string:
        return True

    outside = b"".join(parts[::2])
    return outside.count(b",") >= limits.items or _is_deep(outside.translate(_BRACKETS, _NO_BRACKETS), limits.depth)


def _is_deep(brackets: bytes, depth: int) -> bool:
    """Take the innermost pairs away, level by level, and see whether any are left."""
    if brackets.count(b"{") <= depth + 1:
        return False

    return bool(reduce(lambda left, _: left and left.replace(b"{}", b""), range(depth + 1), brackets))


def _check(option: str, value: object) -> None:
    least = Limits.LEAST if option == "line_bytes" else 1

    if type(value) is not int or value < least:
        raise ConfigError("JSONFormatter", f"max_{option}", value, f"give a whole number of at least {least}")


UNLIMITED = Limits(line_bytes=2**62, depth=100, items=2**62, string=2**62)
"""For what is no log line, as an answer of the API: only nesting is bounded."""
