"""Show any value as a short text: like `repr`, but bounded, and it never raises.

Containers show their first items, strings and bytes their beginning. Only the `__repr__` of an object that is none
of these is called.
"""

import reprlib
from collections.abc import Iterable
from itertools import islice
from typing import Any

_MAX_ITEMS = 10
_MAX_LEVEL = 4
_MAX_TEXT = 1_000


def shown(value: object) -> str:
    """Give a value's `repr`, at most a few thousand characters of it.

    >>> shown({"tea": list(range(100))})
    "{'tea': [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, ...]}"
    """
    try:
        return _Short().repr(value)[: 4 * _MAX_TEXT]
    except Exception:  # noqa: BLE001 (a user's __repr__ or container may raise anything)
        return f"<{type(value).__name__}>"


class _Short(reprlib.Repr):
    """The standard library's short `repr`, without its sorting, and for subclasses of containers and bytes too."""

    def __init__(self) -> None:
        super().__init__()
        self.maxlevel = _MAX_LEVEL
        self.maxlist = self.maxtuple = self.maxset = self.maxfrozenset = self.maxdeque = self.maxarray = _MAX_ITEMS
        self.maxstring = self.maxother = self.maxlong = _MAX_TEXT

    def repr_dict(self, x: dict[Any, Any], level: int) -> str:
        if not x or level <= 0:
            return "{...}" if x else "{}"

        parts = [f"{self.repr1(key, level - 1)}: {self.repr1(x[key], level - 1)}" for key in islice(x, _MAX_ITEMS)]
        return "{" + ", ".join(parts + ["..."] * (len(x) > _MAX_ITEMS)) + "}"

    def repr_set(self, x: set[Any], level: int) -> str:
        return self._items(x, level, "{", "}") if x else "set()"

    def repr_frozenset(self, x: frozenset[Any], level: int) -> str:
        return f"frozenset({self._items(x, level, '{', '}') if x else ''})"

    def repr_str(self, x: str, level: int) -> str:  # noqa: ARG002 (the parent's signature)
        return repr(x[:_MAX_TEXT]) + ("..." if len(x) > _MAX_TEXT else "")

    def repr_instance(self, x: Any, level: int) -> str:  # noqa: ANN401 (whatever stands in a variable)
        if isinstance(x, bytes | bytearray):
            return repr(x[:_MAX_TEXT]) + ("..." if len(x) > _MAX_TEXT else "")

        for kind in (dict, list, tuple, set, frozenset, str):
            if isinstance(x, kind) and type(x).__repr__ is kind.__repr__:
                return str(getattr(self, f"repr_{kind.__name__}")(x, level))

        try:
            return repr(x)[: 4 * _MAX_TEXT]
        except Exception:  # noqa: BLE001 (a user's __repr__ may raise anything)
            return f"<{type(x).__name__}>"

    def _items(self, items: Iterable[Any], level: int, opening: str, closing: str) -> str:
        if level <= 0:
            return f"{opening}...{closing}"

        parts = [self.repr1(item, level - 1) for item in islice(items, _MAX_ITEMS + 1)]
        return opening + ", ".join(parts[:_MAX_ITEMS] + ["..."] * (len(parts) > _MAX_ITEMS)) + closing
