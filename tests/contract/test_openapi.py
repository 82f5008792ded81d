"""Each endpoint is in the OpenAPI document and has a page with a curl line; the hub answers as both say."""

import json
import os
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)
from served_hub import TIME_US, batch, line, served
from starlette.routing import Route

from loghub.event.model import format_time
from loghub.hub.api.app import create_app
from loghub.hub.api.openapi import OPERATIONS, describe
from loghub.hub.settings import Settings
from loghub.hub.store.memory import MemoryStore

PAGES = {page.name: page.read_text("utf-8") for page in (Path(__file__).parents[2] / "docs/reference/api").glob("*.md")}
_NOT_API = ("/", "/favicon.svg", "/api/openapi.json")
_TOO_SLOW = 28  # curl's word for a stream that goes on
_CURL = re.compile(r"^\$ (curl (?:.*\\\n)*.*)$", re.MULTILINE)
_CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]


@schemathesis.serializer("application/x-ndjson")
def _one_line(_context: Any, value: Any) -> bytes:
    return json.dumps(value).encode() + b"\n"


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    store = MemoryStore(1000)
    exception = {"type": "KeyError", "message": "x", "fingerprint": "0" * 16, "frames": [{"file": "a.py", "line": 1}]}
    store.append([batch(*(line(f"m{at}", at, service="shop", process=1, exception=exception) for at in range(5)))])

    with served(create_app(store, Settings(), ingest=True)) as address:
        yield f"http://{address}"


@pytest.fixture(scope="module")
def schema(address: str) -> Any:
    return schemathesis.openapi.from_url(f"{address}/api/openapi.json")


@pytest.mark.parametrize(
    ("path", "method"), [(path, method) for path, methods in OPERATIONS.items() for method in methods]
)
def test_the_hub_answers_as_the_document_says(schema: Any, path: str, method: str) -> None:
    @settings(
        max_examples=25,
        deadline=None,
        derandomize=True,
        database=None,
        phases=(Phase.explicit, Phase.generate),
        suppress_health_check=list(HealthCheck),
    )
    @given(case=schema[path][method].as_strategy())
    def ask(case: schemathesis.Case[Any]) -> None:
        if path == "/api/v1/tail":
            case.query["wait"] = 0

        if method == "delete" and path == "/api/v1/events":
            case.query["dry_run"] = "true"  # other tests look at these events

        case.call_and_validate(checks=_CHECKS)

    ask()


def test_each_route_is_in_the_document_and_the_reverse() -> None:
    found = {(path, method) for path, method in routes() if path.startswith("/api/v1/")}
    assert found == {(path, method) for path, methods in OPERATIONS.items() for method in methods}


def test_the_document_is_served_as_it_is_made(address: str) -> None:
    assert httpx.get(f"{address}/api/openapi.json").json() == json.loads(json.dumps(describe()))


def curl_lines() -> list[str]:
    return [match[1].replace("\\\n", " ") for text in PAGES.values() for match in _CURL.finditer(text)]


@pytest.mark.parametrize("command", curl_lines())
def test_a_curl_line_of_a_page_runs(command: str, address: str, tmp_path: Path) -> None:
    (found,) = httpx.get(f"{address}/api/v1/search", params={"query": "message:m2"}).json()["events"]
    command = command.replace("http://127.0.0.1:8514", address).replace("$ID", found["_id"])
    command = command.replace("-15m", format_time(TIME_US - 1))
    is_endless = "text/event-stream" in command
    done = subprocess.run(
        ["/bin/sh", "-c", f"{command} --fail-with-body --max-time {1 if is_endless else 20}"],
        check=False, cwd=tmp_path, env={**os.environ, "TOKEN": "any"}, capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == (_TOO_SLOW if is_endless else 0), done.stdout + done.stderr
    assert done.stdout or re.search("-o |/session", command)


def test_each_route_has_a_page_with_a_curl_line_its_parameters_and_its_errors() -> None:
    """Make a page in docs/reference/api/ for what is missing here, and add it to .mkdocs.yml."""
    missing = [
        (path, method)
        for path, method in routes()
        if not any(_has_curl(text, path, method) for text in PAGES.values() if f"`{method.upper()} {path}`" in text)
    ]
    assert missing == []

    for path, operations in OPERATIONS.items():
        for method, operation in operations.items():
            (text,) = (text for text in PAGES.values() if f"`{method.upper()} {path}`" in text)
            assert [name for name, _, _ in operation.parameters if f"| `{name}` |" not in text] == [], path
            assert [status for status in operation.refusals if f"| {status} |" not in text] == [], path


def test_each_page_has_the_same_parts() -> None:
    for name, text in PAGES.items():
        parts = re.findall("^## (.*)", text, re.MULTILINE)
        assert [part for part in parts if part != "Body"] == ["Parameters", "Answer", "Errors"], name


def _has_curl(text: str, path: str, method: str) -> bool:
    way = {"get": "", "post": "--data|-d |-X POST", "delete": "-X DELETE"}[method]
    place = re.escape(path).replace(r"\{id\}", r"\$ID")
    return any(re.search(way, line) and re.search(f":8514{place}", line) for line in _CURL.findall(text))


def routes() -> set[tuple[str, str]]:
    app = create_app(MemoryStore(1), Settings(), ingest=True)
    return {
        (route.path, method.lower())
        for route in app.routes
        if isinstance(route, Route) and route.path not in _NOT_API
        for method in route.methods or ()
        if method != "HEAD"
    }
