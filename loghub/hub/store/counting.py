"""Counts over the parts: the values of fields.

Rules:
1. A part is read once for all fields (grouping sets), into a table of counts. What has to be done for each
   value (text out of JSON, elements of a list) is done on that table.
2. Where all events of a part are asked for, the values of a field that has few are in its outline.
3. Such a table is temporary: it belongs to the cursor, and goes to the disk where memory is short.
"""

from collections import Counter
from collections.abc import Mapping, Sequence

from loghub.hub.store.asked import Asked
from loghub.hub.store.condition import Where
from loghub.hub.store.field_sql import Value, field_value
from loghub.hub.store.partitions import Part
from loghub.hub.store.protocol import Span
from loghub.hub.store.source import Source
from loghub.hub.store.summaries import Facet, Facets

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
_ADD = "INSERT INTO counted SELECT ?, unnest(?::VARCHAR[]), unnest(?::BIGINT[])"
_VALUES = "SELECT value, sum(number)::BIGINT AS number FROM ({texts}) GROUP BY value"
_LARGEST = "SELECT value, number FROM ({values}) ORDER BY number DESC, value LIMIT ?"
_DISTINCT = "SELECT count(*) FROM ({values})"


def read_facets(source: Source, asked: Asked, span: Span, fields: Sequence[str], limit: int) -> Facets:
    """Count the values of fields; an event counts once for each value of a list."""
    known: list[Counter[str]] = [Counter() for _ in fields]
    counted: set[int] = set()

    for part in source.walk(span, asked):
        outlined = part.outline.values if asked.is_all_of(part, span) else {}
        wanted = []

        for index, name in enumerate(fields):
            if name in outlined:
                known[index].update(outlined[name])
            else:
                wanted.append(index)

        if wanted and not counted:
            source.cursor.execute(_TABLE)

        counted.update(wanted)
        _count(source, part, asked, span, {index: field_value(fields[index], part.shape) for index in wanted})

    facets = [
        _facet(source, index, name, known[index], limit) if index in counted else _largest(name, known[index], limit)
        for index, name in enumerate(fields)
    ]
    return Facets(facets, source.partial())


def _count(source: Source, part: Part, asked: Asked, span: Span, values: Mapping[int, Value]) -> None:
    """Count the values of fields of a part; where all events are asked for, each column is read by itself."""
    where = asked.of(part)
    each = [{index: value} for index, value in values.items()] if asked.is_everything else [values]

    for chosen in each:
        if chosen and not source.late:
            sql, params = _count_sql(part, chosen, where, span)
            source.rows(part, sql, params)


def _count_sql(part: Part, values: Mapping[int, Value], where: Where, span: Span) -> tuple[str, list[object]]:
    named = [(f"value_{index}", _code(index, is_json=value.is_json), value) for index, value in values.items()]

    sql = _COUNT.format(
        cases=" ".join(f"WHEN grouping({column}) = 0 THEN {code}" for column, code, _ in named),
        columns=", ".join([*(value.spelt.format(column) for column, _, value in named), "NULL"]),
        values=", ".join(f"{value.sql} AS {column}" for column, _, value in named),
        table=part.table,
        matching=_MATCHING.format(where=where.sql),
        sets=", ".join(f"({column})" for column, _, _ in named),
    )
    params = [param for _, _, value in named for param in value.params]
    return sql, [*params, *where.params, span.start_us, span.end_us]


def _code(index: int, *, is_json: bool) -> int:
    """Number a field in the table of counts: its texts, or its raw JSON."""
    return 2 * index + is_json


def _largest(name: str, known: Mapping[str, int], limit: int) -> Facet:
    ranked = sorted(known.items(), key=lambda entry: (-entry[1], entry[0]))
    return Facet(name, len(ranked), ranked[:limit])


def _facet(source: Source, index: int, name: str, known: Mapping[str, int], limit: int) -> Facet:
    if known:
        code = _code(index, is_json=False)
        source.cursor.execute(_ADD, [code, list(known), list(known.values())])

    texts = _TEXTS.format(field=_code(index, is_json=False))
    raw_texts = _RAW_TEXTS.format(field=_code(index, is_json=True))
    values = _VALUES.format(texts=f"{texts} UNION ALL {raw_texts}")
    found = source.cursor.execute(_LARGEST.format(values=values), [limit]).fetchall()
    distinct = len(found)

    if distinct == limit:
        ((distinct,),) = source.cursor.execute(_DISTINCT.format(values=values)).fetchall()

    return Facet(name, distinct, [(text, number) for text, number in found])
