"""Fixtures for the hub: a store, and a client of a hub that serves it."""

from collections.abc import Iterator

import httpx
import pytest
from served_hub import served

from loghub.hub.api.app import create_app
from loghub.hub.settings import Limits, Settings
from loghub.hub.store.memory import MemoryStore

LIMITS = Limits(body=2000, unpacked=4000, lines=50, line=500, waiting=5000)


@pytest.fixture
def memory() -> MemoryStore:
    return MemoryStore(1000)


@pytest.fixture
def hub(memory: MemoryStore) -> Iterator[httpx.Client]:
    settings = Settings(limits=LIMITS)

    with (
        served(create_app(memory, settings, ingest=True)) as address,
        httpx.Client(base_url=f"http://{address}") as client,
    ):
        yield client
