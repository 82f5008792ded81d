"""Where the value of a field stands in a row, as SQL.

Rules:
1. A standard key is its column; so is a promoted key of the part. Any other is taken out of the JSON as raw text,
   `"a"` or `42`, which tells types apart and is cheap to group by.
2. Names reach SQL as parameters only.
3. Most rows lack most keys: `contains` finds that out before the JSON is parsed.
4. Places that no event of the part has (`Shape`) are left out; with none left the field is absent.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Literal, TypeAlias

from loghub.hub.store.columns import JSON_COLUMNS, KEY_COLUMNS
from loghub.hub.store.condition import Where
from loghub.hub.store.shape import UNKNOWN, ColumnKind, Shape
from loghub.query.fields import INSIDE_EXCEPTION, Path, paths

INTEGER_COLUMNS = {key: key for key, kind in KEY_COLUMNS.items() if kind == "BIGINT"} | {"levelno": "severity"}
TEXT_COLUMNS = {key: key for key, kind in KEY_COLUMNS.items() if kind == "VARCHAR"} | {
    "exception": "exception_type",
    "exception.type": "exception_type",
    "exception.fingerprint": "fingerprint",
}

FieldKind: TypeAlias = ColumnKind | Literal["absent"]

_TIME = "strftime(make_timestamp(time_us), '%Y-%m-%dT%H:%M:%S.%fZ')"


@dataclass(frozen=True, slots=True)
class Field:
    """A field in SQL.

    Attributes:
        kind: what the SQL gives; "json" is raw JSON text.
        sql: its value; NULL where an event lacks it, for raw JSON also the text `null`.
        params: the values of its `?`.
        guards: conditions that are cheap and hold wherever it exists.
        within: a column whose text has the raw JSON in it.
    """

    kind: FieldKind
    sql: str = "NULL"
    params: tuple[object, ...] = ()
    guards: tuple[Where, ...] = ()
    within: str | None = None


@dataclass(frozen=True, slots=True)
class Value:
    """A field to group by, or to count.

    Attributes:
        sql: what to group by; NULL where an event lacks the field.
        params: the values of its `?`.
        spelt: makes a text of it, where it is none, or raw JSON text.
        is_json: whether that is raw JSON text.
        is_integer: whether it is an integer in a column.
    """

    sql: str
    params: tuple[object, ...] = ()
    spelt: str = "{}"
    is_json: bool = False
    is_integer: bool = False


def locate(name: str, shape: Shape = UNKNOWN) -> Field:
    """Give the place of a field, other than `timestamp`, in the rows of a part."""
    if name in TEXT_COLUMNS:
        return Field("text", TEXT_COLUMNS[name])

    if name in INTEGER_COLUMNS:
        return Field("integer", INTEGER_COLUMNS[name])

    if name.startswith(INSIDE_EXCEPTION):
        places = paths(name.removeprefix(INSIDE_EXCEPTION))
        return _raw([("exception", place) for place in places], places[-1])

    places = paths(name)

    promoted = shape.keys.get(name)

    if promoted and promoted.kind != "json":
        return Field(promoted.kind, promoted.column)

    return _raw(list(_steps(places, shape)), places[-1])


def _steps(places: tuple[Path, ...], shape: Shape) -> Iterator[tuple[str, Path]]:
    """Give the columns and the steps from there that lead to a value, without those that lead nowhere."""
    for place in places:
        promoted = shape.keys.get(place[0])

        if promoted and promoted.kind == "json":
            yield promoted.column, place[1:]

        elif not promoted and (place[0] in shape.keys or not shape.complete):
            yield "attributes", place


def _raw(steps: list[tuple[str, Path]], longest: Path) -> Field:
    if not steps:
        return Field("absent")

    terms = [f"json_extract({column}, ?)" if place else column for column, place in steps]
    params = tuple(_path(column, place) for column, place in steps if place)
    sql = f"coalesce({', '.join(f'{term}::VARCHAR' for term in terms)})" if len(terms) > 1 else f"{terms[0]}::VARCHAR"
    columns = {column for column, _ in steps}
    within = columns.pop() if len(columns) == 1 else None
    key = plain(longest[-1].rpartition(".")[2])

    if within is None or key is None or not all(place for _, place in steps):
        return Field("json", sql, params, within=within)

    return Field("json", sql, params, (Where(f"contains({within}, ?)", (f'{key}":',)),), within)


def _path(column: str, place: Path) -> str:
    """Write a JSON pointer for a key of an object (it may be empty), else a path (it takes no list for an object)."""
    if len(place) == 1 and column in JSON_COLUMNS:
        return pointer(place[0])

    quoted = (step.replace("\\", "\\\\").replace('"', '\\"') for step in place)
    return "$" + "".join(f'."{step}"' for step in quoted)


def pointer(key: str) -> str:
    """Write a JSON pointer for a key."""
    return "/" + key.replace("~", "~0").replace("/", "~1")


def plain(text: str) -> str | None:
    """Give a text back where each way of writing JSON writes it as it is."""
    return text if text.isascii() and text.isprintable() and '"' not in text and "\\" not in text else None


def field_value(name: str, shape: Shape = UNKNOWN) -> Value:
    """Give what to group by for a field."""
    if name == "timestamp":
        return Value(_TIME)

    field = locate(name, shape)
    return _VALUES.get(field.kind, _json_value)(field)


def _json_value(field: Field) -> Value:
    guard = " AND ".join(guard.sql for guard in field.guards) or "TRUE"
    params = tuple(value for guard in field.guards for value in guard.params)
    return Value(f"CASE WHEN {guard} THEN nullif({field.sql}, 'null') END", (*params, *field.params), is_json=True)


_VALUES: Mapping[FieldKind, Callable[[Field], Value]] = {
    "absent": lambda _: Value("NULL::VARCHAR"),
    "text": lambda field: Value(field.sql),
    "integer": lambda field: Value(field.sql, spelt="{}::VARCHAR", is_integer=True),
    "float": lambda field: Value(field.sql, spelt="to_json({})::VARCHAR", is_json=True),
    "boolean": lambda field: Value(field.sql, spelt="{}::VARCHAR"),
}


def text_of(value: Value) -> str:
    """Give the SQL of a field's text, for each row."""
    text = value.spelt.format(value.sql)
    return f"json_extract_string({text}, '$')" if value.is_json else text
