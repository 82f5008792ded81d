"""Counts of the names of fields over the parts.

Rules:
1. What a column of its own says is counted there; only what is mixed, nested or rare is looked at as JSON.
2. The names of all events of a sealed part never change: they are kept in memory once they are known. Those of a hot
   part are kept too, and only rows that came since are looked at.
3. Where a key has a dot in it, it may hide a nested one: then all attributes are looked at.
"""

import json
from collections.abc import Mapping, Sequence

from loghub.hub.store.asked import Asked
from loghub.hub.store.columns import KEY_COLUMNS
from loghub.hub.store.condition import Where, join
from loghub.hub.store.field_sql import plain
from loghub.hub.store.kept_counts import kept_counts
from loghub.hub.store.names import Names, kind_of
from loghub.hub.store.partitions import Part
from loghub.hub.store.protocol import Span
from loghub.hub.store.shape import ColumnKind
from loghub.hub.store.source import Source
from loghub.hub.store.summaries import FieldCounts, Kind

_EACH_COLUMN = {name: f"count({name})" for name in KEY_COLUMNS} | {
    "levelno": "count(*)",
    "timestamp": "count(*)",
    "exception": "count(exception_type)",
    "exception.fingerprint": "count(fingerprint)",
}
_TYPES: Mapping[ColumnKind, str] = {"text": "VARCHAR", "integer": "BIGINT", "float": "DOUBLE", "boolean": "BOOLEAN"}
_COLUMNS = "SELECT {counts} FROM {table} WHERE {where}"
_SHAPES = "SELECT json_structure({json})::VARCHAR AS shape, count(*) FROM {table} WHERE {where} GROUP BY shape"
_ANY = Where("attributes <> '{}'")


def read_names(source: Source, asked: Asked, span: Span, limit: int) -> FieldCounts:
    """Count the names of fields, those inside of objects too."""
    names = Names()

    for part in source.walk(span, asked):
        whole = part.path is not None and asked.is_all_of(part, span)
        found = part.names if whole else _kept(source, asked, part, span)

        if found is None:
            found = _names_of(source, part, _matching(asked, part, span))

            if whole and not source.late and part not in source.unread:
                part.names = found

        for name, (kind, count) in found.items():
            names.add(name, kind, count)

    return FieldCounts(names.largest(limit), source.partial())


def _kept(source: Source, asked: Asked, part: Part, span: Span) -> Mapping[str, tuple[Kind, int]] | None:
    """Give the names in a hot part of which all is asked for; None where they are not known."""
    if part.path is not None or source.late or not asked.is_all_of(part, span):
        return None

    found = kept_counts(source, part, "names", lambda where: _names_of(source, part, where), _sum, _ALL)
    return found if asked.is_all_of(part, span) else None  # what came meanwhile may lie outside of the span


def _sum(one: Mapping[str, tuple[Kind, int]], other: Mapping[str, tuple[Kind, int]]) -> Mapping[str, tuple[Kind, int]]:
    names = Names()

    for counts in (one, other):
        for name, (kind, count) in counts.items():
            names.add(name, kind, count)

    return names.largest(_ALL)


def _matching(asked: Asked, part: Part, span: Span) -> Where:
    return join("AND", (asked.of(part), Where("time_us >= ? AND time_us < ?", (span.start_us, span.end_us))))


def _names_of(source: Source, part: Part, where: Where) -> Mapping[str, tuple[Kind, int]]:
    names = Names()
    keys = part.shape.keys
    simple = part.path is not None and part.shape.complete and not any("." in key for key in keys)
    typed = {key: column for key, column in keys.items() if simple and column and column.kind != "json"}
    counts = ", ".join([*_EACH_COLUMN.values(), *(f"count({column.column})" for column in typed.values())])

    for row in source.rows(part, _COLUMNS.format(counts=counts, table=part.table, where=where.sql), where.params):
        for name, count in zip(_EACH_COLUMN, row, strict=False):
            if count:
                names.add(name, kind_of(name), count)

        for (key, column), count in zip(typed.items(), row[len(_EACH_COLUMN) :], strict=True):
            if count:
                names.add_shape({key: _TYPES[column.kind]}, count)

    if simple:
        _add_json(source, part, where, names)
    else:
        _add_shapes(source, part, "attributes", join("AND", (_ANY, where)), names)

    return names.largest(_ALL)


def _add_json(source: Source, part: Part, where: Where, names: Names) -> None:
    """Count the names in the columns of raw JSON, and the keys that have none."""
    for key, column in part.shape.keys.items():
        if column and column.kind == "json":
            there = Where(f"{column.column} IS NOT NULL")
            _add_shapes(source, part, column.column, join("AND", (there, where)), names, key)

    rare = [key for key, column in part.shape.keys.items() if column is None]

    if rare:
        has = Where("list_has_any(json_keys(attributes), ?::VARCHAR[])", (rare,))
        guards = [Where("contains(attributes, ?)", (f'"{key}":',)) for key in rare[:_GUARDS] if plain(key) is not None]
        guard = [join("OR", guards)] if len(guards) == len(rare) else []
        _add_shapes(source, part, "attributes", join("AND", (*guard, has, where)), names, only=rare)


def _add_shapes(
    source: Source,
    part: Part,
    column: str,
    where: Where,
    names: Names,
    key: str | None = None,
    only: Sequence[str] = (),
) -> None:
    if source.late:
        return

    sql = _SHAPES.format(json=column, table=part.table, where=where.sql)

    for text, count in source.rows(part, sql, where.params):
        shape = json.loads(text)

        if key is not None:
            shape = {key: shape}

        names.add_shape({name: inside for name, inside in shape.items() if not only or name in only}, count)


_ALL = 1_000_000
_GUARDS = 5
