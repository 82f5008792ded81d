"""RemoteHandler where the environment names a proxy: not for this machine, else as told."""

from pathlib import Path

import pytest

from processes import run_python
from scripted_hub import scripted_hub

NOBODY = "http://127.0.0.1:9"


@pytest.mark.parametrize("variable", ["HTTP_PROXY", "http_proxy", "ALL_PROXY"])
def test_hub_on_this_machine_is_reached_without_the_proxy(tmp_path: Path, variable: str) -> None:
    with scripted_hub() as hub:
        run_python(f"import os; os.environ.update({variable}='{NOBODY}', NO_PROXY='')\n{_send(hub.url)}", cwd=tmp_path)
        assert hub.messages == ["through"]


def test_hub_elsewhere_is_reached_through_the_proxy(tmp_path: Path) -> None:
    with scripted_hub() as proxy:
        run_python(_send("http://hub.example"), cwd=tmp_path, HTTP_PROXY=proxy.url, NO_PROXY="", no_proxy="")
        assert [request.path for request in proxy.requests] == ["http://hub.example/api/v1/ingest"]


def _send(url: str) -> str:
    return f"""import logging
from loghub.handlers.remote import RemoteHandler

handler = RemoteHandler("{url}", exit_deadline=1)
logging.getLogger().addHandler(handler)
logging.getLogger().error("through")
assert handler.flush(60), handler.counters
"""
