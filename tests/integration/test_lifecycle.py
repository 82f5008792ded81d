"""Real processes in the situations that handlers are known to lose or double records in, with a spool and without."""

import asyncio
import logging
import os
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

import loghub

from processes import free_port, run_python, wait_for
from scripted_hub import ScriptedHub, hang, scripted_hub

SETUP = """
import logging, multiprocessing, os, sys, threading, time, loghub
deadline, waits = os.environ["DEADLINE"], os.environ["WAITS"]
handler = loghub.RemoteHandler(os.environ["URL"], linger="5 ms", exit_deadline=deadline, spool=waits or None)
log = logging.getLogger("shop")
log.setLevel("INFO")
log.addHandler(handler)
"""


@pytest.fixture
def hub() -> Iterator[ScriptedHub]:
    with scripted_hub() as made:
        yield made


@pytest.fixture(params=["memory", "spool"])
def waits(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    return str(tmp_path / "spool") if request.param == "spool" else ""


def run(code: str, hub: str, waits: str, folder: Path, deadline: str = "60 s") -> "subprocess.CompletedProcess[str]":
    return run_python(SETUP + code, cwd=folder, URL=hub, WAITS=waits, DEADLINE=deadline)


FORKS = """
stop = threading.Event()

def chatter(name):
    number = 0
    while not stop.is_set():
        log.info("parent %s %d", name, number)
        number += 1
        time.sleep(0.0002)
    written.append(number)

written = []
threads = [threading.Thread(target=chatter, args=(n,)) for n in range(3)]
for thread in threads: thread.start()
children = []
for number in range(12):
    pid = os.fork()
    if pid == 0:
        for line in range(5): log.info("child %d %d", number, line)
        FLUSH
        os._exit(0)
    children.append(pid)
for pid in children: assert os.waitpid(pid, 0)[1] == 0
stop.set()
for thread in threads: thread.join()
log.info("written %d", sum(written))
"""

AGAIN = "log.info('again')\nassert handler.flush(60)\ntime.sleep(0.5)"


def test_forks_under_load_lose_and_double_nothing(hub: ScriptedHub, waits: str, tmp_path: Path) -> None:
    """What a child had only written to its spool when it ended by os._exit is sent by whoever comes next."""
    run(FORKS.replace("FLUSH", "" if waits else "assert handler.flush(60)"), hub.url, waits, tmp_path)

    if waits:
        run(AGAIN, hub.url, waits, tmp_path)

    children = sorted(f"child {number} {line}" for number in range(12) for line in range(5))
    wait_for(lambda: sum(message.startswith("child") for message in hub.messages) >= len(children))
    messages = hub.messages
    parents = [message for message in messages if message.startswith("parent")]
    assert sorted(message for message in messages if message.startswith("child")) == children
    assert f"written {len(set(parents))}" in messages
    assert len(parents) == len(set(parents))


LOCKS_HELD = """
log.info("parent")
assert handler.flush(60)
held, release = threading.Event(), threading.Event()
kinds = (type(threading.RLock()), type(threading.Lock()))
locks, places, seen = [], [handler, handler._engine], set()

while places:  # all that hangs on them, but for the bell, which the sleeping thread holds
    place = places.pop()
    seen.add(id(place))

    for name, value in vars(place).items():
        if isinstance(value, kinds) and name != "_bell":
            locks.append(value)
        elif type(value).__module__.startswith("loghub") and hasattr(value, "__dict__") and id(value) not in seen:
            places.append(value)

assert len(locks) >= MOST, locks

def hold():
    for lock in locks: lock.acquire()
    held.set()
    release.wait(200)
    for lock in locks: lock.release()

holder = threading.Thread(target=hold)
holder.start()
assert held.wait(60)
pid = os.fork()
if pid == 0:
    log.info("child")
    os._exit(0 if handler.flush(60) else 9)
code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
release.set()
holder.join()
assert code == 0, code
log.info("parent again")
"""


def test_fork_while_another_thread_holds_every_lock(hub: ScriptedHub, waits: str, tmp_path: Path) -> None:
    # Of logging's handler, of the engine, and of the ring, or of the lanes and of this process's own.
    run(LOCKS_HELD.replace("MOST", "4" if waits else "3"), hub.url, waits, tmp_path)
    assert sorted(hub.messages) == ["child", "parent", "parent again"]


POOL = """
def work(number):
    for line in range(20): log.info("%d-%d", number, line)

if __name__ == "__main__":
    with multiprocessing.get_context("METHOD").Pool(3) as pool:
        pool.map(work, range(6))
        ENDING
    log.info("all")
"""


@pytest.mark.parametrize("ending", ["pool.close(); pool.join()", "pass"], ids=["joined", "terminated"])
def test_workers_of_a_pool_lose_nothing(hub: ScriptedHub, tmp_path: Path, ending: str) -> None:
    """A pool that is left terminates its workers by a signal: with a spool that loses nothing either."""
    waits = str(tmp_path / "spool")
    run(POOL.replace("METHOD", "fork").replace("ENDING", ending), hub.url, waits, tmp_path)
    run(AGAIN, hub.url, waits, tmp_path)

    expected = sorted(f"{number}-{line}" for number in range(6) for line in range(20))
    wait_for(lambda: len(hub.stored) >= len(expected) + 2)
    assert sorted(message for message in hub.messages if "-" in message) == expected


UNREACHABLE = """
for number in range(200): log.info("%d", number)
"""


def test_an_unreachable_hub_holds_no_exit_up_and_the_next_process_delivers(tmp_path: Path) -> None:
    waits = str(tmp_path / "spool")
    port = free_port()
    start = time.monotonic()
    run(UNREACHABLE, f"http://127.0.0.1:{port}", waits, tmp_path, deadline="1 s")
    took = time.monotonic() - start

    with scripted_hub() as hub:
        run(AGAIN, hub.url, waits, tmp_path)  # the address may change: what is left goes along
        wait_for(lambda: len(hub.stored) == 201)
        assert sorted(hub.messages) == sorted([*map(str, range(200)), "again"])

    assert took < 50  # the deadline is one; without any it would try for ever


GUNICORN = """
import logging, os, loghub
waits = os.environ["WAITS"] or None
handler = loghub.RemoteHandler(os.environ["URL"], linger="5 ms", exit_deadline="60 s", spool=waits)
log = logging.getLogger("shop")
log.setLevel("INFO")
log.addHandler(handler)
log.info("loaded by %d", os.getpid())
assert handler.flush(60)

def app(environ, start_response):
    log.info("served %s", environ["PATH_INFO"])
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [str(os.getpid()).encode()]
"""


def test_gunicorn_with_a_preloaded_application_delivers_from_each_worker(
    hub: ScriptedHub, waits: str, tmp_path: Path
) -> None:
    (tmp_path / "shop.py").write_text(GUNICORN)
    port = free_port()
    command = [
        sys.executable,
        "-m",
        "gunicorn",
        "--preload",
        "--workers",
        "2",
        "--timeout",
        "100",
        "--graceful-timeout",
        "100",
        "--bind",
        f"127.0.0.1:{port}",
        "shop:app",
    ]
    environment = {**os.environ, "URL": hub.url, "WAITS": waits}

    with subprocess.Popen(command, cwd=tmp_path, env=environment, stderr=subprocess.DEVNULL) as server:
        try:
            wait_for(lambda: _get(port, "/ready"))
            answered = {_get(port, f"/{number}") for number in range(30)}
        finally:
            server.terminate()
            server.wait(100)

    wait_for(lambda: sum(message.startswith("served /") for message in hub.messages) >= 31)
    served = [message for message in hub.messages if message.startswith("served /") and "ready" not in message]
    assert sorted(served) == sorted(f"served /{number}" for number in range(30))
    assert sum(message.startswith("loaded by") for message in hub.messages) == 1
    assert 1 + len(answered) <= len({source for source, _ in hub.stored}) <= 3


def _get(port: int, path: str) -> str:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=60) as answer:
            return str(answer.read().decode())
    except OSError:
        return ""


@pytest.mark.anyio
@pytest.mark.parametrize("anyio_backend", ["asyncio"])
async def test_an_event_loop_does_not_wait_for_a_hub_that_hangs(waits: str, anyio_backend: str) -> None:
    """Each pause of the loop is measured while thousands of records wait; a call that sends would wait for 200 s."""
    assert anyio_backend
    release = threading.Event()

    with scripted_hub(otherwise=hang(release)) as hub:
        handler = loghub.RemoteHandler(hub.url, linger=0, timeout="200 s", exit_deadline="1 s", spool=waits or None)
        logger = logging.Logger("loop")  # noqa: LOG001 (one of its own)
        logger.addHandler(handler)
        pauses: list[float] = []

        for number in range(100):
            before = time.monotonic()

            for line in range(30):
                logger.info("%d %d", number, line)

            await asyncio.sleep(0)
            pauses.append(time.monotonic() - before)

        hub.wait_for(lambda: len(hub.requests) >= 1)
        assert max(pauses) < 30, sorted(pauses)[-5:]
        release.set()
        assert await asyncio.to_thread(handler.flush, 20)
        assert len(hub.stored) == 3000
        handler.close()
