"""Which hosts are this machine."""

import pytest

from loghub.wire.loopback import is_loopback

ANYWHERE = "0.0.0.0"


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST.", "127.0.0.1", "127.9.9.9", "::1"])
def test_loopback_is_known_by_its_names(host: str) -> None:
    assert is_loopback(host)


@pytest.mark.parametrize("host", ["", ANYWHERE, "::", "localhost.example", "2130706433", "127.1", "example.org"])
def test_other_names_are_not_loopback(host: str) -> None:
    assert not is_loopback(host)
