"""What proves who sends: tokens, passwords, headers, certificates; from environment and files; never shown."""

import base64
import logging
import subprocess
from pathlib import Path
from typing import Any

import pytest

from loghub.errors import ConfigError
from loghub.handlers.delivery import Pace
from loghub.handlers.destination import Destination, Secret, Trust
from loghub.handlers.post import HTTPPost
from loghub.handlers.remote import RemoteHandler
from loghub.wire.batch import Batch

from scripted_hub import Received, ScriptedHub, scripted_hub, status

CERTIFICATE = Path(__file__).with_name("self_signed.pem")
SECRET = "hunter2-hunter2"


class QuickHandler(RemoteHandler):
    """Retries in milliseconds."""

    def _pace(self) -> Pace:
        return Pace(0.01, 0.02)


def sent(hub: ScriptedHub, **options: Any) -> Received:
    handler = QuickHandler(hub.url, linger=0, exit_deadline=0, **options)
    handler.handle(logging.makeLogRecord({"msg": "x"}))
    assert handler.flush(60)
    handler.close()
    return hub.requests[-1]


@pytest.fixture
def secret_file(tmp_path: Path) -> Path:
    path = tmp_path / "token"
    path.write_text(f"{SECRET}\n")
    return path


def test_token_of_the_environment_is_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SHOP_TOKEN", SECRET)

    with scripted_hub() as hub:
        assert sent(hub, token="env:SHOP_TOKEN").headers["authorization"] == f"Bearer {SECRET}"


def test_token_of_a_file_is_sent(secret_file: Path) -> None:
    with scripted_hub() as hub:
        assert sent(hub, token=f"file:{secret_file}").headers["authorization"] == f"Bearer {SECRET}"


def test_token_that_is_renewed_in_its_file_is_taken_up_without_a_restart(secret_file: Path) -> None:
    def renewed(hub: ScriptedHub, connection: Any, received: Received) -> bool:
        secret_file.write_text("new-one")
        return status(401)(hub, connection, received)

    with scripted_hub(renewed) as hub:
        assert sent(hub, token=f"file:{secret_file}").headers["authorization"] == "Bearer new-one"
        assert hub.messages == ["x"]


@pytest.mark.parametrize("password", [SECRET, "env:SHOP_PASSWORD", "file:{}"])
def test_username_and_password_are_sent(password: str, secret_file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SHOP_PASSWORD", SECRET)

    with scripted_hub() as hub:
        header = sent(hub, username="shop", password=password.format(secret_file)).headers["authorization"]

    assert base64.b64decode(header.removeprefix("Basic ")).decode() == f"shop:{SECRET}"


def test_header_may_hold_a_secret_of_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SHOP_KEY", SECRET)

    with scripted_hub() as hub:
        assert sent(hub, headers={"X-Api-Key": "env:SHOP_KEY"}).headers["x-api-key"] == SECRET


def test_proxy_of_the_configuration_is_used_and_its_password_sent() -> None:
    with scripted_hub() as proxy:
        address = proxy.url.replace("://", f"://shop:{SECRET}@")
        handler = QuickHandler("http://hub.example", proxy=address, linger=0, exit_deadline=0)
        handler.handle(logging.makeLogRecord({"msg": "x"}))
        assert handler.flush(60)
        handler.close()
        assert proxy.requests[0].path == "http://hub.example/api/v1/ingest"
        assert "proxy-authorization" in proxy.requests[0].headers


def test_hub_that_asks_for_a_certificate_gets_ours() -> None:
    with scripted_hub(certificate=CERTIFICATE) as hub:
        hub.asks_for = CERTIFICATE
        sent(hub, verify=str(CERTIFICATE), cert=str(CERTIFICATE))
        assert hub.messages == ["x"]


def test_hub_that_asks_for_a_certificate_takes_nothing_without() -> None:
    with scripted_hub(certificate=CERTIFICATE) as hub:
        hub.asks_for = CERTIFICATE
        post = HTTPPost(Destination(hub.url, trust=Trust(str(CERTIFICATE))))
        assert not isinstance(post.send(Batch("0" * 24, 1, (b"{}\n",)), 5).status, int)
        post.close()
        assert not hub.requests


WRONG: list[tuple[dict[str, Any], str]] = [
    ({"token": "env:NO_SUCH_VARIABLE"}, "token"),
    ({"token": "env:"}, "token"),
    ({"token": "env:ODD"}, "token"),
    ({"token": "file:/no/such/file"}, "token"),
    ({"token": SECRET, "username": "shop", "password": SECRET}, "token"),
    ({"token": f"{SECRET}\n"}, "token"),
    ({"token": f"${{{SECRET}}}"}, "token"),
    ({"token": 5}, "token"),
    ({"username": "a:b", "password": SECRET}, "username"),
    ({"password": SECRET}, "username"),
    ({"username": "shop", "password": f"é{SECRET}"}, "password"),
    ({"username": "shop", "password": "env:NO_SUCH_VARIABLE"}, "password"),
    ({"headers": {"X-Key": f"{SECRET}\r\n"}}, "headers"),
    ({"headers": {"X-Key": "env:NO_SUCH_VARIABLE"}}, "headers"),
    ({"headers": [SECRET]}, "headers"),
    ({"proxy": "env:NO_SUCH_VARIABLE"}, "proxy"),
    ({"cert": str(CERTIFICATE)}, "cert"),
    ({"url": "https://127.0.0.1:9", "key": str(CERTIFICATE)}, "cert"),
    ({"url": "https://127.0.0.1:9", "cert": "/no/such/file"}, "cert"),
    ({"url": "https://127.0.0.1:9", "cert": __file__}, "cert"),
    ({"url": "https://127.0.0.1:9", "cert": str(CERTIFICATE), "key": "/no/such/file"}, "key"),
    ({"url": "tcp://127.0.0.1:9", "token": SECRET}, "token"),
    ({"url": "tcp://127.0.0.1:9", "username": "shop", "password": SECRET}, "username"),
    ({"url": "tcp://127.0.0.1:9", "headers": {"X-Key": SECRET}}, "headers"),
    ({"url": "tcp://127.0.0.1"}, "url"),
    ({"url": "tcp://127.0.0.1:9/path"}, "url"),
    ({"url": "tcp://127.0.0.1:9", "protocol": "loghub"}, "protocol"),
    ({"protocol": "syslog"}, "protocol"),
]


@pytest.mark.parametrize(("options", "option"), WRONG)
def test_wrong_proof_is_named_and_not_shown(
    options: dict[str, Any], option: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ODD", f"{SECRET}\n")

    with pytest.raises(ConfigError) as caught:
        RemoteHandler(**{"url": "http://127.0.0.1:9", **options})

    assert caught.value.option == option
    assert caught.value.remedy
    assert SECRET not in f"{caught.value!r} {caught.value} {caught.value.value}" or "${" in str(options)


def test_key_with_a_password_is_refused_without_asking_at_the_terminal(tmp_path: Path) -> None:
    key = tmp_path / "key.pem"
    command = ["openssl", "pkey", "-in", str(CERTIFICATE), "-aes256", "-passout", "pass:x", "-out", str(key)]
    subprocess.run(command, check=True)

    with pytest.raises(ConfigError, match="without a password"):
        RemoteHandler("https://127.0.0.1:9", cert=str(CERTIFICATE), key=str(key))


def test_file_that_is_no_token_is_not_shown(tmp_path: Path) -> None:
    (tmp_path / "token").write_bytes(b"two lines\nof " + SECRET.encode())

    with pytest.raises(ConfigError) as caught:
        RemoteHandler("http://127.0.0.1:9", token=f"file:{tmp_path / 'token'}")

    assert "two lines" not in str(caught.value)


def test_secrets_stand_in_no_repr_no_counter_and_no_message(capfd: pytest.CaptureFixture[str]) -> None:
    """Each place that could show one: the engine's key, the handler, its plan, stderr and the counters."""
    told = status(307, f"Location: https://else.example/login?token={SECRET}")
    proof: dict[str, Any] = {"token": SECRET, "headers": {"X-Key": f"{SECRET}-2"}}

    with scripted_hub(told) as hub:
        handler = QuickHandler(hub.url, linger=0, exit_deadline=0, **proof)
        handler.handle(logging.makeLogRecord({"msg": "x"}))
        assert handler.flush(60)
        seen = f"{handler!r} {handler._plan!r} {handler.counters!r} {capfd.readouterr()}"
        handler.close()

    assert "else.example/login" in seen
    assert SECRET not in seen


@pytest.mark.parametrize("place", ["token", "basic", "proxy", "headers"])
def test_failure_whose_text_holds_a_secret_is_told_without_it(place: str) -> None:
    secret: Any = {"basic": ("shop", Secret(SECRET)), "headers": (("X-Key", Secret(SECRET)),)}.get(
        place, Secret(SECRET)
    )
    destination = Destination("http://127.0.0.1:9", **{place: secret})
    assert destination.conceal(f"cannot go with {SECRET}!") == "cannot go with …!"


def test_handler_that_is_off_needs_neither_address_nor_secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOGHUB_REMOTE", "0")
    monkeypatch.delenv("LOGHUB_URL", raising=False)
    handler = RemoteHandler(token="env:NO_SUCH_VARIABLE", headers={"X-Key": "file:/no/such/file"})
    assert not handler.enabled
    handler.close()
