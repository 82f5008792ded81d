"""`/healthz`, `/readyz` and `/metrics`: for those who watch over the hub."""

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from loghub.hub.api.parts import Parts
from loghub.hub.counters import MEDIA_TYPE


async def healthz(_request: Request) -> Response:
    """Say that the process answers."""
    return PlainTextResponse("ok\n")


async def readyz(parts: Parts, _request: Request) -> Response:
    """Say that the store answers."""
    await parts.threads.call(parts.store.newest)
    return PlainTextResponse("ok\n")


async def metrics(parts: Parts, _request: Request) -> Response:
    """Give the counters as Prometheus text."""

    def write() -> bytes:
        return parts.counters.text(parts.store.count(), parts.store.accounts())

    return Response(await parts.threads.call(write), media_type=MEDIA_TYPE)
