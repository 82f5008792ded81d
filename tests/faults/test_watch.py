"""`loghub serve --watch` killed again and again while an application writes and rolls: each line once."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from processes import HubProcess

WRITER = """
import logging, sys, time, loghub
handler = loghub.JSONFileHandler(sys.argv[1], rotate="30 KB", **eval(sys.argv[3]))
log = logging.getLogger("shop")
log.addHandler(handler)
log.setLevel("INFO")
for number in range(int(sys.argv[2])):
    log.info("m%d", number, extra={"n": number})
    if number % 20 == 0:
        time.sleep(0.01)
logging.shutdown()
"""

KILLS = int(os.environ.get("LOGHUB_TEST_KILLS", "4"))


@pytest.mark.parametrize("options", ["{}", "{'compress': 'gz'}"])
def test_killed_hub_has_each_watched_line_exactly_once(tmp_path: Path, options: str) -> None:
    log = tmp_path / "logs" / "app.jsonl"
    total = 700 * KILLS
    hub = HubProcess(tmp_path / "data", "--watch", str(tmp_path / "logs" / "*.jsonl"))

    with subprocess.Popen([sys.executable, "-c", WRITER, str(log), str(total), options]) as writer:
        for _ in range(KILLS):
            hub.start()
            hub.wait_for_events("", min(total, len(hub.events()) + 50))
            hub.stop(signal.SIGKILL)

    assert writer.returncode == 0

    with hub:
        events = hub.wait_for_events("", total)

    assert sorted(event["n"] for event in events) == list(range(total))
