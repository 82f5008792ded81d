"""The outline of a sealed part in its file.

```
values    field, value, number: the values of the fields that have few; value NULL says that it has no others
filter    one row: the fields, those with floats, the bits, and how the engine hashes
cells     cell, level, severity, first_us, last_us, number: see `cells`; empty where there are many levels
```

The engine may hash otherwise in a later version; then the filter is not used.
"""

from collections.abc import Collection, Mapping, Sequence

from loghub.hub.store.cells import MOST_LEVELS, ROWS, Cells
from loghub.hub.store.columns import KEY_COLUMNS
from loghub.hub.store.engine import Cursor
from loghub.hub.store.outline import BITS_EACH, HASHES, Filter, Outline
from loghub.hub.store.promotion import Key

_FEW = 200
_LONGEST = 200  # characters of a value that is kept
_NOT_OUTLINED = ("message", "exc_info", "stack_info")
_COLUMNS = {name: name for name in KEY_COLUMNS if name not in _NOT_OUTLINED} | {
    "levelno": "severity",
    "exception": "exception_type",
    "exception.fingerprint": "fingerprint",
}

_COUNTED = "CREATE OR REPLACE TEMP TABLE outlined (field VARCHAR, value VARCHAR, number BIGINT)"
_COUNT = "INSERT INTO outlined SELECT ?, {column}::VARCHAR, count(*) FROM {table} GROUP BY {column}"
_ABSENT = "INSERT INTO outlined SELECT unnest(?::VARCHAR[]), NULL, count(*) FROM {table}"
_COUNT_RAW = (
    "INSERT INTO outlined SELECT DISTINCT ?, json_extract_string(raw, '$'), 0 FROM"
    " (SELECT unnest(CASE WHEN starts_with(raw, '[') THEN json_extract(raw, '$[*]')::VARCHAR[] ELSE [raw] END) AS raw"
    " FROM (SELECT DISTINCT {column} AS raw FROM {table} WHERE NOT starts_with({column}, '{{')))"
    " WHERE NOT starts_with(raw, '[') AND NOT starts_with(raw, '{{') AND raw <> 'null'"
)
_FLOATS = (
    "SELECT field FROM outlined WHERE list_contains(?::VARCHAR[], field) GROUP BY field"
    " HAVING bool_or(contains(value, '.') OR contains(value, 'e') OR contains(value, 'E'))"
)
_SIZES = "SELECT field, count(value), coalesce(max(strlen(value)), 0) FROM outlined GROUP BY field"
_VALUES = "CREATE TABLE {name}.values AS SELECT * FROM outlined WHERE list_contains(?::VARCHAR[], field)"
_PLACE = "((hashed & 4294967295) + {turn} * ((hashed >> 32) | 1)) % {{size}}"
_BITS = " | ".join(f"bitstring_agg({_PLACE.format(turn=turn)}, 0, {{last}})" for turn in range(HASHES))
_FILTER = (
    "CREATE TABLE {name}.filter AS SELECT ?::VARCHAR[] AS fields, ?::VARCHAR[] AS floats, hash('') AS witness,"
    " ({bits})::BLOB AS bits FROM (SELECT hash(field || chr(0) || value) AS hashed FROM outlined"
    " WHERE list_contains(?::VARCHAR[], field) AND value IS NOT NULL)"
)
_CELLS = (
    f"CREATE TABLE {{name}}.cells AS SELECT rowid // {ROWS} AS cell, level, severity, min(time_us) AS first_us,"  # noqa: S608 (our own)
    " max(time_us) AS last_us, count(*) AS number FROM {name}.rows"
    f" WHERE (SELECT count(DISTINCT level) FROM {{name}}.rows) <= {MOST_LEVELS} GROUP BY ALL ORDER BY ALL"
)
_READ_CELLS = "SELECT cell, level, severity, first_us, last_us, number FROM {name}.cells ORDER BY cell"
_READ_VALUES = "SELECT field, value, number FROM {name}.values"
_READ_FILTER = "SELECT fields, floats, bits FROM {name}.filter WHERE witness = hash('')"


def write_outline(cursor: Cursor, name: str, present: Collection[str], keys: Sequence[Key]) -> None:
    """Write the outline of the rows of an attached file.

    Args:
        cursor: of the engine.
        name: the file's in the engine.
        present: the columns of `COLUMNS` that its rows have.
        keys: the keys of the attributes.
    """
    table = f"{name}.rows"
    cursor.execute(_COUNTED)
    raw: list[str] = []

    cursor.execute(
        _ABSENT.format(table=table), [[field for field, column in _COLUMNS.items() if column not in present]]
    )

    for field, column in _COLUMNS.items():
        if column in present:
            cursor.execute(_COUNT.format(column=column, table=table), [field])

    for key in keys:
        if key.promoted is None or key.name in _COLUMNS or "." in key.name:
            continue  # nowhere to count; an event's own levelno, which is its severity; one that may be nested, too

        if key.promoted.kind == "json":
            cursor.execute(_COUNT_RAW.format(column=key.promoted.column, table=table), [key.name])
            raw.append(key.name)

        elif key.promoted.kind != "float":
            cursor.execute(_COUNT.format(column=key.promoted.column, table=table), [key.name])

    _write(cursor, name, raw)


def _write(cursor: Cursor, name: str, raw: Sequence[str]) -> None:
    sizes = {field: (number, longest) for field, number, longest in cursor.execute(_SIZES).fetchall()}
    few = [field for field, size in sizes.items() if size[0] <= _FEW and size[1] <= _LONGEST and field not in raw]
    many = [field for field in (*sizes, *raw) if field not in few]
    floats = [field for (field,) in cursor.execute(_FLOATS, [raw]).fetchall()] if raw else []
    size = max(64, (sum(sizes.get(field, (0, 0))[0] for field in set(many)) * BITS_EACH + 7) // 8 * 8)
    cursor.execute(_VALUES.format(name=name), [few])
    bits = _BITS.format(size=size, last=size - 1)
    cursor.execute(_FILTER.format(name=name, bits=bits), [sorted(set(many)), floats, many])
    cursor.execute(_CELLS.format(name=name))
    cursor.execute("DROP TABLE outlined")


def read_outline(cursor: Cursor, name: str) -> Outline:
    """Read the outline of an attached file that has one."""
    values: dict[str, dict[str, int]] = {}

    for field, value, number in cursor.execute(_READ_VALUES.format(name=name)).fetchall():
        found = values.setdefault(field, {})

        if value is not None:
            found[value] = number

    rows = cursor.execute(_READ_FILTER.format(name=name)).fetchall()
    known = Filter(frozenset(rows[0][0]), rows[0][2] or b"", frozenset(rows[0][1])) if rows else Filter()
    cells = Cells.of(cursor.execute(_READ_CELLS.format(name=name)).fetchall())
    return Outline(_with_alias(values), known, cells)


def _with_alias(values: Mapping[str, Mapping[str, int]]) -> Mapping[str, Mapping[str, int]]:
    return {**values, "exception.type": values["exception"]} if "exception" in values else values
