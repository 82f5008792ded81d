"""The composition root: which endpoint stands where, and what each of them is given."""

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from functools import partial
from typing import Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Mount, Route, WebSocketRoute

from loghub.errors import DeletionError, MissingExtraError, QuerySyntaxError, StoreError
from loghub.hub.answers import refusal
from loghub.hub.api import (
    context,
    deletion,
    export,
    health,
    openapi,
    quarantine,
    search,
    session,
    sources,
    stats,
    summaries,
    tail,
    tail_http,
    viewer,
)
from loghub.hub.api.ingest import take_in
from loghub.hub.api.parameters import ParameterError
from loghub.hub.api.parts import Parts
from loghub.hub.counters import Timing
from loghub.hub.feeds import Feeds
from loghub.hub.guard import Guard
from loghub.hub.refused import IngestError
from loghub.hub.room import Room
from loghub.hub.sessions import Sessions
from loghub.hub.settings import Settings
from loghub.hub.store.protocol import Store
from loghub.hub.tables import TooManyStepsError
from loghub.hub.threads import EndedError
from loghub.hub.writer import Writer


def create_app(store: Store, settings: Settings, *, ingest: bool) -> Starlette:
    """Make the ASGI app of a hub.

    It mounts under any prefix, and runs on several event loops at once.

    Args:
        store: where the events are; whoever made it closes it.
        settings: what the hub was told.
        ingest: whether it takes events in; the app of a `BroadcastHandler` does not.
    """
    parts = Parts(
        store,
        settings,
        Sessions(settings.token, settings.limits.session),
        Room(settings.limits.waiting),
        Writer(store) if ingest else None,
        Feeds(store),
    )

    app = Starlette(
        routes=_routes(parts),
        middleware=[
            Middleware(Timing, parts.counters),
            Middleware(Guard, settings.names, parts.sessions),
        ],
        exception_handlers=_REFUSALS,
        lifespan=_lifespan(parts),
    )
    app.router.redirect_slashes = False
    app.state.parts = parts
    return app


def _routes(parts: Parts) -> list[BaseRoute]:
    return [
        *_incoming(parts),  # first, as no other is called as often
        Route("/", partial(viewer.page, parts)),
        Route("/favicon.svg", viewer.icon),
        Route("/healthz", health.healthz),
        Route("/readyz", partial(health.readyz, parts)),
        Route("/metrics", partial(health.metrics, parts)),
        Route("/api/openapi.json", openapi.document),
        Route("/api/v1/search", partial(search.search, parts)),
        Route("/api/v1/histogram", partial(search.histogram, parts)),
        Route("/api/v1/sources", partial(sources.sources, parts)),
        Route("/api/v1/stats", partial(stats.stats, parts)),
        Route("/api/v1/facets", partial(summaries.facets, parts)),
        Route("/api/v1/fields", partial(summaries.fields, parts)),
        Route("/api/v1/patterns", partial(summaries.patterns, parts)),
        Route("/api/v1/errors", partial(summaries.errors, parts)),
        Route("/api/v1/export", partial(export.export, parts)),
        Route("/api/v1/events", partial(deletion.delete, parts), methods=["DELETE"]),
        Route("/api/v1/events/{id}/context", partial(context.context, parts)),
        Route("/api/v1/session", partial(session.sign_in, parts), methods=["POST"]),
        Route("/api/v1/session", partial(session.sign_out, parts), methods=["DELETE"]),
        WebSocketRoute("/api/v1/tail", partial(tail.tail, parts)),
        Route("/api/v1/tail", partial(tail_http.tail_over_http, parts)),
        Mount("/assets", viewer.Assets()),
    ]


def _incoming(parts: Parts) -> list[BaseRoute]:
    if parts.writer is None:
        return []

    return [
        Route("/api/v1/ingest", partial(take_in, parts, parts.writer), methods=["POST"]),
        Route("/api/v1/quarantine", partial(quarantine.show, parts), methods=["GET"]),
        Route("/api/v1/quarantine", partial(quarantine.purge, parts), methods=["DELETE"]),
        Route("/api/v1/quarantine/replay", partial(quarantine.replay, parts, parts.writer), methods=["POST"]),
    ]


def _lifespan(parts: Parts) -> Callable[[Starlette], Any]:
    @asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[None]:
        yield
        parts.close()

    return lifespan


async def _on_http(_request: Request, error: Exception) -> Response:
    if not isinstance(error, HTTPException):
        raise error

    return refusal(error.status_code, _CODES.get(error.status_code, "refused"), error.detail, headers=error.headers)


async def _on_query(_request: Request, error: Exception) -> Response:
    return refusal(400, "bad_query", str(error), position=getattr(error, "position", None))


async def _on_parameter(_request: Request, error: Exception) -> Response:
    return refusal(400, "bad_parameter", str(error))


async def _on_ingest(_request: Request, error: Exception) -> Response:
    if not isinstance(error, IngestError):
        raise error

    return refusal(error.status, error.code, str(error), headers=error.headers)


async def _on_store(_request: Request, error: Exception) -> Response:
    if isinstance(error, DeletionError):
        return refusal(507, "disk", str(error))

    if isinstance(error, TimeoutError):
        return refusal(503, "too_slow", str(error))

    if isinstance(error, MemoryError):
        return refusal(503, "too_large", str(error))

    return refusal(503, "store", str(error), headers={"Retry-After": "1"})


async def _on_end(_request: Request, error: Exception) -> Response:
    return refusal(503, "ending", str(error), headers={"Retry-After": "1"})


async def _on_bug(_request: Request, _error: Exception) -> Response:
    return refusal(500, "internal", "the hub failed: its own log says why")


_CODES = {404: "not_found", 405: "method_not_allowed"}

_REFUSALS: Mapping[Any, Callable[[Request, Exception], Any]] = {
    HTTPException: _on_http,
    QuerySyntaxError: _on_query,
    MissingExtraError: _on_query,
    ParameterError: _on_parameter,
    TooManyStepsError: _on_parameter,
    IngestError: _on_ingest,
    StoreError: _on_store,
    EndedError: _on_end,
    Exception: _on_bug,
}
