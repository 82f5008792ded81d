from pathlib import Path
from typing import Any

import pytest

from loghub.errors import ConfigError
from loghub.hub.settings import Address, Settings, data_directory, parse_address

ANYWHERE = "0.0.0.0"
TOKEN = "12345678"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"host": ANYWHERE}, "loghub serve: host='0.0.0.0': set a token to listen beyond loopback"),
        ({"host": "logs.example.org"}, "set a token"),
        ({"port": 70000}, "port=70000: the port is a number from 0 to 65535"),
        ({"token": "short"}, "token='…': use at least 8"),
        ({"token": "with a space"}, "token='…'"),
        ({"token": TOKEN, "allowed_hosts": ("http://x",)}, "allowed_hosts='http://x'"),
        ({"token": TOKEN, "allowed_hosts": ("*",)}, "allowed_hosts='*'"),
        (
            {"allowed_hosts": ("localhost", "logs.example.org")},
            "allowed_hosts='localhost, logs.example.org': set a token",
        ),
        ({"tls_cert": Path("cert.pem")}, "tls_key=None: give tls_cert and tls_key together"),
        ({"tls_cert": Path("no.pem"), "tls_key": Path("no.pem")}, "tls_cert='no.pem': there is no such file"),
        ({"prefix": "logs"}, "prefix='logs': use a path without a slash at its end"),
        ({"prefix": "/logs/"}, "prefix='/logs/'"),
        ({"prefix": '/"><b>'}, "use a path"),
        ({"keep_us": 0}, "keep=0"),
        ({"keep_bytes": 0}, "keep_bytes=0"),
    ],
)
def test_a_wrong_option_is_named_with_its_remedy(options: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        Settings(**options)

    assert message in str(caught.value)


def test_other_loopback_names_need_no_token() -> None:
    assert Settings(allowed_hosts=("::1", "127.0.0.2")).names == ("::1", "127.0.0.2", "127.0.0.1")


def test_beyond_loopback_a_token_is_enough() -> None:
    settings = Settings(host="192.0.2.1", token=TOKEN, allowed_hosts=("logs.example.org", "::2"))
    assert settings.names == ("logs.example.org", "::2", "192.0.2.1")
    assert TOKEN not in repr(settings)


@pytest.mark.parametrize("text", ["127.0.0.1:8765", "[::1]:0", "localhost:65535"])
def test_an_address_is_read_as_it_prints(text: str) -> None:
    assert str(parse_address(text, "Test", "serve")) == text


@pytest.mark.parametrize("text", ["", "8765", ":8765", "::1:8765", "[::1]", "host:", "host:http", "host:65536", "h:٣"])
def test_what_is_no_address_is_refused(text: str) -> None:
    with pytest.raises(ConfigError, match="Test: serve="):
        parse_address(text, "Test", "serve")


def test_an_address_is_host_and_port() -> None:
    assert parse_address("[::1]:80", "Test", "serve") == Address("::1", 80)


def test_data_is_kept_where_the_platform_keeps_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/u")
    assert data_directory({}, "linux") == Path("/home/u/.local/share/loghub")
    assert data_directory({"XDG_DATA_HOME": "/x"}, "linux") == Path("/x/loghub")
    assert data_directory({}, "darwin") == Path("/home/u/Library/Application Support/loghub")
    assert data_directory({"LOCALAPPDATA": "/l"}, "win32") == Path("/l/loghub")
