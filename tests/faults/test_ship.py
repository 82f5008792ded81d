"""`loghub ship` killed at any moment, while files grow and are rotated: each line has one effect at the hub."""

import json
import os
import random
import subprocess
import sys
from collections import Counter
from pathlib import Path

from processes import wait_for
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
                    hub.wait_for(lambda seen=seen, more=more: len(hub.requests) >= seen + more)  # type: ignore[misc]

                    if kill % 3 == 2:  # while it runs
                        log.rename(log.with_name(f"app.jsonl.{1000 - kill}"))
                finally:
                    process.kill()

        done = subprocess.run([*command, "--once"], check=False, capture_output=True, text=True, timeout=60)
        assert done.returncode == 0, done.stderr
        assert sorted(map(int, hub.messages)) == list(range(written))


APP = """
import logging, os, sys
import loghub

handler = loghub.RemoteHandler(sys.argv[1], spool=sys.argv[2], send=False)
log = logging.getLogger("shop")
log.setLevel("INFO")
log.addHandler(handler)
done = os.open(sys.argv[3], os.O_WRONLY | os.O_CREAT | os.O_APPEND)
number = int(sys.argv[4])

while True:
    log.info("%d", number)
    os.write(done, b"%d\\n" % number)  # the call has returned
    number += 1

    if number % 100 == 0:
        sys.stdin.readline()
"""


def test_spool_of_an_application_that_is_killed_arrives_once_though_ship_is_killed_too(tmp_path: Path) -> None:
    chance = random.Random(6)
    script, done = tmp_path / "app.py", tmp_path / "done"
    script.write_text(APP)
    done.touch()

    with scripted_hub() as hub:
        command = [sys.executable, "-m", "loghub.cli", "ship", str(tmp_path / "spool"), "--url", hub.url]

        for kill in range(KILLS // 2):
            app = [sys.executable, str(script), hub.url, str(tmp_path / "spool"), str(done), str(kill * 1_000_000)]

            with (
                subprocess.Popen(app, stdin=subprocess.PIPE, text=True, bufsize=1) as writer,
                subprocess.Popen(command, stdout=subprocess.DEVNULL) as shipper,
            ):
                try:
                    assert writer.stdin is not None
                    before, seen = done.stat().st_size, len(hub.requests)
                    writer.stdin.write("\n" * chance.randrange(1, 40))
                    wait_for(lambda before=before: done.stat().st_size > before)  # type: ignore[misc]

                    if kill % 2:  # it lives, and leaves what it has each second
                        hub.wait_for(lambda seen=seen: len(hub.requests) > seen)  # type: ignore[misc]
                finally:
                    writer.kill()
                    shipper.kill()

        ended = subprocess.run([*command, "--once"], check=False, capture_output=True, text=True, timeout=60)
        assert ended.returncode == 0, ended.stderr
        promised = {int(line) for line in done.read_text().split()}
        arrived = Counter(map(int, hub.messages))

    assert not promised - set(arrived)
    assert set(arrived.values()) == {1}
    assert len(arrived) <= len(promised) + KILLS  # a call that was cut short may have written its record
