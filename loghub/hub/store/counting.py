"""Counts over the parts: the values of fields, and the names of fields.

Rules:
1. A part is read once for all fields (grouping sets), into a table of counts. What has to be done for each
   value (text out of JSON, elements of a list) is done on that table.
2. Such a table is temporary: it belongs to the cursor, and goes to the disk where memory is short.
"""

import json
from collections.abc import Sequence

from loghub.hub.store.asked import Asked
from loghub.hub.store.columns import KEY_COLUMNS
from loghub.hub.store.condition import Where
from loghub.hub.store.field_sql import Value, field_value
from loghub.hub.store.names import Names, kind_of
from loghub.hub.store.partitions import Part
from loghub.hub.store.protocol import Span
from loghub.hub.store.source import Source
from loghub.hub.store.summaries import Facet, Facets, FieldCounts

_MATCHING = "({where}) AND time_us >= ? AND time_us < ?"
_TABLE = "CREATE OR REPLACE TEMP TABLE counted (field INTEGER, key VARCHAR, number BIGINT)"
_COUNT = (
    "INSERT INTO counted SELECT CASE {cases} END AS field, coalesce({columns}) AS key, count(*) AS number"
    " FROM (SELECT {values} FROM {table} WHERE {matching}) GROUP BY GROUPING SETS ({sets})"
)  # with NULL too: a condition on the key would be moved down, and the JSON read twice
_TEXTS = "SELECT key AS value, number FROM counted WHERE field = {field} AND key IS NOT NULL"
_RAW_TEXTS = (
    "SELECT json_extract_string(raw, '$') AS value, number FROM ("
    "SELECT key AS raw, number FROM counted WHERE field = {field} AND NOT starts_with(key, '[')"
    " UNION ALL SELECT unnest(list_distinct(json_extract(key, '$[*]')::VARCHAR[])), number"
    " FROM counted WHERE field = {field} AND starts_with(key, '['))"
    " WHERE raw <> 'null' AND NOT starts_with(raw, '[') AND NOT starts_with(raw, '{{')"
)
_VALUES = "SELECT value, sum(number)::BIGINT AS number FROM ({texts}) GROUP BY value"
_LARGEST = "SELECT value, number FROM ({values}) ORDER BY number DESC, value LIMIT ?"
_DISTINCT = "SELECT count(*) FROM ({values})"


def read_facets(source: Source, asked: Asked, span: Span, fields: Sequence[str], limit: int) -> Facets:
    """Count the values of fields; an event counts once for each value of a list."""
    source.cursor.execute(_TABLE)

    for part in source.walk(span, asked):
        values = [field_value(name, part.shape) for name in fields]
        sql, params = _count_sql(part, values, asked.of(part), span)
        source.rows(part, sql, params)

    facets = [_facet(source, index, name, limit) for index, name in enumerate(fields)]
    return Facets(facets, source.partial())


def _count_sql(part: Part, values: Sequence[Value], where: Where, span: Span) -> tuple[str, list[object]]:
    columns = [f"value_{index}" for index in range(len(values))]
    codes = [_code(index, is_json=value.is_json) for index, value in enumerate(values)]
    named = list(zip(columns, values, strict=True))

    sql = _COUNT.format(
        cases=" ".join(f"WHEN grouping({column}) = 0 THEN {code}" for column, code in zip(columns, codes, strict=True)),
        columns=", ".join([*(value.spelt.format(column) for column, value in named), "NULL"]),
        values=", ".join(f"{value.sql} AS {column}" for column, value in named),
        table=part.table,
        matching=_MATCHING.format(where=where.sql),
        sets=", ".join(f"({column})" for column in columns),
    )
    params = [param for value in values for param in value.params]
    return sql, [*params, *where.params, span.start_us, span.end_us]


def _code(index: int, *, is_json: bool) -> int:
    """Number a field in the table of counts: its texts, or its raw JSON."""
    return 2 * index + is_json


def _facet(source: Source, index: int, name: str, limit: int) -> Facet:
    texts = _TEXTS.format(field=_code(index, is_json=False))
    raw_texts = _RAW_TEXTS.format(field=_code(index, is_json=True))
    values = _VALUES.format(texts=f"{texts} UNION ALL {raw_texts}")
    found = source.cursor.execute(_LARGEST.format(values=values), [limit]).fetchall()
    distinct = len(found)

    if distinct == limit:
        ((distinct,),) = source.cursor.execute(_DISTINCT.format(values=values)).fetchall()

    return Facet(name, distinct, [(text, number) for text, number in found])


_EACH_COLUMN = {name: f"count({name})" for name in KEY_COLUMNS} | {
    "levelno": "count(*)",
    "timestamp": "count(*)",
    "exception": "count(exception_type)",
    "exception.fingerprint": "count(fingerprint)",
}
_COLUMNS_SQL = f"SELECT {', '.join(_EACH_COLUMN.values())} FROM {{table}} WHERE {_MATCHING}"  # noqa: S608 (our columns)
_SHAPES_SQL = (
    "SELECT json_structure(attributes)::VARCHAR AS shape, count(*) FROM {table}"  # noqa: S608 (our columns)
    f" WHERE attributes <> '{{{{}}}}' AND {_MATCHING} GROUP BY shape"
)


def read_names(source: Source, asked: Asked, span: Span, limit: int) -> FieldCounts:
    """Count the names of fields, those inside of objects too."""
    names = Names()

    for part in source.walk(span, asked):
        where = asked.of(part)
        params = [*where.params, span.start_us, span.end_us]

        for counts in source.rows(part, _COLUMNS_SQL.format(table=part.table, where=where.sql), params):
            for name, count in zip(_EACH_COLUMN, counts, strict=True):
                if count:
                    names.add(name, kind_of(name), count)

        if not source.late:
            for shape, count in source.rows(part, _SHAPES_SQL.format(table=part.table, where=where.sql), params):
                names.add_shape(json.loads(shape), count)

    return FieldCounts(names.largest(limit), source.partial())
