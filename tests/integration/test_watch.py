"""An application that only writes files, and a hub that watches them: what the viewer asks for is there."""

import os
import subprocess
import sys
from pathlib import Path

from processes import HubProcess

APPLICATION = """
import logging, loghub
loghub.configure({
    "formatters": {"json": {"()": "loghub.JSONFormatter", "static": {"service": "shop"}}},
    "handlers": {"file": {
        "class": "loghub.JSONFileHandler", "filename": "logs/shop.jsonl", "rotate": "20 KB", "compress": "gz",
        "formatter": "json",
    }},
    "root": {"level": "INFO", "handlers": ["file"]},
})
for number in range(300):
    logging.getLogger("shop.cart").info("m%d", number, extra={"n": number})
logging.getLogger("shop.payments").error("card declined", extra={"order": 7})
logging.shutdown()
"""


def test_events_of_an_application_that_only_writes_files_are_searched_over_http(tmp_path: Path) -> None:
    def run_application() -> None:
        subprocess.run([sys.executable, "-c", APPLICATION], check=True, cwd=tmp_path, timeout=60, env={**os.environ})

    run_application()  # before the hub is there

    with HubProcess(tmp_path / "data", "--watch", str(tmp_path / "logs" / "*.jsonl")) as hub:
        hub.wait_for_events("service:shop", 301)
        run_application()
        events = hub.wait_for_events("service:shop", 602)
        found = hub.get("search", query="level>=error logger:shop.payments card", limit=10)["events"]

    assert len(events) == 602
    assert [(event["message"], event["order"]) for event in found] == [("card declined", 7)] * 2
