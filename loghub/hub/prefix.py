"""A hub below a path, for proxies that leave the path on; it answers without the path all the same.

The path alone leads to the path with a slash.
"""

from starlette.responses import RedirectResponse
from starlette.types import ASGIApp, Receive, Scope, Send


class Prefixed:
    """ASGI app that passes each call on, with the prefix as its root where it has it.

    Args:
        app: what answers.
        prefix: as "/logs".
    """

    def __init__(self, app: ASGIApp, prefix: str) -> None:
        self._app = app
        self._prefix = prefix

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer below the prefix and without it."""
        path = scope.get("path", "")

        if scope["type"] == "http" and path == self._prefix:
            await RedirectResponse(f"{self._prefix.rpartition('/')[2]}/", 307)(scope, receive, send)
        elif path.startswith(f"{self._prefix}/"):
            await self._app({**scope, "root_path": self._prefix}, receive, send)
        else:
            await self._app(scope, receive, send)
