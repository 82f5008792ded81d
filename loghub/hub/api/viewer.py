"""The viewer: a page and its assets, built by the package build into `loghub/hub/static/`.

The same files are served at any prefix: the page's `<base>` says where they are. A build
without the viewer says so in its page.
"""

import html
import os
import re
from pathlib import Path

from starlette.requests import Request
from starlette.responses import FileResponse, HTMLResponse, Response
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

from loghub.hub.answers import refusal
from loghub.hub.api.parts import Parts

STATIC = Path(__file__).parent.parent / "static"

_BASE = re.compile(r'<base href="\./"\s*/?>')
_WITHOUT_VIEWER = """<!doctype html>
<html lang="en">
<head><base href="./"><meta charset="utf-8"><title>loghub</title></head>
<body>
<h1>loghub</h1>
<p>This build has no viewer: it was made with LOGHUB_NO_UI.</p>
<p>To get it: <code>pip install --force-reinstall loghub</code>, or build without LOGHUB_NO_UI.</p>
<p>The API is here all the same: <a href="api/v1/search">api/v1/search</a></p>
</body>
</html>
"""


async def page(parts: Parts, request: Request) -> Response:
    """Give the page, with the prefix at which it is served, and whether events can be sent there."""
    text = await parts.threads.call(_read_page)
    root = html.escape(request.scope.get("root_path", ""), quote=True)
    about = "" if parts.writer else ' data-ingest="no"'
    return HTMLResponse(_BASE.sub(lambda _: f'<base href="{root}/"{about}>', text, count=1))


async def icon(_request: Request) -> Response:
    """Give the page's icon."""
    path = STATIC / "favicon.svg"
    return FileResponse(path) if path.is_file() else refusal(404, "not_found", "this build has no icon")


class Assets(StaticFiles):
    """The page's scripts and styles: their names change with their content, so they never grow old."""

    def __init__(self) -> None:
        super().__init__(directory=STATIC / "assets", check_dir=False)

    async def check_config(self) -> None:
        """Accept that there are none."""

    def file_response(
        self, full_path: str | os.PathLike[str], stat_result: os.stat_result, scope: Scope, status_code: int = 200
    ) -> Response:
        """Give a file that may be kept forever."""
        response = super().file_response(full_path, stat_result, scope, status_code)
        response.headers["Cache-Control"] = "public, max-age=31536000, immutable"
        return response


def _read_page() -> str:
    try:
        return (STATIC / "index.html").read_text("utf-8")
    except FileNotFoundError:
        return _WITHOUT_VIEWER
