"""`loghub serve --watch` killed again and again, or without room on its disk: each line once."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from faults.disk import fill, small_disk
from log_sets import line, lines, write
from processes import HubProcess, wait_for

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


def test_full_disk_of_the_hub_keeps_the_lines_in_their_files_until_there_is_room(tmp_path: Path) -> None:
    log = write(tmp_path / "logs" / "app.jsonl", line(0))
    said = tmp_path / "said"

    with small_disk(tmp_path / "disk", "8m") as disk, said.open("w") as stderr:
        hub = HubProcess(disk / "data", "--watch", str(tmp_path / "logs" / "*.jsonl"), stderr=stderr)

        with hub:
            hub.wait_for_events("", 1)
            filler = fill(disk)
            log.rename(log.with_name("app.jsonl.1"))
            write(log, lines(range(1, 200)))
            wait_for(lambda: "refuses" in said.read_text())
            assert len(hub.events()) == 1
            filler.unlink()
            events = hub.wait_for_events("", 200)

    assert sorted(event["n"] for event in events) == list(range(200))
