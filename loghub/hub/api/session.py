"""`POST|DELETE /api/v1/session`: a browser signs in with the token, and out."""

import orjson
from starlette.requests import Request
from starlette.responses import Response

from loghub.hub.answers import refusal
from loghub.hub.api.parts import Parts
from loghub.hub.sessions import COOKIE

_MAX_BYTES = 4096


async def sign_in(parts: Parts, request: Request) -> Response:
    """Give a cookie for the token."""
    token = await _read_token(request)

    if token is None:
        return refusal(400, "bad_body", 'expected {"token": "…"} as application/json')

    if not parts.sessions.is_token(token):
        return refusal(401, "token_refused", "this is not the token of this hub")

    answer = Response(status_code=204)

    if parts.sessions.needed:
        answer.set_cookie(
            COOKIE,
            parts.sessions.open(),
            max_age=int(parts.settings.limits.session),
            path=_path(request),
            secure=request.url.scheme == "https",
            httponly=True,
            samesite="strict",
        )

    return answer


async def sign_out(parts: Parts, request: Request) -> Response:
    """End the session and its tails, and take the cookie back."""
    session = request.cookies.get(COOKIE, "")
    parts.sessions.end(session)
    parts.departures.end(session)
    answer = Response(status_code=204)
    answer.delete_cookie(
        COOKIE, path=_path(request), secure=request.url.scheme == "https", httponly=True, samesite="strict"
    )
    return answer


async def _read_token(request: Request) -> str | None:
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
        return None

    body = b""

    async for chunk in request.stream():
        body += chunk

        if len(body) > _MAX_BYTES:
            return None

    try:
        read = orjson.loads(body)
    except ValueError:
        return None

    token = read.get("token") if isinstance(read, dict) else None
    return token if isinstance(token, str) else None


def _path(request: Request) -> str:
    """Give the prefix at which the app is mounted: the cookie is sent nowhere else."""
    return f"{request.scope.get('root_path', '')}/"
