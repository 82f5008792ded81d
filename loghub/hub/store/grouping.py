"""Groups over the parts: events with the same key, their counts, times and newest event.

Rules:
1. Each part is grouped by itself into a temporary table, by key and step of time; the groups of all are added up there.
2. A key that an event lacks is NULL, and NULLs are a group as any other. Without keys all events are one group.
"""

from loghub.hub.store.asked import Asked
from loghub.hub.store.condition import Where
from loghub.hub.store.field_sql import field_value, text_of
from loghub.hub.store.partitions import Part
from loghub.hub.store.protocol import Span
from loghub.hub.store.source import Row, Source
from loghub.hub.store.steps import Steps, cut
from loghub.hub.store.summaries import Group, Grouping, Groups

_GROUP = (
    "SELECT {keys}, greatest(0, least({last}, (time_us - {start}) // {step})) AS step, count(*) AS number,"
    " min(time_us) AS first_us, max({{'time_us': time_us, 'arrival': arrival}}) AS newest, {collect} AS collected"
    " FROM {table} WHERE ({where}) AND time_us >= ? AND time_us < ? GROUP BY ALL"
)
_LARGEST = (
    "CREATE OR REPLACE TEMP TABLE largest AS SELECT {keys}, sum(number)::BIGINT AS number, min(first_us) AS first_us,"
    " max(newest) AS newest, list_sort(list_distinct(flatten(list(collected)))) AS collected FROM grouped"
    " GROUP BY {keys} ORDER BY number DESC, {order} LIMIT ? OFFSET ?"
)
_PAGE = (
    "SELECT {keys}, number, first_us, newest.time_us, newest.arrival, collected FROM largest"
    " ORDER BY number DESC, {order}"
)
_STEPS = "SELECT {keys}, step, sum(grouped.number)::BIGINT FROM grouped JOIN largest ON {same} GROUP BY {keys}, step"
_ALL = (
    "SELECT count(*), coalesce(sum(number), 0)::BIGINT FROM (SELECT sum(number) AS number FROM grouped GROUP BY {keys})"
)


def read_groups(source: Source, asked: Asked, span: Span, grouping: Grouping) -> Groups:
    """Group the events of a span that match."""
    extents = [part.extent for part in source.parts if part.extent.count]
    steps = cut((extent.min_us for extent in extents), (extent.max_us for extent in extents), span, grouping.spark)
    target = "CREATE OR REPLACE TEMP TABLE grouped AS "
    read = False

    for part in source.walk(span, asked):
        sql, params = _group_sql(part, asked.of(part), span, grouping, steps)
        source.rows(part, target + sql, params)

        if part not in source.unread and not source.late:
            target, read = "INSERT INTO grouped ", True

    return _add_up(source, grouping, steps) if read else Groups([], 0, 0, source.partial())


def _group_sql(part: Part, where: Where, span: Span, grouping: Grouping, steps: Steps) -> tuple[str, list[object]]:
    keys: list[str] = []
    params: list[object] = []

    for index, choice in enumerate(grouping.keys):
        values = [field_value(name, part.shape) for name in choice]
        keys.append(f"coalesce({', '.join(map(text_of, values))}, NULL) AS key_{index}")
        params += [param for value in values for param in value.params]

    if not keys:
        keys.append("NULL::VARCHAR AS key_0")

    collect = "NULL::VARCHAR[]"

    if grouping.collect:
        value = field_value(grouping.collect, part.shape)
        collect = f"list(DISTINCT {text_of(value)}) FILTER (WHERE {text_of(value)} IS NOT NULL)"
        params += [*value.params, *value.params]

    sql = _GROUP.format(
        keys=", ".join(keys),
        start=steps.start,
        step=steps.width,
        last=max(0, steps.count - 1),
        collect=collect,
        table=part.table,
        where=where.sql,
    )
    return sql, [*params, *where.params, span.start_us, span.end_us]


def _add_up(source: Source, grouping: Grouping, steps: Steps) -> Groups:
    names = [f"key_{index}" for index in range(max(1, len(grouping.keys)))]
    keys = ", ".join(names)
    order = ", ".join(f"{name} NULLS FIRST" for name in names)
    ask = source.cursor.execute
    ask(_LARGEST.format(keys=keys, order=order), [grouping.limit, grouping.offset])
    rows = ask(_PAGE.format(keys=keys, order=order)).fetchall()
    sparks: dict[Row, list[int]] = {}

    if steps.count:
        same = " AND ".join(f"grouped.{name} IS NOT DISTINCT FROM largest.{name}" for name in names)
        joined = ", ".join(f"grouped.{name}" for name in names)

        for *key, step, number in ask(_STEPS.format(keys=joined, same=same)).fetchall():
            sparks.setdefault(tuple(key), [0] * steps.count)[step] += number

    ((distinct, total),) = ask(_ALL.format(keys=keys)).fetchall()
    groups = [_group(row, len(names), sparks, grouping) for row in rows]
    return Groups(groups, distinct, total, source.partial())


def _group(row: Row, width: int, sparks: dict[Row, list[int]], grouping: Grouping) -> Group:
    key = tuple(row[:width])
    count, first_us, last_us, newest, collected = row[width:]
    return Group(key[: len(grouping.keys)], count, first_us, last_us, newest, sparks.get(key, ()), collected or ())
