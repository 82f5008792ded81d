"""Tests of one value, as SQL: the same as `loghub.query.values` makes in Python.

Each test is a table: what it is for each kind of field. A field that no event has passes none.
"""

from collections.abc import Callable

from loghub.hub.store.condition import FALSE, Where, join
from loghub.hub.store.field_sql import Field, plain
from loghub.query import tree
from loghub.query.values import BOOLEANS, EXACT, Number, number_literal

_INT64 = range(-(2**63), 2**63)
_SAFE_INTEGER = 10**15  # written without an exponent, as an integer and as a float


def equal(field: Field, text: str) -> Where:
    """Test for `field:value`, without wildcards."""
    number = number_literal(text)

    if field.kind == "text":
        return Where(f"{field.sql} = ?", (text,))

    if field.kind == "integer":
        return FALSE if number is None else equal_integer(field.sql, number)

    if field.kind == "float":
        exact = number is None or (isinstance(number, int) and abs(number) >= EXACT)
        return FALSE if exact else Where(f"{field.sql} = ?::DOUBLE", (number,))

    if field.kind == "boolean":
        return Where(f"{field.sql} = ?", (BOOLEANS[text],)) if text in BOOLEANS else FALSE

    return _in_json(field, lambda raw: _raw_equals(raw, text, number), _value_text(text, number))


def equal_integer(column: str, number: Number) -> Where:
    """Test whether a column of integers is a number."""
    if isinstance(number, float):
        return Where(f"{column}::DOUBLE = ?::DOUBLE", (number,))

    return Where(f"{column} = ?", (number,)) if number in _INT64 else FALSE


def _raw_equals(raw: Where, text: str, number: Number | None) -> Where:
    """Compare raw JSON with a text, and with the number or boolean that it spells."""
    parts = [Where(f"{raw.sql} = to_json(?::VARCHAR)::VARCHAR", (*raw.params, text))]

    if text in BOOLEANS or (isinstance(number, int) and abs(number) >= EXACT):
        parts.append(Where(f"{raw.sql} = ?", (*raw.params, text)))

    elif number is not None:
        parts.append(Where(f"TRY_CAST({raw.sql} AS DOUBLE) = ?::DOUBLE", (*raw.params, number)))

    return join("OR", parts)


def _value_text(text: str, number: Number | None) -> str | None:
    """Give a text that stands in the JSON where a value equals this one; None where there is no such."""
    if number is None:
        return plain(text)

    return str(number) if isinstance(number, int) and abs(number) < _SAFE_INTEGER and number else None


def present(field: Field) -> Where:
    """Test for `field:*`."""
    if field.kind == "absent":
        return FALSE

    if field.kind != "json":
        return Where(f"{field.sql} IS NOT NULL")

    return join("AND", (*field.guards, Where(f"{field.sql} <> 'null'", field.params)))


def on_text(field: Field, test: str, param: str) -> Where:
    """Put a test of texts on a field's texts, integers and booleans."""
    if field.kind in ("text", "integer", "boolean"):
        text = field.sql if field.kind == "text" else f"{field.sql}::VARCHAR"
        return Where(test.format(text), (param,))

    if field.kind == "float":
        return FALSE

    def on_raw(raw: Where) -> Where:
        spelt = f"json_type({raw.sql}) IN ('VARCHAR', 'BIGINT', 'UBIGINT', 'BOOLEAN')"
        text = f"json_extract_string({raw.sql}, '$')"
        return join("AND", (Where(test.format(text), (*raw.params, param)), Where(spelt, raw.params)))

    return _in_json(field, on_raw)


def ordered(field: Field, sign: tree.Operator, bound: float) -> Where:
    """Test for `field<number`."""
    if field.kind in ("text", "boolean"):
        return FALSE

    if field.kind == "integer":
        return order_integer(field.sql, sign, bound)

    if field.kind == "float":
        return Where(f"{field.sql} {sign} ?::DOUBLE", (bound,))

    return _in_json(field, lambda raw: Where(f"TRY_CAST({raw.sql} AS DOUBLE) {sign} ?::DOUBLE", (*raw.params, bound)))


def order_integer(column: str, sign: tree.Operator, bound: float) -> Where:
    """Compare as integers where that is the same, so that zone maps help."""
    if abs(bound) < EXACT and bound == int(bound):
        return Where(f"{column} {sign} ?", (int(bound),))

    return Where(f"{column}::DOUBLE {sign} ?::DOUBLE", (bound,))


def _in_json(field: Field, test: Callable[[Where], Where], value: str | None = None) -> Where:
    """Test a value inside JSON; of a list, whether any element passes.

    Args:
        field: where it is.
        test: makes a condition on raw JSON text.
        value: a text that stands in the JSON where the test can pass.
    """
    if field.kind == "absent":
        return FALSE

    raw = Where(field.sql, field.params)
    element = test(Where("element::VARCHAR"))
    alone = test(raw)
    elements = f"len(list_filter(json_extract({raw.sql}, '$[*]'), lambda element: {element.sql})) > 0"
    either = Where(
        f"CASE WHEN starts_with({raw.sql}, '[') THEN {elements} ELSE {alone.sql} END",
        (*raw.params, *raw.params, *element.params, *alone.params),
    )
    needle = () if value is None or field.within is None else (Where(f"contains({field.within}, ?)", (value,)),)
    return join("AND", (*field.guards, *needle, either))
