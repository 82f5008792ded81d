"""The same YAML in a plain script, under uvicorn and under multiprocessing."""

from pathlib import Path

import pytest
import yaml

from processes import HubProcess, configuration, run_python

CONFIGURE = """
import logging, logging.config, yaml
with open("logging.yaml") as file: logging.config.dictConfig(yaml.safe_load(file))
"""

UVICORN = """
import logging, logging.config, threading, urllib.request, yaml, uvicorn

async def app(scope, receive, send):
    logging.getLogger("shop.web").info("served %s", scope["path"])
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"ok"})

def configure():
    with open("logging.yaml") as file: logging.config.dictConfig(yaml.safe_load(file))

BEFORE
server = uvicorn.Server(uvicorn.Config(app, port=0))  # runs uvicorn's own dictConfig
AFTER
logging.getLogger("shop").info("starting")
thread = threading.Thread(target=server.run)
thread.start()

while not server.started:
    thread.join(0.01)

port = server.servers[0].sockets[0].getsockname()[1]
urllib.request.urlopen(f"http://127.0.0.1:{port}/cart").read()
server.should_exit = True
thread.join()
logging.getLogger("shop").info("ending")
"""

SPAWN = """
import logging, logging.config, multiprocessing, yaml

def configure():
    with open("logging.yaml") as file: logging.config.dictConfig(yaml.safe_load(file))

def work(number):
    configure()
    for n in range(100):
        logging.getLogger("shop.worker").info("worker %d line %d", number, n)

if __name__ == "__main__":
    configure()
    context = multiprocessing.get_context("METHOD")
    workers = [context.Process(target=work, args=(number,)) for number in range(3)]
    for worker in workers: worker.start()
    for worker in workers: worker.join()
    logging.getLogger("shop").info("all ended")
"""


@pytest.fixture
def folder(tmp_path: Path, hub: HubProcess) -> Path:
    """Give a folder with the configuration in it, which names files and a hub."""
    file = {"class": "loghub.JSONFileHandler", "filename": "logs/app.jsonl", "rotate": "1 MB", "formatter": "json"}
    (tmp_path / "logging.yaml").write_text(yaml.safe_dump(configuration(hub.url, file=file)))
    return tmp_path


def lines_in(folder: Path) -> int:
    return len((folder / "logs" / "app.jsonl").read_bytes().splitlines())


def test_plain_script_delivers_what_it_logged_when_it_ends(folder: Path, hub: HubProcess) -> None:
    run_python(CONFIGURE + "for n in range(250): logging.getLogger('shop').info('line %d', n)", cwd=folder)

    assert sorted(int(event["message"].split()[1]) for event in hub.events("service:shop")) == list(range(250))
    assert lines_in(folder) == 250


@pytest.mark.parametrize(
    ("before", "after"), [("configure()", ""), ("", "configure()"), ("configure()", "configure()")]
)
def test_handlers_work_under_uvicorn_configured_before_and_after_its_own(
    before: str, after: str, folder: Path, hub: HubProcess
) -> None:
    run_python(UVICORN.replace("BEFORE", before).replace("AFTER", after), cwd=folder)

    messages = {event["message"] for event in hub.events("logger:shop")}
    assert messages == {"starting", "served /cart", "ending"}
    assert lines_in(folder) >= 3


@pytest.mark.parametrize("method", ["spawn", "fork", "forkserver"])
def test_children_of_multiprocessing_deliver_too(method: str, folder: Path, hub: HubProcess) -> None:
    run_python(SPAWN.replace("METHOD", method), cwd=folder)

    found = hub.events("logger:shop.worker")
    assert len(found) == 300
    assert len({event["message"] for event in found}) == 300
    assert len({event["process"] for event in found}) == 3
    assert len(hub.events('"all ended"')) == 1
    assert lines_in(folder) >= 301


def test_environment_turns_the_remote_handler_off_without_touching_the_yaml(folder: Path, hub: HubProcess) -> None:
    code = CONFIGURE + "logging.getLogger('shop').info('hello')"

    run_python(code, cwd=folder, LOGHUB_REMOTE="0")

    assert hub.events() == []
    assert lines_in(folder) == 1


def test_two_hosts_are_told_apart_and_filtered(folder: Path, hub: HubProcess) -> None:
    for host, service in (("web-1", "shop"), ("db-7", "ledger")):
        (folder / "logging.yaml").write_text(yaml.safe_dump(configuration(hub.url, service)))
        run_python(CONFIGURE + "logging.getLogger('app').info('hello')", cwd=folder, LOGHUB_HOSTNAME=host)

    both = {(event["hostname"], event["service"]) for event in hub.events()}
    assert both == {("web-1", "shop"), ("db-7", "ledger")}
    assert [event["service"] for event in hub.events("hostname:db-7")] == ["ledger"]
    assert [event["hostname"] for event in hub.events("service:shop")] == ["web-1"]
    assert [event["hostname"] for event in hub.events("host:db-*")] == ["db-7"]
