"""The OpenAPI document has each endpoint, the page of the API a curl line for each; the hub answers as both say."""

import json
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

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "http-api.md"
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
    app = create_app(MemoryStore(1), Settings(), ingest=True)
    routes = {
        (route.path, method.lower())
        for route in app.routes
        if isinstance(route, Route) and route.path.startswith("/api/v1/")
        for method in route.methods or ()
        if method != "HEAD"
    }
    assert routes == {(path, method) for path, methods in OPERATIONS.items() for method in methods}


def test_the_document_is_served_as_it_is_made(address: str) -> None:
    assert httpx.get(f"{address}/api/openapi.json").json() == json.loads(json.dumps(describe()))


def curl_lines() -> list[str]:
    return [match[1].replace("\\\n", " ") for match in _CURL.finditer(PAGE.read_text("utf-8"))]


@pytest.mark.parametrize("command", curl_lines())
def test_a_curl_line_of_the_page_runs(command: str, address: str, tmp_path: Path) -> None:
    (found,) = httpx.get(f"{address}/api/v1/search", params={"query": "message:m2"}).json()["events"]
    command = command.replace("http://127.0.0.1:8514", address).replace("$ID", found["_id"])
    command = command.replace("-15m", format_time(TIME_US - 1))
    done = subprocess.run(
        ["/bin/sh", "-c", f"{command} --fail-with-body --max-time 20"],
        check=False, cwd=tmp_path, capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr


def test_each_endpoint_has_a_curl_line() -> None:
    lines = "\n".join(curl_lines())
    missing = [path for path in OPERATIONS if path.replace("{id}", "$ID") not in lines]
    assert missing == []
