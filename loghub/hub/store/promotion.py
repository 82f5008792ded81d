"""Which keys of the attributes become columns of a sealed part, and of which type.

Rules:
1. A key that at least `_SHARE` of the rows have is promoted, the most frequent `_MOST` of them.
2. What type its column has is decided by all of its values, not by some (see `shape`).
3. A column that turns out to miss values, as one of integers of more than 64 bits does, becomes raw JSON.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from loghub.hub.store.engine import Cursor
from loghub.hub.store.field_sql import pointer
from loghub.hub.store.shape import ColumnKind, Promoted

_SHARE = 0.01
_MOST = 32
_MOST_KEYS = 1_000

_KEYS = (
    "SELECT key, count(*) FROM (SELECT unnest(json_keys(attributes)) AS key FROM ({select}) WHERE attributes <> '{{}}')"
    " GROUP BY key ORDER BY count(*) DESC, key LIMIT ?"
)
_TYPES = (
    "SELECT key, type, count(*) FROM (SELECT unnest(?) AS key, unnest(json_type(attributes, ?::VARCHAR[])) AS type"
    " FROM ({select}) WHERE attributes <> '{{}}') WHERE type <> 'NULL' GROUP BY key, type"
)
_KINDS: Mapping[frozenset[str], ColumnKind] = {
    frozenset(("VARCHAR",)): "text",
    frozenset(("BIGINT",)): "integer",
    frozenset(("UBIGINT",)): "integer",
    frozenset(("BIGINT", "UBIGINT")): "integer",
    frozenset(("DOUBLE",)): "float",
    frozenset(("BOOLEAN",)): "boolean",
}
_WIDER = (
    "SELECT * EXCLUDE (texts, raws), {columns} FROM (SELECT *,"
    " json_extract_string(attributes, ?::VARCHAR[]) AS texts, json_extract(attributes, ?::VARCHAR[]) AS raws"
    " FROM ({select}))"
)
_CASTS: Mapping[ColumnKind, str] = {
    "text": "texts[{place}]",
    "integer": "TRY_CAST(texts[{place}] AS BIGINT)",
    "float": "TRY_CAST(texts[{place}] AS DOUBLE)",
    "boolean": "TRY_CAST(texts[{place}] AS BOOLEAN)",
    "json": "raws[{place}]::VARCHAR",
}


@dataclass(frozen=True, slots=True)
class Key:
    """A key of the attributes.

    Attributes:
        name: the key.
        count: rows that have it.
        values: rows in which it is not null; 0 where that was not looked at.
        promoted: its column; None where it has none.
    """

    name: str
    count: int
    values: int = 0
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
        types: dict[str, dict[str, int]] = {name: {} for name in frequent}
        sql = _TYPES.format(select=select)

        for name, type_, number in cursor.execute(sql, [frequent, _pointers(frequent), *values]).fetchall():
            types[name][type_] = number

        keys = [_promoted(key, types.get(key.name, {}), place) for place, key in enumerate(keys)]

    return keys, len(found) <= _MOST_KEYS


def _pointers(names: Sequence[str]) -> list[str]:
    return [pointer(name) for name in names]


def _promoted(key: Key, types: Mapping[str, int], place: int) -> Key:
    if not types:
        return key

    kind = "json" if "." in key.name else _KINDS.get(frozenset(types), "json")
    return Key(key.name, key.count, sum(types.values()), Promoted(f"attribute_{place}", kind))


def with_columns(select: str, keys: Sequence[Key]) -> tuple[str, list[object]]:
    """Add the columns of promoted keys to a SELECT; gives it with the values of the `?` before its own."""
    chosen = [key for key in keys if key.promoted]

    if not chosen:
        return select, []

    columns = ", ".join(
        f"{_CASTS[key.promoted.kind].format(place=place)} AS {key.promoted.column}"
        for place, key in enumerate(chosen, 1)
        if key.promoted
    )
    pointers = _pointers([key.name for key in chosen])
    return _WIDER.format(columns=columns, select=select), [pointers, pointers]


def corrected(cursor: Cursor, table: str, keys: Sequence[Key]) -> Sequence[Key] | None:
    """Check that the typed columns of a table have all values; gives the keys to take instead, None where they have."""
    typed = [key for key in keys if key.promoted and key.promoted.kind != "json"]

    if not typed:
        return None

    columns = [key.promoted for key in typed if key.promoted]
    counts = ", ".join(_COUNTS.get(column.kind, "count({})").format(column.column) for column in columns)
    found = cursor.execute(f"SELECT {counts} FROM {table}").fetchone() or ()  # noqa: S608 (our own names)
    wrong = {key.name for key, number in zip(typed, found, strict=True) if number != key.values}

    if not wrong:
        return None

    return [
        replace(key, promoted=Promoted(key.promoted.column, "json")) if key.promoted and key.name in wrong else key
        for key in keys
    ]


_COUNTS: Mapping[ColumnKind, str] = {"float": "count({0}) FILTER (isfinite({0}) AND NOT ({0} = 0 AND signbit({0})))"}
