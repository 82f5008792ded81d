"""A hub for the tests of this folder."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from processes import HubProcess


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[HubProcess]:
    with HubProcess(tmp_path / "hub") as hub:
        yield hub
