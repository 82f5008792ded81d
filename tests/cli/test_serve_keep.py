"""`loghub serve --keep` and `--keep-size`: what they say is what the store does."""

import time
from functools import partial
from pathlib import Path

import orjson
import pytest

from loghub.event.model import Event, format_time
from loghub.hub.store.duck import DAY_US, DuckStore
from loghub.hub.store.protocol import Incoming

from processes import HubProcess, wait_for

SOURCE = "0123456789ab0123456789ab"
AGES = (10, 2)
"""Days."""


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """Give the data of a hub whose events have these ages, each in a file of its own."""
    store = DuckStore(tmp_path / "hub", seal_rows=1, keep_us=30 * DAY_US)

    for seq, age in enumerate(AGES, 1):
        store.append([_event(seq, age)])
        wait_for(partial(_are_sealed, tmp_path / "hub" / "parts", seq))

    store.close()
    return tmp_path / "hub"


@pytest.mark.parametrize(
    ("options", "left"),
    [
        (("--keep", "5 days"), ["2 days old"]),
        (("--keep", "1 day"), []),
        (("--keep-size", "1 B"), []),
        (("--keep-free", "99.999 %"), []),
        (("--keep-query", '"10 days"', "9 days"), ["2 days old"]),
    ],
)
def test_hub_keeps_as_long_and_as_much_as_it_is_told(data: Path, options: tuple[str, ...], left: list[str]) -> None:
    with HubProcess(data, *options) as hub:
        wait_for(lambda: len(hub.events()) < len(AGES))
        assert [event["message"] for event in hub.events()] == left


def _are_sealed(parts: Path, number: int) -> bool:
    return len(list(parts.glob("*.duckdb"))) == number


def _event(seq: int, age: int) -> Incoming:
    time_us = time.time_ns() // 1000 - age * DAY_US
    line = orjson.dumps({"timestamp": format_time(time_us), "level": "INFO", "message": f"{age} days old"}) + b"\n"
    event = Event.from_mapping(orjson.loads(line), now_us=time_us)
    return Incoming(SOURCE, seq, seq, time_us, range(seq, seq + 1), (line,), [event])
