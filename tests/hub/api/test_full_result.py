"""What is counted is counted over all events that match, in a range of time, however many that are, by both engines."""

from collections.abc import Iterator
from contextlib import closing
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from served_hub import TIME_US, batch, line, served

from loghub.event.model import format_time
from loghub.hub.api.app import create_app
from loghub.hub.settings import Settings
from loghub.hub.store.duck import DuckStore
from loghub.hub.store.memory import MemoryStore

if TYPE_CHECKING:
    from loghub.hub.store.protocol import Store

COUNT = 3000  # three pages of the largest size
ASKED = {
    "query": "service:shop",
    "from": format_time(TIME_US + 300_000_000),
    "to": format_time(TIME_US + 2_700_000_000),
}
"""Half of the events, without the first and the last tenth."""

EXPECTED = 1200


@pytest.fixture(scope="module", params=["memory", "duck"])
def hub(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx.Client]:
    data = tmp_path_factory.mktemp("hub")
    store: Store = MemoryStore(10_000) if request.param == "memory" else DuckStore(data, keep_us=2**60, seal_rows=700)

    with (
        closing(store),
        served(create_app(store, Settings(), ingest=False)) as address,
        httpx.Client(base_url=f"http://{address}/api/v1/", timeout=60) as client,
    ):
        for first in range(0, COUNT, 500):
            store.append([batch(*map(_line, range(first, first + 500)), first=first + 1)])

        yield client


def _line(number: int) -> bytes:
    service = ("shop", "till")[number % 2]
    exception = {"type": f"Error{number % 3}", "message": "x", "fingerprint": f"{number % 3:016x}"}
    own = {f"only_{service}": number, "exception": exception}
    return line(f"order {number}", number, template=f"order {service}", service=service, **own)


def ask(hub: httpx.Client, path: str, **parameters: Any) -> dict[str, Any]:
    answer = hub.get(path, params=ASKED | parameters)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def test_facets(hub: httpx.Client) -> None:
    service, number = ask(hub, "facets", fields="service,only_shop", limit=1)["facets"]
    assert (service["values"], service["distinct"]) == ([{"value": "shop", "count": EXPECTED}], 1)
    assert number["distinct"] == EXPECTED


def test_fields(hub: httpx.Client) -> None:
    found = {field["name"]: field["count"] for field in ask(hub, "fields")["fields"]}
    assert found["only_shop"] == found["message"] == EXPECTED
    assert "only_till" not in found


def test_histogram(hub: httpx.Client) -> None:
    found = ask(hub, "histogram", buckets=8, by="service")
    assert (found["total"], found["series"]) == (EXPECTED, [{"key": "shop", "counts": [150] * 8}])


def test_patterns(hub: httpx.Client) -> None:
    (pattern,) = ask(hub, "patterns")["patterns"]
    assert (pattern["template"], pattern["count"], pattern["share"]) == ("order shop", EXPECTED, 1)
    assert (pattern["first"], pattern["last"]) == (ASKED["from"], format_time(TIME_US + 2_698_000_000))
    assert sum(pattern["spark"]) == EXPECTED


def test_errors(hub: httpx.Client) -> None:
    found = ask(hub, "errors")["errors"]
    assert [(error["count"], error["services"]) for error in found] == [(EXPECTED // 3, ["shop"])] * 3
    assert {error["type"] for error in found} == {"Error0", "Error1", "Error2"}


@pytest.mark.parametrize(
    ("stage", "rows"),
    [
        ("count", [[EXPECTED]]),
        ("count by service", [["shop", EXPECTED]]),
        ("top 2 by template", [["order shop", EXPECTED]]),
    ],
)
def test_tables(hub: httpx.Client, stage: str, rows: list[list[object]]) -> None:
    assert ask(hub, "search", query=f"{ASKED['query']} | {stage}")["rows"] == rows


def test_exports(hub: httpx.Client) -> None:
    assert hub.get("export", params=ASKED).content.count(b"\n") == EXPECTED
    assert hub.get("export", params=ASKED | {"format": "csv"}).content.count(b"\n") == EXPECTED + 1


def test_searches(hub: httpx.Client) -> None:
    found: list[str] = []
    cursor: str | None = ""

    while cursor is not None:
        page = ask(hub, "search", limit=1000, cursor=cursor, order="oldest")
        found += [event["message"] for event in page["events"]]
        cursor = page["cursor"]

    assert found == [f"order {number}" for number in range(300, 2700, 2)]
