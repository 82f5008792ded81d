"""`GET /api/v1/export`: the full result of a query as a file, streamed.

What is wrong is said before the first byte. A connection that breaks later leaves a file without an end; a client goes
on with `cursor`: the one of a page, or the `_id` of the last event that it has.
"""

import re
from collections.abc import AsyncGenerator, Iterator
from contextlib import suppress
from pathlib import Path
from typing import get_args

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from loghub.errors import require
from loghub.event.model import format_time
from loghub.hub.answers import parse_page_cursor
from loghub.hub.api.answering import ask
from loghub.hub.api.parameters import ParameterError, now_us, read_choice, read_span, read_stages
from loghub.hub.api.parts import Parts
from loghub.hub.export.formats import KINDS, Kind
from loghub.hub.export.walk import Archive, Export
from loghub.hub.store.protocol import Place
from loghub.query.stages import Columns

_PARQUET = "parquet"
_FORMATS = (*KINDS, _PARQUET)
_ARCHIVES: tuple[Archive, ...] = get_args(Archive)
_PACKED = {"gz": "application/gzip", "zip": "application/zip"}
_ID = re.compile(r"([0-9A-Za-z_.:-]{1,64})-([0-9a-f]{16})")


async def export(parts: Parts, request: Request) -> Response:
    """Stream the full result."""
    asked = await _read(parts, request)
    pieces = asked.pieces()
    first = await ask(parts, lambda: next(pieces, b""))
    kind = KINDS.get(asked.format, Kind(_PARQUET, "application/vnd.apache.parquet", KINDS["ndjson"].make))
    suffix = kind.suffix if asked.archive == "none" else f"{kind.suffix}.{asked.archive}"
    name = f"loghub-{re.sub('[^0-9TZ]', '', format_time(asked.now_us)[:19])}Z.{suffix}"

    return StreamingResponse(
        _stream(parts, first, pieces),
        media_type=_PACKED.get(asked.archive, kind.media_type),
        headers={"Content-Disposition": f'attachment; filename="{name}"', "X-Accel-Buffering": "no"},
    )


async def _read(parts: Parts, request: Request) -> Export:
    parameters = request.query_params
    now = now_us()
    query, stage = read_stages(parameters)

    if stage is not None and not isinstance(stage, Columns):
        raise ParameterError("query", "an export takes no stage but fields: search gives the tables of the others")

    wanted = read_choice(parameters, "format", "ndjson", _FORMATS)
    archive = read_choice(parameters, "archive", "none", _ARCHIVES)

    if wanted == _PARQUET:
        if archive != "none":
            raise ParameterError("archive", "parquet is compressed already: leave it none")

        if stage is not None:
            raise ParameterError("query", "parquet has all columns: leave the stage away")

        require("duckdb", "an export as parquet", "hub")

    return Export(
        store=parts.store,
        query=query,
        span=read_span(parameters, now),
        now_us=now,
        newest=parts.store.newest(),
        format=wanted,
        columns=None if stage is None else stage.fields,
        archive=archive,
        start=await _start(parts, parameters.get("cursor")),
        scratch=_scratch(parts),
    )


async def _start(parts: Parts, cursor: str | None) -> Place | None:
    """Read where to go on: a cursor of a search, or the id of an event."""
    if not cursor:
        return None

    place = parse_page_cursor(cursor)
    found = _ID.fullmatch(cursor) if place is None else None
    stored = await ask(parts, lambda: parts.store.find(found[1], int(found[2], 16))) if found else None

    if place is None and stored is None:
        raise ParameterError("cursor", "give the cursor of a search, or the _id of an event that is in the store")

    return Place(stored.event.time_us, stored.source, stored.seq) if stored else place


def _scratch(parts: Parts) -> Path | None:
    folder = parts.settings.data / "scratch"
    return folder if parts.writer is not None and folder.is_dir() else None


async def _stream(parts: Parts, first: bytes, pieces: Iterator[bytes]) -> AsyncGenerator[bytes]:
    piece: bytes | None = first

    try:
        while piece is not None:
            if piece:
                yield piece

            piece = await ask(parts, lambda: next(pieces, None))
    finally:
        with suppress(ValueError):  # it runs yet, and ends by itself: it was called off
            pieces.close()  # type: ignore[attr-defined]
