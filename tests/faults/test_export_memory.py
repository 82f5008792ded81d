"""An export needs little memory, however much it writes, and lets go when its client does.

`LOGHUB_TEST_EVENTS=1000000` takes a million events.
"""

import json
import os
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import httpx
import pytest

from loghub.event.encode import encode
from loghub.event.model import Event, format_time
from loghub.hub.store.duck import DuckStore
from loghub.hub.store.protocol import Incoming

from processes import HubProcess, wait_for

EVENTS = int(os.environ.get("LOGHUB_TEST_EVENTS", "40000"))
BATCH = 5000
PARTS = {"few": 4, "many": 40}  # many are merged while the hub serves
MOST_KB, IDLE_KB = 600_000, 250_000
ROOM_KB = {"ndjson": 80_000, "csv": 80_000, "parquet": 200_000}  # Parquet passes through an engine of 128 MB


@pytest.fixture(scope="module", params=PARTS)
def hub(tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> Iterator[HubProcess]:
    data = tmp_path_factory.mktemp("hub")
    rows = EVENTS // PARTS[request.param]
    batch = min(BATCH, rows)

    with closing(DuckStore(data, keep_us=2**60, seal_rows=rows)) as store:
        for first in range(1, EVENTS, batch):
            store.append([_batch(first, batch)])
            _wait_until_sealed(store, first + batch - rows)

    with HubProcess(data) as hub:
        yield hub
        assert memory_kb(hub, "VmHWM") < MOST_KB
        wait_for(lambda: memory_kb(hub, "VmRSS") < IDLE_KB, 60)


def _wait_until_sealed(store: DuckStore, rows: int) -> None:
    wait_for(lambda: _sealed(store) >= rows, 100)


def _sealed(store: DuckStore) -> int:
    return sum(part.extent.count for part in store._parts.current if part.path is not None)


def _batch(first: int, size: int) -> Incoming:
    start_us = time.time_ns() // 1000 - EVENTS
    seqs = range(first, first + size)
    events = [
        Event(
            start_us + seq,
            20,
            {
                "timestamp": format_time(start_us + seq),
                "level": "INFO",
                "message": f"request {seq} took {seq % 97} ms " + "and had a long line " * 20,
                "service": f"service-{seq % 5}",
                "user": {"id": seq % 999},
            },
        )
        for seq in seqs
    ]
    return Incoming("0" * 24, first, seqs[-1], start_us, seqs, [encode(event.fields) for event in events], events)


def memory_kb(hub: HubProcess, key: str) -> int:
    assert hub._process is not None
    status = Path(f"/proc/{hub._process.pid}/status").read_text()
    return next(int(line.split()[1]) for line in status.splitlines() if line.startswith(f"{key}:"))


def reset_peak(hub: HubProcess) -> None:
    assert hub._process is not None
    Path(f"/proc/{hub._process.pid}/clear_refs").write_text("5")


@pytest.mark.parametrize(("kind", "archive"), [("ndjson", "none"), ("csv", "zip"), ("parquet", "none")])
def test_an_export_needs_little_memory(hub: HubProcess, kind: str, archive: str) -> None:
    wait_for(lambda: is_idle(hub), 120)  # merging takes memory of its own, which is within the bound for all
    assert memory_kb(hub, "VmHWM") < MOST_KB
    hub.get("search", limit=1000)
    before = memory_kb(hub, "VmRSS")
    reset_peak(hub)
    size = lines = 0
    parameters = {"format": kind, "archive": archive}

    with httpx.stream("GET", f"{hub.url}/api/v1/export", params=parameters, timeout=600) as answer:
        for piece in answer.iter_raw():
            size += len(piece)
            lines += piece.count(b"\n")

    assert size > 0
    read_kb = sum(path.stat().st_size for path in (hub.data / "parts").iterdir()) // 1000
    assert memory_kb(hub, "VmHWM") - before < ROOM_KB[kind] + read_kb  # the engine keeps what it has read, to its limit
    assert memory_kb(hub, "VmHWM") < MOST_KB

    if kind == "ndjson":
        assert lines == EVENTS
        assert size > 600 * EVENTS


def test_an_export_that_nobody_reads_any_more_ends(hub: HubProcess) -> None:
    with httpx.stream("GET", f"{hub.url}/api/v1/export", timeout=60) as answer:
        first = next(answer.iter_lines())

    assert "message" in json.loads(first)
    before = hub.get("search", limit=1)["stats"]["total"]
    assert before == EVENTS
    wait_for(lambda: is_idle(hub), 120)


def is_idle(hub: HubProcess) -> bool:
    """Tell whether it takes next to nothing, on a machine that may leave it little."""
    hub.is_ready()
    start = cpu(hub)
    time.sleep(0.5)
    return cpu(hub) - start < 0.05


def cpu(hub: HubProcess) -> float:
    fields = Path(f"/proc/{hub.pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
