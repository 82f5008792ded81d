"""`GET /api/openapi.json`: what the hub can be asked and what it answers, as OpenAPI 3.1.

The tables below say it; a test holds them against the routes, and schemathesis against the answers.
WebSockets have no place in OpenAPI: the tail stands here with its two other transports.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from starlette.requests import Request
from starlette.responses import Response

from loghub.hub.answers import JSONAnswer

JSONSchema: TypeAlias = dict[str, Any]

_TEXT: JSONSchema = {"type": "string"}
_COUNT: JSONSchema = {"type": "integer", "minimum": 0}
_TIME: JSONSchema = {"type": "string", "format": "date-time"}
_ANY: JSONSchema = {}
_MAYBE_TEXT: JSONSchema = {"type": ["string", "null"]}


def _list(of: JSONSchema) -> JSONSchema:
    return {"type": "array", "items": of}


def _object(**keys: JSONSchema) -> JSONSchema:
    return {"type": "object", "required": list(keys), "properties": keys}


def _ref(name: str) -> JSONSchema:
    return {"$ref": f"#/components/schemas/{name}"}


def _whole(least: int, largest: int, default: int) -> JSONSchema:
    return {"type": "integer", "minimum": least, "maximum": largest, "default": default}


def _choice(*words: str) -> JSONSchema:
    return {"type": "string", "enum": list(words), "default": words[0]}


_STATS = _object(matched={"type": ["integer", "null"]}, total=_COUNT, scanned=_COUNT, partitions=_COUNT, skipped=_COUNT)
_PARTIAL: JSONSchema = {
    "oneOf": [{"type": "null"}, _object(scanned_to={"type": ["string", "null"]}, reason=_TEXT)],
    "description": "Why events may be missing, and the time up to which none are; null where none are.",
}


def _summary(**keys: JSONSchema) -> JSONSchema:
    """Describe an answer that has `partial` only where events may be missing."""
    shape = _object(**keys)
    return shape | {"properties": shape["properties"] | {"partial": _PARTIAL}}


_GAP = {"from": _TIME, "to": _TIME, "count": _COUNT}
_SOURCE_NUMBERS = ("sent", "acked", "queued", "retried", "dead", "dropped", "skew_ms")
_SCHEMAS: dict[str, JSONSchema] = {
    "Event": _object(_id=_TEXT, _received=_TIME, _cursor=_TEXT, timestamp=_TIME, level=_TEXT),
    "Page": _object(
        events=_list(_ref("Event")), cursor=_MAYBE_TEXT, partial=_PARTIAL, took_ms={"type": "number"}, stats=_STATS
    ),
    "Table": _object(columns=_list(_TEXT), rows=_list(_list(_ANY)), partial=_PARTIAL, took_ms={"type": "number"}),
    "Histogram": _summary(
        **{"from": _TIME, "to": _TIME},
        step_ms=_COUNT,
        series=_list(_object(key=_TEXT, counts=_list(_COUNT))),
        total=_COUNT,
    ),
    "Facets": _object(
        facets=_list(_object(field=_TEXT, distinct=_COUNT, values=_list(_object(value=_TEXT, count=_COUNT)))),
        partial=_PARTIAL,
    ),
    "Fields": _summary(
        fields=_list(_object(name=_TEXT, type=_choice("string", "number", "bool", "object", "mixed"), count=_COUNT))
    ),
    "Context": _summary(before=_list(_ref("Event")), event=_ref("Event"), after=_list(_ref("Event"))),
    "Patterns": _summary(
        patterns=_list(
            _object(
                template=_TEXT, count=_COUNT, share={"type": "number"}, first=_TIME, last=_TIME, spark=_list(_COUNT)
            )
        ),
        cursor=_MAYBE_TEXT,
    ),
    "Errors": _summary(
        errors=_list(
            _object(
                fingerprint=_MAYBE_TEXT,
                type=_MAYBE_TEXT,
                message=_ANY,
                where=_MAYBE_TEXT,
                count=_COUNT,
                first=_TIME,
                last=_TIME,
                services=_list(_TEXT),
                spark=_list(_COUNT),
            )
        ),
        cursor=_MAYBE_TEXT,
    ),
    "Poll": _object(frames=_list(_object(type=_TEXT)), cursor=_TEXT),
    "Sources": _object(
        sources=_list(
            _object(
                source=_TEXT,
                gaps=_list(_object(**_GAP)),
                last_seen=_TIME,
                **{name: {"type": ["integer", "null"]} for name in _SOURCE_NUMBERS},
            )
        )
    ),
    "Stats": _object(
        engine=_choice("duckdb", "memory"),
        uptime_s={"type": "number"},
        events=_COUNT,
        oldest=_MAYBE_TEXT,
        newest=_MAYBE_TEXT,
        parts=_COUNT,
        hot=_COUNT,
        ingest_rate={"type": "number"},
        received=_object(accepted=_COUNT, duplicate=_COUNT, quarantined=_COUNT),
        disk={"oneOf": [{"type": "null"}, _object(used=_COUNT, sealed=_COUNT, log=_COUNT, free=_COUNT, size=_COUNT)]},
        retention=_object(
            **{name: {"type": ["integer", "null"]} for name in ("age_s", "bytes", "free_bytes", "events")},
            rules=_list(_object(query=_TEXT, age_s=_COUNT)),
        ),
        rss={"type": ["integer", "null"]},
        subscribers=_COUNT,
        drops=_object(senders=_COUNT, lost=_COUNT, tails=_COUNT),
        damaged=_list(_TEXT),
    ),
    "Deleted": _object(deleted=_COUNT),
    "Ingested": _object(
        accepted=_COUNT,
        duplicate=_COUNT,
        quarantined=_list(_object(line=_COUNT, id=_MAYBE_TEXT, error=_TEXT)),
    ),
    "Quarantine": _object(
        lines=_list(_object(id=_TEXT, line=_COUNT, received=_TIME, error=_TEXT, text=_TEXT)),
        total=_COUNT,
        dropped=_COUNT,
        cursor=_MAYBE_TEXT,
    ),
    "Purged": _object(purged=_COUNT),
    "Replayed": _object(accepted=_COUNT, left=_COUNT),
    "Error": _object(error=_object(code=_TEXT, message=_TEXT)),
}

_QUERY = ("query", {"type": "string", "default": "", "maxLength": 4096}, "What events must match.")
_FROM = ("from", _TEXT, "The time at which the range begins: RFC 3339, or relative as -15m.")
_TO = ("to", _TEXT, "The time before which it ends.")
_CURSOR = ("cursor", _TEXT, "Where to go on: the cursor of an answer.")
_RANGE = (_QUERY, _FROM, _TO)

_SAMPLE: JSONSchema = {"type": "integer", "minimum": 1, "maximum": 100_000}

Parameter: TypeAlias = tuple[str, JSONSchema, str]


@dataclass(frozen=True, slots=True)
class Operation:
    """One thing that can be asked.

    Attributes:
        summary: a sentence.
        answers: the schema of the answer by media type; a text for one that is no JSON.
        parameters: of the address, behind its `?`.
        refusals: statuses with which it may be refused, besides those of every request.
        body: the media type of the request's body, where it has one.
        in_path: names in the path.
    """

    summary: str
    answers: Mapping[str, JSONSchema]
    parameters: Sequence[Parameter] = ()
    refusals: Sequence[int] = (400, 503)
    body: str | None = None
    in_path: Sequence[str] = ()
    status: int = 200


def _json(*names: str) -> dict[str, JSONSchema]:
    schema = _ref(names[0]) if len(names) == 1 else {"anyOf": [_ref(name) for name in names]}
    return {"application/json": schema}


_FILES = ("application/x-ndjson", "text/csv", "text/plain", "application/vnd.apache.parquet", *(
    "application/gzip", "application/zip"
))  # fmt: skip
_GROUPS = (
    *_RANGE,
    ("limit", _whole(1, 1000, 100), "How many groups."),
    _CURSOR,
    ("buckets", _whole(1, 200, 20), "How many counts each spark has."),
)

OPERATIONS: dict[str, dict[str, Operation]] = {
    "/api/v1/search": {
        "get": Operation(
            "Give a page of events by time, or the table of a stage.",
            _json("Page", "Table"),
            (
                *_RANGE,
                ("limit", _whole(1, 1000, 200), "How many events."),
                _CURSOR,
                ("order", _choice("newest", "oldest"), "Which come first."),
            ),
        )
    },
    "/api/v1/histogram": {
        "get": Operation(
            "Count events by time and by the values of a field.",
            _json("Histogram"),
            (
                *_RANGE,
                ("buckets", _whole(1, 1000, 60), "How many steps of time."),
                ("by", {"type": "string", "default": "level"}, "The field."),
            ),
        )
    },
    "/api/v1/facets": {
        "get": Operation(
            "Give the top values of fields.",
            _json("Facets"),
            (
                *_RANGE,
                ("fields", {"type": "string", "default": "level,service,hostname,logger"}, "Names with commas."),
                ("limit", _whole(1, 1000, 10), "How many values of each."),
            ),
        )
    },
    "/api/v1/fields": {
        "get": Operation(
            "Give the names that a query may use.",
            _json("Fields"),
            (*_RANGE, ("limit", _whole(1, 10_000, 1000), "How many names.")),
        )
    },
    "/api/v1/events": {
        "delete": Operation(
            "Delete the events that match, for good.",
            _json("Deleted"),
            (*_RANGE, ("dry_run", _choice("false", "true"), "Whether they are only counted, as matched.")),
            (400, 503, 507),
        )
    },
    "/api/v1/events/{id}/context": {
        "get": Operation(
            "Give the events before and after one, in the same lane.",
            _json("Context"),
            (
                ("lane", _choice("process", "thread", "task", "request", "logger", "all"), "What they share with it."),
                ("before", _whole(0, 500, 50), "How many."),
                ("after", _whole(0, 500, 50), "How many."),
                _QUERY,
            ),
            (400, 404, 503),
            in_path=("id",),
        )
    },
    "/api/v1/patterns": {"get": Operation("Group events by template.", _json("Patterns"), _GROUPS)},
    "/api/v1/errors": {"get": Operation("Group exceptions by fingerprint.", _json("Errors"), _GROUPS)},
    "/api/v1/export": {
        "get": Operation(
            "Give everything that matches as a file, oldest first.",
            dict.fromkeys(_FILES, _ANY),
            (
                *_RANGE,
                ("cursor", _TEXT, "The cursor of a page, or the _id behind which it goes on."),
                ("format", _choice("ndjson", "csv", "text", "parquet"), "What is written."),
                ("archive", _choice("none", "gz", "zip"), "How it is packed."),
            ),
        )
    },
    "/api/v1/tail": {
        "get": Operation(
            "Wait for events as they arrive: a long poll, or server-sent events where these are accepted.",
            _json("Poll") | {"text/event-stream": _ANY},
            (
                _QUERY,
                _CURSOR,
                ("wait", _whole(0, 60, 20), "Seconds for which a poll waits."),
                ("sample", _SAMPLE, "How many events it is to show in a second, chosen evenly; all by default."),
            ),
        )
    },
    "/api/v1/sources": {
        "get": Operation(
            "Give who sends, and what became of it.",
            _json("Sources"),
            (("limit", _whole(1, 5000, 1000), "How many."),),
        )
    },
    "/api/v1/stats": {"get": Operation("Tell how the hub is.", _json("Stats"), (), (503,))},
    "/api/v1/session": {
        "post": Operation("Sign in with a token.", {}, (), (400, 401), "application/json", status=204),
        "delete": Operation("Sign out.", {}, (), (), status=204),
    },
    "/api/v1/ingest": {
        "post": Operation(
            "Store events; answered when they are on disk.",
            _json("Ingested"),
            (),
            (400, 413, 415, 422, 429, 503, 507),
            "application/x-ndjson",
        )
    },
    "/api/v1/quarantine": {
        "get": Operation(
            "Give the lines that are no events, and why, the oldest first.",
            _json("Quarantine"),
            (("limit", _whole(1, 1000, 100), "How many."), ("cursor", _TEXT, "The cursor of a page: the next one.")),
        ),
        "delete": Operation("Remove all lines from the quarantine.", _json("Purged"), (), (503, 507)),
    },
    "/api/v1/quarantine/replay": {
        "post": Operation("Store the lines that are events by now.", _json("Replayed"), (), (503, 507)),
    },
}
"""Everything under /api/, but for this document."""

_EVERYWHERE = (401, 403)  # see `loghub.hub.guard`


async def document(_request: Request) -> Response:
    """Give the document."""
    return JSONAnswer(describe())


def describe() -> dict[str, Any]:
    """Make the document."""
    return {
        "openapi": "3.1.0",
        "info": {"title": "loghub", "version": "1", "description": "The hub's API. Beyond loopback it wants a token."},
        "servers": [{"url": "/"}],
        "paths": {path: {method: _operation(each) for method, each in of.items()} for path, of in OPERATIONS.items()},
        "components": {
            "schemas": _SCHEMAS,
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
        },
        "security": [{}, {"token": []}],
    }


def _operation(operation: Operation) -> dict[str, Any]:
    content = {media_type: {"schema": schema} for media_type, schema in operation.answers.items()}
    answer = {"description": "The answer."} | ({"content": content} if content else {})
    refused = {"description": "Refused.", "content": {"application/json": {"schema": _ref("Error")}}}
    path = [{"name": name, "in": "path", "required": True, "schema": _TEXT} for name in operation.in_path]
    query = [_parameter(*parameter) for parameter in operation.parameters]

    found: dict[str, Any] = {
        "summary": operation.summary,
        "parameters": [*path, *query],
        "responses": {
            str(operation.status): answer,
            **{str(status): refused for status in (*operation.refusals, *_EVERYWHERE)},
        },
    }

    if operation.body:
        found["requestBody"] = {"required": True, "content": {operation.body: {"schema": _ANY}}}

    return found


def _parameter(name: str, schema: JSONSchema, description: str) -> dict[str, Any]:
    return {"name": name, "in": "query", "schema": schema, "description": description}
