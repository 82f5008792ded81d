"""The end of a process: what waits is delivered, an unreachable hub holds nothing up, what is left is said."""

import os
import re
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from scripted_hub import ScriptedHub, hang, scripted_hub, status

ROOT = Path(__file__).parents[2]

SETUP = """
import atexit, logging, multiprocessing, os, sys, threading, time
import loghub
handler = loghub.RemoteHandler({url!r}, linger="100 s", timeout="100 s", exit_deadline={deadline!r})
log = logging.getLogger("shop")
log.setLevel("INFO")
log.addHandler(handler)
"""


@pytest.fixture
def hub() -> Iterator[ScriptedHub]:
    with scripted_hub() as made:
        yield made


def run(code: str, url: str, deadline: str = "100 s") -> tuple[subprocess.CompletedProcess[str], float]:
    start = time.monotonic()
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", SETUP.format(url=url, deadline=deadline) + code],
        capture_output=True,
        text=True,
        timeout=200,
        check=False,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    return done, time.monotonic() - start


ENDINGS = {
    "end of the script": "for n in range(300): log.info('%d', n)",
    "sys.exit": "for n in range(300): log.info('%d', n)\nsys.exit(3)",
    "an exception": "for n in range(300): log.info('%d', n)\nraise SystemError",
    "a thread that is no daemon": """
def later():
    time.sleep(0.2)
    for n in range(300): log.info('%d', n)
threading.Thread(target=later).start()
""",
    "an exit hook that was registered first": """
def late():
    for n in range(300): log.info('%d', n)
atexit.register(late)
""",
}


@pytest.mark.parametrize("ending", ENDINGS)
def test_what_waits_is_delivered(hub: ScriptedHub, ending: str) -> None:
    done, took = run(ENDINGS[ending], hub.url)
    assert hub.messages == [str(number) for number in range(300)], done.stderr
    assert "not delivered" not in done.stderr
    assert took < 50


@pytest.mark.parametrize("first", ["log.info('first')", "pass"])
def test_records_of_the_very_last_hooks_are_delivered(hub: ScriptedHub, first: str) -> None:
    # Registered before loghub is loaded, so it runs after loghub's own hook: logging.shutdown's flush is what is left.
    # From Python 3.12 on no thread can start there.
    code = "import atexit, logging\natexit.register(lambda: logging.getLogger('shop').info('last'))\n"
    script = code + SETUP.format(url=hub.url, deadline="100 s") + first
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    subprocess.run([sys.executable, "-c", script], check=True, timeout=60, env=environment)
    assert hub.messages == (["last"] if first == "pass" else ["first", "last"])


def test_unreachable_hub_holds_the_exit_up_for_the_deadline_only_and_counts_are_said() -> None:
    with scripted_hub() as gone:
        url = gone.url

    done, took = run("for n in range(42): log.info('%d', n)", url, "1 s")
    assert took < 50
    assert "42 of 42 records were not delivered before the exit (0 acknowledged, 0 refused, 0 dropped)" in done.stderr
    assert len(re.findall("not delivered", done.stderr)) == 1


def test_hub_that_does_not_answer_holds_the_exit_up_for_the_deadline_only() -> None:
    with scripted_hub(otherwise=hang(threading.Event())) as hub:
        done, took = run("log.info('x')\nhandler.flush(0)\ntime.sleep(0.3)", hub.url, "1 s")

    assert took < 50  # the request itself would take 100
    assert "1 of 1 records were not delivered" in done.stderr


def test_hub_that_refuses_the_token_does_not_hold_the_exit_up() -> None:
    with scripted_hub(otherwise=status(401)) as hub:
        done, took = run("log.info('x')", hub.url, "100 s")
        assert 1 <= len(hub.requests) <= 2

    assert took < 50
    assert "HTTP 401" in done.stderr
    assert "1 of 1 records were not delivered" in done.stderr


def test_bad_certificate_is_held_and_said() -> None:
    with scripted_hub(certificate=Path(__file__).with_name("self_signed.pem")) as hub:
        done, took = run("log.info('x')", hub.url, "100 s")
        assert not hub.requests

    assert took < 50
    assert "bad certificate" in done.stderr
    assert "1 of 1 records were not delivered" in done.stderr


def test_closed_stderr_is_no_trouble() -> None:
    with scripted_hub() as gone:
        url = gone.url

    done, _ = run("log.info('x')\nsys.stderr.close()\nsys.stderr = None", url, "100 ms")
    assert done.returncode == 0


def test_import_and_construction_start_no_thread(hub: ScriptedHub) -> None:
    done, _ = run("print(threading.active_count(), 'httpx' in sys.modules)\nlog.info('x')", hub.url)
    assert done.stdout.split()[0] == "1"
    assert hub.messages == ["x"]


MULTIPROCESSING = """
import logging, multiprocessing, sys, time
import loghub

def configure():
    log = logging.getLogger("shop")
    log.setLevel("INFO")
    if not log.handlers:
        log.addHandler(loghub.RemoteHandler(sys.argv[1], linger="100 s", exit_deadline="100 s"))
    return log

def work(child):
    log = configure()
    for n in range(100):
        log.info("%d-%d", child, n)

if __name__ == "__main__":
    context = multiprocessing.get_context(sys.argv[2])
    log = configure()
    log.info("parent")
    if sys.argv[3] == "process":
        children = [context.Process(target=work, args=(n,)) for n in range(3)]
        for child in children: child.start()
        for child in children: child.join()
    else:
        with context.Pool(3) as pool:
            pool.map(work, range(3))
            pool.close()
            pool.join()
    print([child.exitcode for child in children] if sys.argv[3] == "process" else "pool")
"""


@pytest.mark.parametrize("kind", ["process", "pool"])
@pytest.mark.parametrize("method", ["fork", "spawn", "forkserver"])
def test_children_of_multiprocessing_deliver_what_they_logged(
    hub: ScriptedHub, tmp_path: Path, method: str, kind: str
) -> None:
    script = tmp_path / "children.py"
    script.write_text(MULTIPROCESSING)
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [sys.executable, script, hub.url, method, kind],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        env=environment,
    )
    expected = ["parent", *(f"{child}-{number}" for child in range(3) for number in range(100))]
    assert sorted(hub.messages) == sorted(expected), done.stderr
    assert "Traceback" not in done.stderr


FORKS = """
handler.flush(0)
stop = threading.Event()
count = 0

def chatter(name):
    number = 0
    while not stop.is_set():
        log.info("parent %s %d", name, number)
        number += 1
        time.sleep(0.0002)

threads = [threading.Thread(target=chatter, args=(n,)) for n in range(3)]
for thread in threads: thread.start()
children = []
for number in range(20):
    pid = os.fork()
    if pid == 0:
        stop.set()
        for line in range(5): log.info("child %d %d", number, line)
        ok = handler.flush(60)
        os._exit(0 if ok else 9)
    children.append(pid)
    time.sleep(0.005)
codes = [os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) for pid in children]
stop.set()
for thread in threads: thread.join()
print(set(codes), handler.counters.appended, handler.counters.dropped, flush=True)
"""


def test_fork_while_threads_log_neither_hangs_nor_doubles_nor_loses(hub: ScriptedHub) -> None:
    done, _ = run(FORKS, hub.url)
    assert done.stdout.startswith("{0} "), done.stderr
    appended = int(done.stdout.split()[1])
    children = [message for message in hub.messages if message.startswith("child")]
    parents = [message for message in hub.messages if message.startswith("parent")]
    assert sorted(children) == sorted(f"child {number} {line}" for number in range(20) for line in range(5))
    assert len(parents) == len(set(parents)) == appended
    assert len({source for source, _ in hub.stored}) == 21


def test_sending_imports_nothing_that_construction_did_not(hub: ScriptedHub) -> None:
    # A child that is forked meanwhile would wait for the module's lock for ever.
    code = "before = set(sys.modules)\nlog.info('x')\nprint(handler.flush(60), set(sys.modules) - before)"
    done, _ = run(code, hub.url.replace("127.0.0.1", "localhost"))
    assert done.stdout == "True set()\n", done.stderr


FORK_IN_FLIGHT = """
log.info("parent's")
handler.flush(0)
time.sleep(0.3)
pid = os.fork()
if pid == 0:
    sys.exit(0)
os.waitpid(pid, 0)
"""


def test_child_that_logs_nothing_sends_nothing_of_its_parent(hub: ScriptedHub) -> None:
    run(FORK_IN_FLIGHT, hub.url)
    assert hub.messages == ["parent's"]
    assert len(hub.requests) == 1


SYS_EXIT_CHILD = """
log.info("parent")
handler.flush(60)
pid = os.fork()
if pid == 0:
    log.info("child")
    sys.exit(0)
os.waitpid(pid, 0)
log.info("parent again")
"""


def test_forked_child_delivers_at_sys_exit_and_the_parent_keeps_its_connection(hub: ScriptedHub) -> None:
    run(SYS_EXIT_CHILD, hub.url)
    assert sorted(hub.messages) == ["child", "parent", "parent again"]


@pytest.mark.parametrize("way", ["sends", "leaves it to others"])
def test_what_is_spooled_comes_to_the_disk_before_the_end_where_it_is_brought_there_at_all(
    way: str, tmp_path: Path
) -> None:
    code = """
import logging, os, pathlib, sys
import loghub
really = os.fdatasync

def noted(descriptor):
    path = os.readlink(f"/proc/self/fd/{descriptor}")
    has_last = b"the last" in open(path, "rb").read()
    really(descriptor)
    print(pathlib.Path(path).name[:4], has_last, flush=True)

os.fdatasync = noted
handler = loghub.RemoteHandler("http://127.0.0.1:9", spool=sys.argv[1], durability=sys.argv[2], exit_deadline="50 ms",
    send=sys.argv[3] == "sends")
log = logging.getLogger("shop")
log.addHandler(handler)
log.warning("the first")
log.warning("the last")
"""
    said = {}

    for durability in ("process", "interval"):
        arguments = [sys.executable, "-c", code, str(tmp_path / durability), durability, way]
        environment = {**os.environ, "PYTHONPATH": str(ROOT)}
        done = subprocess.run(arguments, check=True, timeout=60, capture_output=True, text=True, env=environment)
        said[durability] = done.stdout.splitlines()

    assert "seg- True" in said["interval"]
    assert "seg- True" not in said["process"]
