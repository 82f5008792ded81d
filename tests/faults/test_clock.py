"""The clock is stepped, between processes and within one: no source id comes again, no record is lost or doubled."""

import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

from processes import HubProcess, empty

EACH = 40
OFFSETS = (0, -86_400, 86_400, -86_400, 0)
"""Seconds by which a process finds the clock wrong, one process after the other."""

APP = f"""
import os, sys, time

url, spool, who, offset, start = sys.argv[1], sys.argv[2], sys.argv[3], float(sys.argv[4]), float(sys.argv[5])
step = 0.0
began = time.monotonic()
time.time = lambda: start + time.monotonic() - began + offset + step
time.time_ns = lambda: int(time.time() * 1e9)

import logging
import loghub

handler = loghub.RemoteHandler(url, spool=spool, linger="5 ms", exit_deadline="100 s")
log = logging.getLogger("shop")
log.setLevel("INFO")
log.addHandler(handler)

for number in range({EACH}):
    step = (0.0, -7200.0, 3600.0)[number // 5 % 3]  # within one process too
    log.info("%s.%d", who, number)

print("logged", flush=True)

if who != "last":
    time.sleep(60)
"""


def test_stepped_clock_uses_no_source_again_and_loses_and_doubles_nothing(tmp_path: Path) -> None:
    script = tmp_path / "app.py"
    script.write_text(APP)

    with HubProcess(tmp_path / "hub") as hub:
        start = str(time.time())  # the same for each

        for number, offset in enumerate(OFFSETS):
            who = "last" if number == len(OFFSETS) - 1 else str(number)
            given = [hub.url, str(tmp_path / "spool"), who, str(offset), start]
            process = subprocess.Popen([sys.executable, str(script), *given], stdout=subprocess.PIPE, text=True)
            assert process.stdout is not None
            assert process.stdout.readline() == "logged\n"

            if who != "last":
                process.send_signal(signal.SIGKILL)

            process.communicate(timeout=100)

        expected = {f"{who}.{n}": 1 for who in ("0", "1", "2", "3", "last") for n in range(EACH)}
        empty(tmp_path / "spool", hub.url)
        assert Counter(event["message"] for event in hub.events("logger:shop")) == expected
        sources = [source["source"] for source in hub.get("sources")["sources"]]
        assert len(set(sources)) == len(sources) >= len(OFFSETS)
