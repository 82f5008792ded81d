"""`python -m loghub.demo.services.host NAME`: one service of the shop, as a process.

Logging is configured by `logging.yaml` alone, before anything else is loaded, as an application
would do it. The service writes its address to stdout, then four times a second what it has
logged so far (a `Tally` as JSON), and a last time when it has logged everything.
"""

import asyncio
import logging
import os
import socket
import sys
from importlib import import_module
from pathlib import Path

import uvicorn

from loghub.config import configure
from loghub.demo.tally import take_tally
from loghub.handlers.remote import RemoteHandler
from loghub.middleware.asgi import RequestIDMiddleware

SERVICES = {
    "catalog": "loghub.demo.services.catalog",
    "payments": "loghub.demo.services.payments",
    "shop": "loghub.demo.services.shop",
}
LOGGING = Path(__file__).parent.parent / "logging.yaml"

_REPORT_SECONDS = 0.25
_FLUSH_SECONDS = 10.0


def main(name: str) -> None:
    """Serve until SIGTERM."""
    os.environ["SERVICE"] = name
    configure(LOGGING)
    app = RequestIDMiddleware(import_module(SERVICES[name]).make_app(), access=True)

    try:
        asyncio.run(_serve(app))
    finally:
        _report_the_end()


async def _serve(app: RequestIDMiddleware) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        print(f"listening at http://127.0.0.1:{listener.getsockname()[1]}", flush=True)  # noqa: T201 (read by the demo)
        server = uvicorn.Server(uvicorn.Config(app, log_config=None, access_log=False, lifespan="on", ws="none"))
        reports = asyncio.create_task(_report_often(), name="reports")

        try:
            await server.serve(sockets=[listener])
        finally:
            reports.cancel()


async def _report_often() -> None:
    while True:
        _report()
        await asyncio.sleep(_REPORT_SECONDS)


def _report_the_end() -> None:
    """Deliver what waits, so that the last report says what became of each record."""
    for handler in logging.getLogger().handlers:
        if isinstance(handler, RemoteHandler):
            handler.flush(_FLUSH_SECONDS)

    _report()


def _report() -> None:
    print(take_tally().to_line(), flush=True)  # noqa: T201 (read by the demo)


if __name__ == "__main__":
    main(sys.argv[1])
