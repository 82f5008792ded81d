"""What the environment fills in, and the one thing that it does not: a token for another address."""

import logging
from pathlib import Path

import pytest

from loghub.errors import ConfigError
from loghub.handlers.console import ConsoleHandler
from loghub.handlers.remote import RemoteHandler

from scripted_hub import scripted_hub

TOKEN = "from-the-environment"


def authorization(url: str | None, token: str | None = None, **headers: str) -> str | None:
    """Give what a handler that is made so proves itself with."""
    place = RemoteHandler(url, token=token, headers=headers, exit_deadline=0)._plan.destination
    return place.token.reveal() if place.token else None


@pytest.fixture(autouse=True)
def _environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOGHUB_URL", "https://hub.example/logs")
    monkeypatch.setenv("LOGHUB_TOKEN", TOKEN)


def test_url_and_token_of_the_environment_are_used_where_the_configuration_has_none(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with scripted_hub() as hub:
        monkeypatch.setenv("LOGHUB_URL", hub.url)
        handler = RemoteHandler(linger=0)
        handler.handle(logging.makeLogRecord({"msg": "x"}))
        assert handler.flush(60)
        assert handler.url == hub.url
        assert hub.requests[0].headers["authorization"] == f"Bearer {TOKEN}"
        handler.close()


def test_url_of_the_configuration_wins() -> None:
    handler = RemoteHandler("http://127.0.0.1:9")
    assert handler.url == "http://127.0.0.1:9"
    handler.close()


@pytest.mark.parametrize("url", [None, "https://hub.example/logs", "https://HUB.example:443/logs/"])
def test_token_goes_to_the_address_it_was_given_for(url: str | None) -> None:
    assert authorization(url) == TOKEN


@pytest.mark.parametrize(
    "url",
    [
        "http://hub.example/logs",
        "https://hub.example",
        "https://hub.example/logs2",
        "https://hub.example:8443/logs",
        "https://hub.example.evil.example/logs",
        "http://127.0.0.1:8514",
        "tcp://hub.example:443",
    ],
)
def test_token_goes_nowhere_else(url: str) -> None:
    assert authorization(url) is None


@pytest.mark.parametrize("its_url", ["", None, "http://[::1"])
def test_token_without_an_address_goes_nowhere(its_url: str | None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("LOGHUB_URL")

    if its_url is not None:
        monkeypatch.setenv("LOGHUB_URL", its_url)

    assert authorization("http://127.0.0.1:9") is None


def test_token_goes_where_the_configuration_says_so() -> None:
    assert authorization("http://127.0.0.1:9", "env:LOGHUB_TOKEN") == TOKEN


def test_proof_of_the_configuration_wins() -> None:
    assert authorization(None, "mine") == "mine"
    assert authorization(None, "") is None
    assert authorization(None, None, Authorization="Splunk x") is None


def test_address_that_is_missing_names_the_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("LOGHUB_URL")

    with pytest.raises(ConfigError, match="set LOGHUB_URL") as caught:
        RemoteHandler()

    assert caught.value.option == "url"


def test_wrong_address_in_the_environment_is_named_as_such(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOGHUB_URL", "http://user:hunter2@host")

    with pytest.raises(ConfigError, match="LOGHUB_URL") as caught:
        RemoteHandler()

    assert "hunter2" not in str(caught.value)


def test_spool_of_the_environment_is_used_where_the_configuration_has_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LOGHUB_SPOOL", str(tmp_path / "theirs"))
    handler = RemoteHandler("http://127.0.0.1:9", exit_deadline=0, send=False)
    other = RemoteHandler("http://127.0.0.1:9", exit_deadline=0, send=False, spool=str(tmp_path / "ours"))
    assert (handler.guarantee, other.guarantee) == ("process", "process")
    handler.handle(logging.makeLogRecord({"msg": "x"}))
    assert len(list((tmp_path / "theirs" / "v1").iterdir())) == 1
    assert not (tmp_path / "ours").exists()
    handler.close()
    other.close()


def test_configuration_wins_over_everything_but_the_two_switches(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("LOGHUB_SPOOL", str(tmp_path))
    monkeypatch.setenv("LOGHUB_REMOTE", "0")
    monkeypatch.setenv("LOGHUB_CONSOLE", "0")
    assert not RemoteHandler("http://127.0.0.1:9", token="mine", enabled=True).enabled
    assert not ConsoleHandler(enabled=True).enabled
    monkeypatch.setenv("LOGHUB_REMOTE", "1")
    monkeypatch.setenv("LOGHUB_CONSOLE", "1")
    assert RemoteHandler("http://127.0.0.1:9", token="mine", enabled=False, exit_deadline=0).enabled
    assert ConsoleHandler(enabled=False).enabled
    assert authorization("http://127.0.0.1:9", "mine") == "mine"
