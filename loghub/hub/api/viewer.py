"""The viewer: a page and its assets, built by the package build into `loghub/hub/static/`.

Rules:
1. The same files are served at any prefix, also at one that only a proxy knows: every address is relative to the page.
2. What the server behind the page lacks stands in `data-lacks`: `ingest`, where nothing can be sent to it, `parquet`,
   where duckdb is not installed, `token`, where it asks for none. The page says so in place of an error.
3. A build without the viewer says so in its page.
"""

import os
import re
from importlib.util import find_spec
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


async def page(parts: Parts, _request: Request) -> Response:
    """Give the page, and in it what this server lacks."""
    text = await parts.threads.call(_read_page)
    base = f'<base href="./" data-lacks="{" ".join(_lacks(parts))}">'
    return HTMLResponse(_BASE.sub(lambda _: base, text, count=1))


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


def _lacks(parts: Parts) -> list[str]:
    lacking = {
        "ingest": parts.writer is None,
        "parquet": find_spec("duckdb") is None,
        "token": not parts.sessions.needed,
    }
    return [name for name, lacks in lacking.items() if lacks]


def _read_page() -> str:
    try:
        return (STATIC / "index.html").read_text("utf-8")
    except FileNotFoundError:
        return _WITHOUT_VIEWER
