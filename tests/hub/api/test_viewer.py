from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from served_hub import served
from starlette.applications import Starlette
from starlette.routing import Mount

from loghub.hub.api import viewer
from loghub.hub.api.app import create_app
from loghub.hub.settings import Settings
from loghub.hub.store.memory import MemoryStore

PREFIX = '/a"><script>'


@pytest.fixture
def static(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(viewer, "STATIC", tmp_path / "static")
    (tmp_path / "secret").write_text("secret")
    return tmp_path / "static"


@pytest.fixture
def built(static: Path) -> Path:
    (static / "assets").mkdir(parents=True)
    (static / "index.html").write_text('<head><base href="./" /></head><p>The page: <base href="./"></p>')
    (static / "favicon.svg").write_text("<svg/>")
    (static / "assets" / "main-1234.js").write_text("let x")
    return static


def client_of(app: Starlette) -> Iterator[httpx.Client]:
    with served(app) as address, httpx.Client(base_url=f"http://{address}") as client:
        yield client


@pytest.fixture
def plain(static: Path) -> Iterator[httpx.Client]:
    assert static.name == "static"
    yield from client_of(create_app(MemoryStore(), Settings(token="a-token-of-the-test"), ingest=True))


def test_the_page_needs_no_token_and_is_never_kept(built: Path, plain: httpx.Client) -> None:
    answer = plain.get("/")
    assert built.is_dir()
    assert answer.headers["Content-Type"] == "text/html; charset=utf-8"
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.text == '<head><base href="./" data-lacks=""></head><p>The page: <base href="./"></p>'


@pytest.mark.usefixtures("built")
def test_assets_are_kept_forever(plain: httpx.Client) -> None:
    answer = plain.get("/assets/main-1234.js")
    assert answer.text == "let x"
    assert answer.headers["Content-Type"].startswith("text/javascript")
    assert answer.headers["Cache-Control"] == "public, max-age=31536000, immutable"
    assert plain.get("/favicon.svg").text == "<svg/>"


@pytest.mark.usefixtures("built")
@pytest.mark.parametrize(
    "path", ["/assets/none.js", "/assets/", "/assets/../../secret", "/assets/%2e%2e/%2e%2e/secret"]
)
def test_nothing_else_is_served(plain: httpx.Client, path: str) -> None:
    answer = plain.send(plain.build_request("GET", str(plain.base_url).rstrip("/") + path))
    assert answer.status_code in (401, 404)
    assert "secret" not in answer.text


def test_a_build_without_the_viewer_says_so(plain: httpx.Client) -> None:
    assert "This build has no viewer" in plain.get("/").text
    assert plain.get("/assets/main.js").status_code == 404
    assert plain.get("/favicon.svg").status_code == 404


@pytest.mark.usefixtures("built")
def test_the_page_finds_its_assets_under_any_prefix_and_no_prefix_breaks_out_of_it() -> None:
    inner = create_app(MemoryStore(), Settings(), ingest=False)

    for client in client_of(Starlette(routes=[Mount(PREFIX, inner)])):
        page = client.get(f"{PREFIX}/").text
        assert '<base href="./" ' in page
        assert "script" not in page


@pytest.mark.usefixtures("built")
def test_the_page_of_a_process_knows_that_nothing_can_be_sent_there() -> None:
    for client in client_of(create_app(MemoryStore(), Settings(), ingest=False)):
        assert 'data-lacks="ingest token">' in client.get("/").text


@pytest.mark.usefixtures("built")
def test_the_page_knows_that_there_is_no_parquet_without_duckdb(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(viewer, "find_spec", lambda _name: None)

    for client in client_of(create_app(MemoryStore(), Settings(), ingest=False)):
        assert 'data-lacks="ingest parquet token">' in client.get("/").text
