"""Writing a line the way python-json-logger's `JsonFormatter` does: by a `json.dumps`, with its options.

For indented lines, for ASCII alone, for an encoder or a serializer of one's own. What these
refuse is made safe first, so that no line is lost; what a serializer of one's own writes is taken
as it is, within the limits.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import orjson

from loghub.event.encode import encode
from loghub.event.limits import UNLIMITED, Limits, exceeds
from loghub.event.plain import copied
from loghub.event.values import exact_text, known


@dataclass(frozen=True, slots=True)
class Serializer:
    """The options that python-json-logger hands to its serializer, under its names.

    Attributes:
        default: gives a value that JSON knows for one that it does not.
        encoder: a `json.JSONEncoder`.
        serializer: takes what `json.dumps` takes, gives text or bytes.
        indent: spaces, or the text to indent by; True is two spaces, as in `OrjsonFormatter`.
        ensure_ascii: whether what is not ASCII is escaped.
    """

    default: Callable[[Any], Any] | None = None
    encoder: type[json.JSONEncoder] | None = None
    serializer: Callable[..., str | bytes] = json.dumps
    indent: int | str | None = None
    ensure_ascii: bool = False

    def text(self, fields: Mapping[str, Any], limits: Limits = UNLIMITED) -> str:
        """Write the fields; never raises."""
        try:
            text = self._dumps(copied(fields, limits))

            if not exceeds(text.encode(), limits):
                return text
        except Exception:  # noqa: BLE001 (a user's encoder, serializer or objects may raise anything)
            text = ""

        line = encode(fields, self._asked(), limits)

        try:
            return self._dumps(json.loads(line))
        except Exception:  # noqa: BLE001 (as above)
            return line[:-1].decode()

    def _asked(self) -> Callable[[Any], Any] | None:
        """Give what is asked about a value where not all of them can be written: an encoder has a default too."""
        try:
            return self.default or (self.encoder().default if self.encoder else None)
        except Exception:  # noqa: BLE001 (an encoder that wants arguments)
            return None

    def _dumps(self, fields: Any) -> str:  # noqa: ANN401 (what JSON knows, or not)
        # An encoder has a default of its own, which a function would replace.
        form = self.default or (None if self.encoder else known)
        default = form and (lambda value: copied(form(value), UNLIMITED))
        indent = 2 if self.indent is True else self.indent or None

        written = self.serializer(
            fields, default=default, cls=self.encoder, indent=indent, ensure_ascii=self.ensure_ascii
        )

        if self.serializer is json.dumps:
            orjson.loads(written)  # refuses NaN, lone surrogates and numbers without end, which json writes

        return written.decode() if isinstance(written, bytes) else exact_text(written)
