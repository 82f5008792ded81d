"""What four busy processes send is in the hub, counted exactly."""

import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from processes import HubProcess, configuration

RATE = 5_000
SECONDS = 20
PROCESSES = 4

WORKER = """
import logging, logging.config, sys, time, yaml

with open("logging.yaml") as file: logging.config.dictConfig(yaml.safe_load(file))
name, rate, seconds = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
logger = logging.getLogger("load")
start = time.monotonic()

for number in range(rate * seconds):
    logger.info("%s sends", name, extra={"worker": name, "number": number, "amount": 9.5, "region": "eu"})

    if number % 50 == 49:
        time.sleep(max(0.0, start + (number + 1) / rate - time.monotonic()))
"""


@pytest.mark.slow
def test_5000_records_a_second_from_four_processes_for_20_seconds_are_all_found(
    tmp_path: Path, hub: HubProcess
) -> None:
    config = configuration(hub.url)
    config["handlers"]["remote"] |= {"queue": 1_000_000, "queue_bytes": "1 GB"}  # for a machine that keeps no pace
    (tmp_path / "logging.yaml").write_text(yaml.safe_dump(config))
    each = RATE // PROCESSES
    command = [sys.executable, "-c", WORKER]
    workers = [subprocess.Popen([*command, f"w{n}", str(each), str(SECONDS)], cwd=tmp_path) for n in range(PROCESSES)]
    assert [worker.wait(250) for worker in workers] == [0] * PROCESSES

    for n in range(PROCESSES):
        found = hub.get("histogram", query=f"worker:w{n}", **{"from": "-10m", "to": "now", "buckets": 10})
        assert found["total"] == each * SECONDS

    total = hub.get("histogram", query="logger:load", **{"from": "-10m", "to": "now", "buckets": 10})["total"]
    assert total == RATE * SECONDS

    numbers = sorted(event["number"] for event in hub.events("worker:w2 number>=20000"))
    assert numbers == list(range(20_000, each * SECONDS))
