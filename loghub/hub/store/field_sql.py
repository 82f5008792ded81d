"""The value of a field as SQL, to group and count by: what `loghub.query.texts` gives, from the columns of a row.

Rules:
1. A standard key is its column. Any other is taken out of the JSON as raw text, `"a"` or `42`, which is cheap to
   group by; it becomes a text after that, once for each value and not for each row.
2. Names reach SQL as parameters only.
3. Most rows lack most keys: `contains` finds that out before the JSON is parsed.
"""

from dataclasses import dataclass

from loghub.hub.store.sql import INTEGER_COLUMNS, TEXT_COLUMNS, raw_json

_TIME = "strftime(make_timestamp(time_us), '%Y-%m-%dT%H:%M:%S.%fZ')"


@dataclass(frozen=True, slots=True)
class Field:
    """A field in SQL.

    Attributes:
        sql: what to group by; NULL where an event lacks the field.
        params: the values of its `?`.
        is_json: whether that is raw JSON text.
    """

    sql: str
    params: tuple[object, ...] = ()
    is_json: bool = False


def field_value(name: str) -> Field:
    """Give what to group by for a field."""
    if name == "timestamp":
        return Field(_TIME)

    if name in TEXT_COLUMNS:
        return Field(TEXT_COLUMNS[name])

    if name in INTEGER_COLUMNS:
        return Field(f"{INTEGER_COLUMNS[name]}::VARCHAR")

    raw, guards = raw_json(name)
    guard = " AND ".join(guard.sql for guard in guards) or "TRUE"
    params = tuple(value for guard in guards for value in guard.params)
    return Field(f"CASE WHEN {guard} THEN nullif({raw.sql}, 'null') END", (*params, *raw.params), is_json=True)


def text_of(value: Field) -> str:
    """Give the SQL of a field's text, for each row."""
    return f"json_extract_string({value.sql}, '$')" if value.is_json else value.sql
