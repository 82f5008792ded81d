"""A disk that is slow to allocate, write and sync: an event loop that logs to a spool on it goes on."""

import json
import os
import subprocess
import sys
from collections import Counter
from pathlib import Path

from faults.disk import STALL, build_shim
from scripted_hub import scripted_hub

_STALL = 4.0

LOOP = """
import asyncio, json, logging, sys, time
from pathlib import Path
import loghub

url, spool, switch = sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3])
handler = loghub.RemoteHandler(url, spool=str(spool), durability="interval", linger="5 ms", exit_deadline="100 s")
log = logging.getLogger("shop")
log.setLevel("INFO")
log.addHandler(handler)
pad = "x" * 3000
number = 0


def some(count):
    global number

    for number in range(number + 1, number + count + 1):
        log.info("%d", number, extra={"pad": pad})


async def until(what):
    for _ in range(6000):
        if what():
            return

        await asyncio.sleep(0.01)

    raise SystemExit("that took too long")


def newest():
    return max(spool.glob("v1/*/seg-*"), default=None)


async def main():
    while not newest() or newest().stat().st_size < 4_000_000:
        some(20)
        await asyncio.sleep(0.01)

    some(500)  # more than a quarter of it: now the next one is made
    await until(lambda: handler._engine._backlog._own.ahead.size)  # its file is there a moment before it is of use
    last, longest, before = newest(), 0.0, time.perf_counter()
    switch.touch()

    while newest() == last or not switch.stat().st_size:
        some(20)
        await asyncio.sleep(0.005)
        now = time.perf_counter()
        longest, before = max(longest, now - before), now

    await until(lambda: switch.stat().st_size >= 2)
    hits = switch.stat().st_size
    switch.unlink()
    print(json.dumps({"longest": longest, "records": number, "hits": hits}))


asyncio.run(main())
"""


def test_an_event_loop_does_not_wait_for_a_disk_that_is_stalled(tmp_path: Path) -> None:
    shim, spool = build_shim(tmp_path, STALL), tmp_path / "spool"
    script = tmp_path / "loop.py"
    script.write_text(LOOP)
    slow = {"STALL_SWITCH": str(tmp_path / "stalled"), "STALL_BELOW": str(spool), "STALL_SECONDS": str(_STALL)}

    with scripted_hub() as hub:
        done = subprocess.run(
            [sys.executable, str(script), hub.url, str(spool), slow["STALL_SWITCH"]],
            env=os.environ | slow | {"LD_PRELOAD": str(shim)},
            capture_output=True,
            text=True,
            timeout=200,
            check=False,
        )
        arrived = Counter(hub.messages)

    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert found["longest"] < _STALL * 3 / 4  # each call of the thread's took at least that long
    assert arrived == {str(number): 1 for number in range(1, found["records"] + 1)}
