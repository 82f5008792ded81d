"""Which keys of the attributes become columns of a sealed part, and of which type.

Rules:
1. A key that at least `_SHARE` of the rows have is promoted, the most frequent `_MOST` of them.
2. A column's type is guessed from some of the rows. A value of another type leaves it NULL, so that counting tells
   whether the guess was right; where it was not, the column becomes raw JSON (see `shape`).
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from loghub.hub.store.engine import Cursor, quoted
from loghub.hub.store.field_sql import pointer
from loghub.hub.store.shape import ColumnKind, Promoted

_SHARE = 0.01
_MOST = 32
_MOST_KEYS = 1_000
_SAMPLED = 20_000  # rows

_KEYS = (
    "SELECT key, count(*) FROM (SELECT unnest(json_keys(attributes)) AS key FROM ({select}) WHERE attributes <> '{{}}')"
    " GROUP BY key ORDER BY count(*) DESC, key LIMIT ?"
)
_TYPES = (
    "SELECT key, type FROM (SELECT unnest(?) AS key, unnest(json_type(attributes, ?::VARCHAR[])) AS type"
    " FROM ({select}) WHERE arrival % ? = 0) WHERE type IS NOT NULL GROUP BY key, type"
)
_KINDS: Mapping[frozenset[str], ColumnKind] = {
    frozenset(("VARCHAR",)): "text",
    frozenset(("BIGINT",)): "integer",
    frozenset(("UBIGINT",)): "integer",
    frozenset(("BIGINT", "UBIGINT")): "integer",
    frozenset(("DOUBLE",)): "float",
    frozenset(("BOOLEAN",)): "boolean",
}
_CASTS: Mapping[ColumnKind, str] = {
    "text": (
        "CASE WHEN starts_with({0}, '\"') THEN CASE WHEN contains({0}, '\\') THEN json_extract_string({0}, '$')"
        " ELSE array_slice({0}, 2, -2) END END"
    ),
    "integer": "CASE WHEN NOT contains({0}, '.') AND NOT contains({0}, 'e') THEN TRY_CAST({0} AS BIGINT) END",
    "float": "CASE WHEN contains({0}, '.') OR contains({0}, 'e') THEN TRY_CAST({0} AS DOUBLE) END",
    "boolean": "CASE {0} WHEN 'true' THEN TRUE WHEN 'false' THEN FALSE END",
    "json": "{0}",
}
_SQL_TYPES: Mapping[ColumnKind, str] = {"integer": "BIGINT", "float": "DOUBLE", "boolean": "BOOLEAN"}
_COUNTS: Mapping[ColumnKind, str] = {"float": "count({0}) FILTER (isfinite({0}) AND NOT ({0} = 0 AND signbit({0})))"}
_WIDE = "SELECT {base}, {columns} FROM (SELECT *, {raws} AS raws FROM ({select}))"
_RAWS = "json_extract(attributes, ?::VARCHAR[])::VARCHAR[]"


@dataclass(frozen=True, slots=True)
class Key:
    """A key of the attributes, in how many rows it is, and its column, where it has one."""

    name: str
    count: int
    promoted: Promoted | None = None


def find_keys(cursor: Cursor, select: str, values: Sequence[object], rows: int) -> tuple[Sequence[Key], bool]:
    """Find the keys of some rows and choose those that are promoted; tell whether these are all keys.

    Args:
        cursor: of the engine.
        select: gives the rows.
        values: the values of its `?`.
        rows: how many there are.
    """
    found = cursor.execute(_KEYS.format(select=select), [*values, _MOST_KEYS + 1]).fetchall()
    keys = [Key(name, number) for name, number in found[:_MOST_KEYS]]
    frequent = [key.name for key in keys[:_MOST] if key.count >= rows * _SHARE and key.name.isprintable()]

    if frequent:
        types: dict[str, set[str]] = {name: set() for name in frequent}
        asked = [frequent, _pointers(frequent), *values, max(1, rows // _SAMPLED)]

        for name, kind in cursor.execute(_TYPES.format(select=select), asked).fetchall():
            types[name].add(kind)

        keys = [
            replace(key, promoted=Promoted(f"attribute_{place}", _kind(key.name, types[key.name])))
            if key.name in types
            else key
            for place, key in enumerate(keys)
        ]

    return keys, len(found) <= _MOST_KEYS


def _pointers(names: Iterable[str]) -> list[str]:
    return [pointer(name) for name in names]


def _kind(name: str, types: Iterable[str]) -> ColumnKind:
    return "json" if "." in name else _KINDS.get(frozenset(types), "json")


def column_types(keys: Iterable[Key]) -> dict[str, str]:
    """Give the columns of promoted keys with the engine's type of each."""
    return {key.promoted.column: _SQL_TYPES.get(key.promoted.kind, "VARCHAR") for key in keys if key.promoted}


def with_columns(select: str, columns: Iterable[str], keys: Iterable[Key]) -> tuple[str, list[object]]:
    """Add the columns of promoted keys to a SELECT of columns; gives it with the values of the `?` before its own."""
    chosen = [(key.name, key.promoted) for key in keys if key.promoted]

    if not chosen:
        return select, []

    added = ", ".join(
        f"{_CASTS[column.kind].format(f'raws[{place}]')} AS {column.column}"
        for place, (_, column) in enumerate(chosen, 1)
    )
    return _WIDE.format(base=quoted(columns), columns=added, raws=_RAWS, select=select), [
        _pointers(name for name, _ in chosen)
    ]


def correct(cursor: Cursor, table: str, keys: Sequence[Key]) -> Sequence[Key]:
    """Make raw JSON of the typed columns of a table that lack values; gives the keys as they are now."""
    typed = {key.name: key.promoted for key in keys if key.promoted and key.promoted.kind != "json"}

    if not typed:
        return keys

    counts = ", ".join(_COUNTS.get(column.kind, "count({0})").format(column.column) for column in typed.values())
    found = cursor.execute(f"SELECT {counts} FROM {table}").fetchone() or ()  # noqa: S608 (our own names)
    counted = dict(zip(typed, found, strict=True))
    return [key if counted.get(key.name, key.count) == key.count else _raw(cursor, table, key) for key in keys]


def _raw(cursor: Cursor, table: str, key: Key) -> Key:
    if key.promoted is None:
        return key

    column, place = key.promoted.column, pointer(key.name).replace("'", "''")
    raw = f"json_extract(attributes, '{place}')::VARCHAR"  # this statement takes no parameters
    cursor.execute(f"ALTER TABLE {table} ALTER {column} TYPE VARCHAR USING {raw}")
    return replace(key, promoted=Promoted(column, "json"))
