r"""A value as the text under which it is counted and shown: one spelling for each value.

Rules:
1. A text is itself; null and what is absent have no text. 42 and "42" share one, as a query finds both by it.
2. true, false, integers and floats are written as in JSON; a float as JavaScript writes it, and with a `.0`
   where it has no exponent and no fraction. That is how DuckDB writes the JSON that it has read.
3. A list or an object is its JSON without spaces, with capital letters in `\u000B`.
"""

import re
from decimal import Decimal
from typing import TypeAlias

import orjson

from loghub.event.model import JSONValue

Text: TypeAlias = str | None

_PLAIN_EXPONENTS = range(-6, 21)
_ESCAPE = re.compile(r"(\\(?:u|.))((?<=u)[0-9a-f]{4}|)")


def value_text(value: JSONValue) -> Text:
    """Give the text of a value; None where it has none."""
    return value if value is None or isinstance(value, str) else _json(value)


def element_texts(value: JSONValue) -> set[str]:
    """Give the texts that a query finds: of a list those of its elements, of an object none."""
    values = value if isinstance(value, list) else [value]
    texts = (value_text(each) for each in values if not isinstance(each, list | dict))
    return {text for text in texts if text is not None}


def _json(value: JSONValue) -> str:
    if isinstance(value, dict):
        return "{" + ",".join(f"{_json(key)}:{_json(inside)}" for key, inside in value.items()) + "}"

    if isinstance(value, list):
        return "[" + ",".join(map(_json, value)) + "]"

    if isinstance(value, str):
        return _ESCAPE.sub(lambda found: found[1] + found[2].upper(), orjson.dumps(value).decode())

    if isinstance(value, float):
        return _float(value)

    return str(value) if isinstance(value, int) and not isinstance(value, bool) else orjson.dumps(value).decode()


def _float(value: float) -> str:
    sign, numerals, place = Decimal(repr(value)).normalize().as_tuple()
    digits = "".join(map(str, numerals))
    minus = "-" if sign else ""

    if digits == "0" or not isinstance(place, int):
        return f"{minus}0.0"

    exponent = len(digits) + place - 1

    if exponent not in _PLAIN_EXPONENTS:
        fraction = f".{digits[1:]}" if len(digits) > 1 else ""
        return f"{minus}{digits[0]}{fraction}e{exponent}"

    if exponent < 0:
        return f"{minus}0.{'0' * (-exponent - 1)}{digits}"

    whole = digits[: exponent + 1].ljust(exponent + 1, "0")
    return f"{minus}{whole}.{digits[exponent + 1 :] or '0'}"
