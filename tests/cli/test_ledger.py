"""`loghub sources` against a hub on a real socket."""

import json
import re
from collections.abc import Iterator

import httpx
import pytest
from click.testing import CliRunner, Result
from served_hub import SOURCE, line, served

from loghub.cli.ledger import command
from loghub.errors import HubError
from loghub.hub.api.app import create_app
from loghub.hub.settings import Settings
from loghub.hub.store.memory import MemoryStore
from loghub.wire.batch import Batch
from loghub.wire.report import Report, write_report

TOKEN = "a-token-of-the-test"


@pytest.fixture
def url() -> Iterator[str]:
    settings = Settings(token=TOKEN)

    with served(create_app(MemoryStore(), settings, ingest=True), settings) as address:
        yield f"http://{address}"


def send(url: str, first: int, count: int, report: Report | None = None, service: str = "shop") -> None:
    lines = tuple(line("x", seq, service=service, hostname="web-1", process=77) for seq in range(first, first + count))
    headers = {"Idempotency-Key": Batch(SOURCE, first, lines).key, "Authorization": f"Bearer {TOKEN}"}

    if report is not None:
        headers["Loghub-Sender"] = write_report(report)

    assert httpx.post(f"{url}/api/v1/ingest", content=b"".join(lines), headers=headers).status_code == 200


def run(*arguments: str, **environment: str) -> Result:
    given = {"LOGHUB_TOKEN": TOKEN, "LOGHUB_URL": arguments[0] if arguments else "", "COLUMNS": "200", **environment}
    return CliRunner().invoke(command, arguments, env=given, catch_exceptions=False)


def test_sources_are_a_table_and_what_they_lost_is_said_in_sentences(url: str) -> None:
    send(url, 1, 3)
    send(url, 21, 2, Report(sent=30, acked=3, queued=10, retried=2, dead=0, dropped=17))
    head, row, sentence = run(url).output.splitlines()

    assert head.split()[:4] == ["service", "host", "process", "source"]
    assert re.split(r"\s{2,}", row.strip())[:11] == [
        "shop", "web-1", "77", SOURCE[-6:], "30", "5", "8", "2", "0", "17", "17",
    ]  # fmt: skip
    assert row.rstrip().endswith("s ago     ?")
    assert sentence == (
        f"{SOURCE[-6:]} (shop on web-1, process 77) lost 17"
        " between 2026-09-21T14:13:23.000000Z and 2026-09-21T14:13:41.000000Z: numbers 4 to 20"
    )


def test_json_is_what_the_hub_answers(url: str) -> None:
    send(url, 1, 3)
    found = json.loads(run(url, "--json").output)
    assert [source["acked"] for source in found["sources"]] == [3]


def test_a_hub_that_nobody_sent_to_says_so(url: str) -> None:
    assert run(LOGHUB_URL=url).output == "Nobody has sent anything yet.\n"


def test_names_that_somebody_made_up_do_not_move_the_cursor(url: str) -> None:
    send(url, 1, 1, service="\x1b[2Jshop[bold]")
    assert "\x1b" not in run(url).output
    assert "[2Jshop[bold]" in run(url).output


def test_the_token_of_one_hub_is_not_shown_to_another(url: str) -> None:
    with pytest.raises(HubError, match="token"):
        run(url, LOGHUB_URL="http://127.0.0.1:1")

    assert run(url, "--token", TOKEN, LOGHUB_URL="http://127.0.0.1:1").exit_code == 0


def test_a_hub_that_does_not_answer_is_named() -> None:
    with pytest.raises(HubError, match="no answer from the hub at http"):
        run("http://127.0.0.1:1")
