import gzip

import httpx
import pytest
from served_hub import SOURCE, TIME_US, line

from loghub.wire.batch import Batch
from loghub.wire.report import Report, write_report

OTHER = SOURCE.replace("0", "f")
KEYS = [
    "source", "service", "hostname", "process", "sent", "acked", "queued", "retried", "dead", "dropped",
    "gaps", "last_seen", "skew_ms",
]  # fmt: skip


def send(hub: httpx.Client, first: int, count: int, report: Report | None = None, source: str = SOURCE) -> None:
    lines = tuple(
        line(f"event {seq}", seq, service="shop", hostname="web-1", process=77) for seq in range(first, first + count)
    )
    headers = {"Idempotency-Key": Batch(source, first, lines).key, "Content-Encoding": "gzip"}

    if report is not None:
        headers["Loghub-Sender"] = write_report(report)

    assert hub.post("/api/v1/ingest", content=gzip.compress(b"".join(lines)), headers=headers).status_code == 200


def test_a_hub_that_nobody_sent_to_knows_nobody(hub: httpx.Client) -> None:
    assert hub.get("/api/v1/sources").json() == {"sources": []}


def test_a_source_is_told_with_its_gaps(hub: httpx.Client) -> None:
    send(hub, 1, 3, Report(time=0, sent=3, acked=0, queued=3, retried=0, dead=0, dropped=0))
    send(hub, 21, 2, Report(time=0, sent=30, acked=3, queued=10, retried=2, dead=0, dropped=17))

    (source,) = hub.get("/api/v1/sources").json()["sources"]
    assert list(source) == KEYS
    assert source["gaps"] == [
        {
            "from": "2026-09-21T14:13:23.000000Z",
            "to": "2026-09-21T14:13:41.000000Z",
            "count": 17,
            "first": 4,
            "last": 20,
        }
    ]
    assert source["skew_ms"] < -TIME_US / 2000  # a clock that stands at 1970
    assert {key: source[key] for key in KEYS[:-3]} == {
        "source": SOURCE, "service": "shop", "hostname": "web-1", "process": 77,
        "sent": 30, "acked": 5, "queued": 8, "retried": 2, "dead": 0, "dropped": 17,
    }  # fmt: skip


def test_what_nobody_told_is_null(hub: httpx.Client) -> None:
    send(hub, 1, 3)
    (source,) = hub.get("/api/v1/sources").json()["sources"]

    assert (source["acked"], source["gaps"]) == (3, [])
    assert {source[key] for key in ("sent", "queued", "retried", "dead", "dropped", "skew_ms")} == {None}


def test_those_seen_last_come_first_and_as_many_as_asked_for(hub: httpx.Client) -> None:
    send(hub, 1, 1)
    send(hub, 1, 1, source=OTHER)

    assert [one["source"] for one in hub.get("/api/v1/sources").json()["sources"]] == [OTHER, SOURCE]
    assert len(hub.get("/api/v1/sources?limit=1").json()["sources"]) == 1
    assert hub.get("/api/v1/sources?limit=0").status_code == 400


def test_lines_without_a_key_stand_under_a_source_of_the_hubs_own(hub: httpx.Client) -> None:
    for _ in range(3):
        hub.post("/api/v1/ingest", content=line("one"), headers={"Loghub-Sender": "sent=7, acked=1"})

    (source,) = hub.get("/api/v1/sources").json()["sources"]
    assert (source["sent"], source["acked"], source["gaps"]) == (None, 3, [])


@pytest.mark.parametrize("services", [3, 60])
def test_the_metrics_sum_up_by_service_and_stay_few(hub: httpx.Client, services: int) -> None:
    for number in range(services):
        text = line("x", service=f"service-{number}")
        key = Batch(f"{number:024x}", 4, (text,)).key
        report = write_report(Report(sent=4, acked=0, queued=1, dropped=3))
        hub.post("/api/v1/ingest", content=text, headers={"Idempotency-Key": key, "Loghub-Sender": report})

    text_lines = hub.get("/metrics").text.splitlines()
    gaps = [text for text in text_lines if text.startswith("loghub_hub_source_records") and 'fate="gap"' in text]
    assert f"loghub_hub_sources {services}.0" in text_lines
    assert len(gaps) == min(services, 51)
    assert sum(float(text.rpartition(" ")[2]) for text in gaps) == 3 * services
