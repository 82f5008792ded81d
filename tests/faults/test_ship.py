"""`loghub ship` killed at any moment, while files grow and are rotated: each line has one effect at the hub."""

import json
import os
import random
import subprocess
import sys
from pathlib import Path

from scripted_hub import scripted_hub

KILLS = int(os.environ.get("LOGHUB_TEST_SHIP_KILLS", "8"))
LINES = 1500  # between two kills: three requests


def test_lines_arrive_once_though_it_is_killed_again_and_again(tmp_path: Path) -> None:
    log = tmp_path / "app.jsonl"
    chance = random.Random(5)
    written = 0

    with scripted_hub() as hub:
        command = [sys.executable, "-m", "loghub.cli", "ship", str(log), "--url", hub.url]
        command += ["--state", str(tmp_path / "state")]

        for kill in range(KILLS):
            with log.open("a") as file:
                file.writelines(json.dumps({"message": str(written + n)}) + "\n" for n in range(LINES))

            written += LINES
            seen = len(hub.requests)

            with subprocess.Popen(command, stdout=subprocess.DEVNULL) as process:
                try:
                    more = chance.randrange(3)
                    hub.wait_for(lambda seen=seen, more=more: len(hub.requests) >= seen + more, 20)  # type: ignore[misc]

                    if kill % 3 == 2:  # while it runs
                        log.rename(log.with_name(f"app.jsonl.{1000 - kill}"))
                finally:
                    process.kill()

        done = subprocess.run([*command, "--once"], check=False, capture_output=True, text=True, timeout=60)
        assert done.returncode == 0, done.stderr
        assert sorted(map(int, hub.messages)) == list(range(written))
