"""Counts over the parts: the values of fields.

Rules:
1. A part is read once for all fields (grouping sets), into a table of counts. What has to be done for each
   value (text out of JSON, elements of a list) is done on that table.
2. Where all events of a part are asked for, the values of a field that has few are in its outline; those of a hot part
   are kept from read to read.
3. A column of integers that is read alone goes another way (`integers`).
4. Such a table is temporary: it belongs to the cursor, and goes to the disk where memory is short.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from loghub.hub.store.asked import Asked
from loghub.hub.store.condition import TRUE, Where, join
from loghub.hub.store.field_sql import Value, field_value
from loghub.hub.store.integers import Integers
from loghub.hub.store.kept_counts import kept_counts
from loghub.hub.store.partitions import Part
from loghub.hub.store.protocol import Span
from loghub.hub.store.source import Source
from loghub.hub.store.summaries import Facet, Facets

_TABLE = "CREATE OR REPLACE TEMP TABLE counted (field INTEGER, key VARCHAR, number BIGINT)"
_INSERT = "INSERT INTO counted "
_COUNT = (
    "SELECT CASE {cases} END AS field, coalesce({columns}) AS key, count(*) AS number"
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
_KNOWN = "SELECT unnest(?::VARCHAR[]) AS value, unnest(?::BIGINT[]) AS number"
_VALUES = "SELECT value, sum(number)::BIGINT AS number FROM ({texts}) GROUP BY value"
_KEPT = "WITH counted AS MATERIALIZED ({counted}) {values} LIMIT ?"
_MOST_KEPT = 10_000
_LARGEST = "SELECT value, number FROM ({values}) ORDER BY number DESC, value LIMIT ?"
_DISTINCT = "SELECT count(*) FROM ({values})"


def read_facets(source: Source, asked: Asked, span: Span, fields: Sequence[str], limit: int) -> Facets:
    """Count the values of fields; an event counts once for each value of a list."""
    counts = [_Counts(index) for index in range(len(fields))]

    for part in source.walk(span, asked):
        outlined = part.outline.values if asked.is_all_of(part, span) else {}
        wanted = {}

        for index, name in enumerate(fields):
            known = outlined[name] if name in outlined else _kept(source, part, asked, span, name)

            if known is not None:
                counts[index].known.update(known)
            else:
                wanted[index] = field_value(name, part.shape)

        _count(source, part, asked, span, wanted, counts)

    facets = [_facet(source, name, counted, limit) for name, counted in zip(fields, counts, strict=True)]
    return Facets(facets, source.partial())


@dataclass(slots=True)
class _Counts:
    """Where the counts of a field are.

    Attributes:
        index: of the field.
        known: those out of outlines, by text.
        integers: those in a table of integers.
        counted: whether there are some in the table of counts.
    """

    index: int
    known: Counter[str] = field(default_factory=Counter)
    integers: Integers | None = None
    counted: bool = False


def _count(
    source: Source, part: Part, asked: Asked, span: Span, values: Mapping[int, Value], counts: Sequence[_Counts]
) -> None:
    """Count the values of fields of a part; where all events are asked for, each column is read by itself."""
    each = [{index: value} for index, value in values.items()] if asked.is_everything else [values]
    where = _matching(part, asked, span)

    for chosen in each:
        if not chosen or source.late:
            continue

        index = min(chosen)

        if len(chosen) == 1 and chosen[index].is_integer:
            _copy(source, part, chosen[index], where, counts[index])
            continue

        if not any(each.counted for each in counts):
            source.cursor.execute(_TABLE)

        for index in chosen:
            counts[index].counted = True

        sql, params = _count_sql(part, chosen, where)
        source.rows(part, _INSERT + sql, params)


def _kept(source: Source, part: Part, asked: Asked, span: Span, name: str) -> Mapping[str, int] | None:
    """Give the values of a field in a hot part of which all is asked for; None where they are not known, or many."""
    if part.path is not None or source.late or not asked.is_all_of(part, span):
        return None

    def count(where: Where) -> Mapping[str, int]:
        value = field_value(name, part.shape)
        counted, params = _count_sql(part, {0: value}, where)
        texts = (_RAW_TEXTS if value.is_json else _TEXTS).format(field=_code(0, is_json=value.is_json))
        sql = _KEPT.format(counted=counted, values=_VALUES.format(texts=texts))
        return dict(source.rows(part, sql, [*params, _MOST_KEPT + 1]))

    found = kept_counts(source, part, f"values of {name}", count, _sum, _MOST_KEPT)
    return found if asked.is_all_of(part, span) else None  # what came meanwhile may lie outside of the span


def _sum(one: Mapping[str, int], other: Mapping[str, int]) -> Mapping[str, int]:
    return Counter(one) + Counter(other)


def _matching(part: Part, asked: Asked, span: Span) -> Where:
    if asked.is_all_of(part, span):
        return TRUE

    return join("AND", (asked.of(part), Where("time_us >= ? AND time_us < ?", (span.start_us, span.end_us))))


def _copy(source: Source, part: Part, value: Value, where: Where, counts: _Counts) -> None:
    integers = counts.integers

    if integers is None:
        integers = counts.integers = Integers(counts.index)
        integers.begin(source.cursor)

    for (number,) in source.rows(part, integers.copy_sql(value.sql, part.table, where.sql), where.params):
        integers.note(source.cursor, number)


def _count_sql(part: Part, values: Mapping[int, Value], where: Where) -> tuple[str, list[object]]:
    named = [(f"value_{index}", _code(index, is_json=value.is_json), value) for index, value in values.items()]

    sql = _COUNT.format(
        cases=" ".join(f"WHEN grouping({column}) = 0 THEN {code}" for column, code, _ in named),
        columns=", ".join([*(value.spelt.format(column) for column, _, value in named), "NULL"]),
        values=", ".join(f"{value.sql} AS {column}" for column, _, value in named),
        table=part.table,
        matching=where.sql,
        sets=", ".join(f"({column})" for column, _, _ in named),
    )
    params = [param for _, _, value in named for param in value.params]
    return sql, [*params, *where.params]


def _code(index: int, *, is_json: bool) -> int:
    """Number a field in the table of counts: its texts, or its raw JSON."""
    return 2 * index + is_json


def _facet(source: Source, name: str, counts: _Counts, limit: int) -> Facet:
    if counts.integers:
        counts.integers.add_up(source.cursor)

        if not counts.known and not counts.counted:
            return Facet(name, *counts.integers.largest(source.cursor, limit))

    elif not counts.counted:
        ranked = sorted(counts.known.items(), key=lambda entry: (-entry[1], entry[0]))
        return Facet(name, len(ranked), ranked[:limit])

    return _of_texts(source, name, counts, limit)


def _of_texts(source: Source, name: str, counts: _Counts, limit: int) -> Facet:
    texts = [_KNOWN]

    if counts.counted:
        texts.append(_TEXTS.format(field=_code(counts.index, is_json=False)))
        texts.append(_RAW_TEXTS.format(field=_code(counts.index, is_json=True)))

    if counts.integers:
        texts.append(counts.integers.texts_sql())

    known = [list(counts.known), list(counts.known.values())]
    values = _VALUES.format(texts=" UNION ALL ".join(texts))
    found = source.cursor.execute(_LARGEST.format(values=values), [*known, limit]).fetchall()
    distinct = len(found)

    if distinct == limit:
        ((distinct,),) = source.cursor.execute(_DISTINCT.format(values=values), known).fetchall()

    return Facet(name, distinct, [(text, number) for text, number in found])
