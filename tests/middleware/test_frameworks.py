"""The middlewares around Flask and Django: their own error pages have the id, their routes are told."""

import asyncio
import logging
import sys
from collections.abc import Iterator
from types import ModuleType
from typing import Any

import httpx
import pytest

from loghub.event.context import current
from loghub.middleware import asgi, wsgi

ID = {"X-Request-ID": "abc"}


@pytest.fixture(autouse=True)
def _at_info(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.CRITICAL, "django.request")
    caplog.set_level(logging.INFO, "loghub.access")  # the last call sets the level of caplog's handler


def access_events(caplog: pytest.LogCaptureFixture) -> list[dict[str, Any]]:
    return [record.__dict__ for record in caplog.records if record.name == "loghub.access"]


@pytest.fixture
def flask_app() -> Any:
    flask: Any = pytest.importorskip("flask")
    app = flask.Flask("shop")
    app.add_url_rule("/products/<sku>", view_func=lambda sku: {"sku": sku, **current()}, endpoint="product")
    app.add_url_rule("/broken", view_func=lambda: 1 // 0, endpoint="broken")

    def lines() -> Iterator[str]:
        yield "first "
        yield str(current()["request_id"])

    app.add_url_rule("/lines", view_func=lines, endpoint="lines")
    app.wsgi_app = wsgi.RequestIDMiddleware(app.wsgi_app)
    return app


def test_flask_view_has_the_id_and_its_route_is_told(flask_app: Any, caplog: pytest.LogCaptureFixture) -> None:
    answer = flask_app.test_client().get("/products/7", headers=ID)
    assert answer.json == {"sku": "7", "request_id": "abc"}
    assert answer.headers.get_all("X-Request-ID") == ["abc"]
    [event] = access_events(caplog)
    assert (event["route"], event["path"], event["status"]) == ("/products/<sku>", "/products/7", 200)
    assert event["bytes"] == len(answer.data)
    assert current() == {}


def test_error_page_of_flask_has_the_id_and_so_has_what_flask_logs(
    flask_app: Any, caplog: pytest.LogCaptureFixture
) -> None:
    seen: list[Any] = []

    class Noting(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            seen.append((record.levelname, current().get("request_id")))

    flask_app.logger.addHandler(noting := Noting())

    try:
        answer = flask_app.test_client().get("/broken", headers=ID)
    finally:
        flask_app.logger.removeHandler(noting)

    assert (answer.status_code, answer.headers["X-Request-ID"]) == (500, "abc")
    assert b"Internal Server Error" in answer.data
    assert seen == [("ERROR", "abc")]
    assert access_events(caplog)[0]["levelname"] == "ERROR"


def test_stream_of_flask_is_made_in_the_context_of_its_request(flask_app: Any) -> None:
    assert flask_app.test_client().get("/lines", headers=ID).text == "first abc"


@pytest.fixture(scope="module")
def django_urls() -> str:
    """Make Django's settings, once for the process, and a module of views."""
    pytest.importorskip("django")
    from django.conf import settings  # type: ignore[import-untyped,import-not-found,unused-ignore] # noqa: PLC0415
    from django.http import JsonResponse  # type: ignore[import-untyped,import-not-found,unused-ignore] # noqa: PLC0415
    from django.urls import path  # type: ignore[import-untyped,import-not-found,unused-ignore] # noqa: PLC0415

    class SayRoute:
        def __init__(self, get_response: Any) -> None:
            self.get_response = get_response

        def __call__(self, request: Any) -> Any:
            return self.get_response(request)

        def process_view(self, request: Any, *_others: Any) -> None:
            place = request.scope if hasattr(request, "scope") else request.environ
            place["loghub.route"] = request.resolver_match.route

    def product(_request: Any, sku: str) -> Any:
        return JsonResponse({"sku": sku, **current()})

    def broken(_request: Any) -> Any:
        return 1 // 0

    module: Any = ModuleType("frameworks_urls")
    module.SayRoute = SayRoute
    module.urlpatterns = [path("products/<sku>", product), path("broken", broken)]
    sys.modules["frameworks_urls"] = module
    settings.configure(
        ROOT_URLCONF="frameworks_urls",
        ALLOWED_HOSTS=["*"],
        SECRET_KEY="x",
        MIDDLEWARE=["frameworks_urls.SayRoute"],
        LOGGING_CONFIG=None,
    )
    return "frameworks_urls"


@pytest.mark.usefixtures("django_urls")
def test_django_has_the_id_over_wsgi_in_its_error_page_too(caplog: pytest.LogCaptureFixture) -> None:
    django_wsgi: Any = pytest.importorskip("django.core.wsgi")
    transport = httpx.WSGITransport(
        wsgi.RequestIDMiddleware(django_wsgi.get_wsgi_application())  # type: ignore[arg-type,unused-ignore]
    )

    with httpx.Client(transport=transport, base_url="http://shop") as client:
        shown, broken = client.get("/products/7", headers=ID), client.get("/broken", headers=ID)

    assert shown.json() == {"sku": "7", "request_id": "abc"}
    assert (broken.status_code, broken.headers["x-request-id"]) == (500, "abc")
    assert [event["route"] for event in access_events(caplog)] == ["products/<sku>", "broken"]
    assert current() == {}


@pytest.mark.usefixtures("django_urls")
def test_django_has_the_id_over_asgi_in_its_error_page_too(caplog: pytest.LogCaptureFixture) -> None:
    django_asgi: Any = pytest.importorskip("django.core.asgi")
    transport = httpx.ASGITransport(asgi.RequestIDMiddleware(django_asgi.get_asgi_application()))  # type: ignore[arg-type,unused-ignore]

    async def ask() -> tuple[httpx.Response, httpx.Response]:
        async with httpx.AsyncClient(transport=transport, base_url="http://shop") as client:
            return await client.get("/products/7", headers=ID), await client.get("/broken", headers=ID)

    shown, broken = asyncio.run(ask())
    assert shown.json() == {"sku": "7", "request_id": "abc"}
    assert (broken.status_code, broken.headers["x-request-id"]) == (500, "abc")
    assert [event["route"] for event in access_events(caplog)] == ["products/<sku>", "broken"]
