"""The full result as a file: more than is loaded, opened by other programs; its progress, its end, and its failures."""

import csv
import gzip
import io
import json
import shutil
import subprocess
import threading
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import duckdb
import polars as pl
import pytest
from playwright.sync_api import Locator, Page, expect

from e2e.proxies import prefixed
from e2e.viewer_page import ask, rows
from processes import HubProcess

TOTAL = 2400
MATCHING = 1200
HOSTILE = 'a "quoted", cell\\nof two lines; =1+1 \\u05d0 \\x00'


@pytest.fixture(scope="module")
def full_hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[HubProcess]:
    with HubProcess(tmp_path_factory.mktemp("export") / "hub") as hub:
        yield hub


@pytest.fixture
def full(full_hub: HubProcess, log: Callable[..., None]) -> HubProcess:
    """Give a hub with more events than a page loads, every other of them a warning."""
    if not full_hub.get("search", limit=1)["events"]:
        log(
            full_hub,
            f"text = lambda n: {HOSTILE!r} if n == 7 else f'order {{n}}'",
            f"for n in range({TOTAL}): logger.log(20 + 10 * (n % 2), text(n), extra={{'n': n}})",
        )

    return full_hub


def open_menu(page: Page) -> Locator:
    """Ask for every other event, and open the menu."""
    ask(page, "level>=warning")
    expect(page.locator("footer")).to_contain_text("1\u202f200 of 2\u202f400 events")
    page.get_by_role("button", name="Export", exact=True).click()
    menu = page.get_by_role("dialog", name="Export")
    expect(menu).to_contain_text("All 1\u202f200 events that match, not only what is loaded")
    return menu


def save(page: Page, menu: Locator, form: str, archive: str, folder: Path) -> Path:
    menu.get_by_role("radio", name=form, exact=True).check(force=True)
    menu.get_by_role("radio", name=archive, exact=True).check(force=True)

    with page.expect_download() as download:
        menu.get_by_role("button", name="Save").click()

    path = folder / download.value.suggested_filename
    download.value.save_as(path)
    expect(menu.get_by_role("status", name="Export")).to_contain_text(f"{path.name}: ")
    return path


def files_of(path: Path) -> list[bytes]:
    """Open a download with the programs that people have; a zip says by its manifest whether it is whole."""
    if path.suffix == ".gz":
        return [gzip.decompress(path.read_bytes())]

    if path.suffix != ".zip":
        return [path.read_bytes()]

    if unzip := shutil.which("unzip"):  # not every machine has it
        subprocess.run([unzip, "-tqq", path], check=True)

    with zipfile.ZipFile(path) as archive:
        assert archive.testzip() is None
        manifest = json.loads(archive.read("manifest.json"))
        assert manifest["complete"]
        return [archive.read(name) for name in archive.namelist() if name != "manifest.json"]


def count_ndjson(data: bytes) -> int:
    return len({json.loads(line)["_id"] for line in data.splitlines()})


def count_csv(data: bytes) -> int:
    return len({row["_id"] for row in csv.DictReader(io.StringIO(data.decode(), newline=""))})


@pytest.mark.parametrize(
    ("form", "archive", "count"),
    [
        ("ndjson", "none", count_ndjson),
        ("ndjson", "zip", count_ndjson),
        ("ndjson", "gz", count_ndjson),
        ("csv", "none", count_csv),
        ("csv", "zip", count_csv),
        ("text", "gz", lambda data: data.count(b"order ") + data.count(b"cell")),
    ],
)
def test_archive_of_the_full_result_opens_elsewhere(
    form: str,
    archive: str,
    count: Callable[[bytes], int],
    full: HubProcess,
    open_page: Callable[..., Page],
    tmp_path: Path,
) -> None:
    page = open_page(full.url)
    menu = open_menu(page)
    assert rows(page).count() < MATCHING
    path = save(page, menu, form, archive, tmp_path)
    assert sum(map(count, files_of(path))) == MATCHING


def test_parquet_of_the_full_result_is_read_by_data_frames_and_engines(
    full: HubProcess, open_page: Callable[..., Page], tmp_path: Path
) -> None:
    page = open_page(full.url)
    path = save(page, open_menu(page), "parquet", "none", tmp_path)

    frame = pl.read_parquet(path)
    assert frame.height == frame["_id"].n_unique() == MATCHING
    assert set(frame["level"]) == {"WARNING"}

    with duckdb.connect() as engine:
        found = engine.execute(
            "SELECT count(DISTINCT _id), min(timestamp) FROM read_parquet(?)", [str(path)]
        ).fetchone()

    assert found is not None
    assert found[0] == MATCHING


def test_export_says_how_far_it_is_and_is_cancelled_without_a_file(
    full: HubProcess, open_page: Callable[..., Page]
) -> None:
    goes_on = threading.Event()

    def hold(path: bytes, passed: int) -> bool:
        return not (b"/export" in path and passed > 60_000) or goes_on.wait(60)

    with prefixed(full.port, "/logs", strips=True, lets_through=hold) as url:
        page = open_page(url)
        downloads: list[object] = []
        page.on("download", lambda download: downloads.extend([download]))
        menu = open_menu(page)
        menu.get_by_role("button", name="Save").click()
        expect(menu.get_by_role("progressbar", name="Export")).to_be_visible()
        expect(menu.get_by_role("status", name="Export")).to_contain_text("lines so far")
        assert 0 < float(menu.get_by_role("progressbar").get_attribute("value") or 0) < MATCHING

        menu.get_by_role("button", name="Cancel").click()

        expect(menu.get_by_role("status", name="Export")).to_have_text("Cancelled")
        expect(menu.get_by_role("button", name="Save")).to_be_visible()
        assert downloads == []
        goes_on.set()


def test_export_that_breaks_off_is_said_and_leaves_no_file(full: HubProcess, open_page: Callable[..., Page]) -> None:
    def cut(path: bytes, passed: int) -> bool:
        return not (b"/export" in path and passed > 60_000)

    with prefixed(full.port, "/logs", strips=True, lets_through=cut) as url:
        page = open_page(url)
        downloads: list[object] = []
        page.on("download", lambda download: downloads.extend([download]))
        menu = open_menu(page)
        menu.get_by_role("button", name="Save").click()
        expect(menu.get_by_role("status", name="Export")).to_contain_text("broke before the end; nothing was saved")
        assert downloads == []
