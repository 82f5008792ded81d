"""The outbound hook by itself: what it sets, and what it leaves alone."""

import httpx
import pytest

from loghub.event.context import bound
from loghub.middleware.outbound import HEADER, send_request_id


def sent(**headers: str) -> str | None:
    request = httpx.Request("GET", "http://127.0.0.1", headers={k.replace("_", "-"): v for k, v in headers.items()})
    send_request_id(request)
    found: str | None = request.headers.get(HEADER)
    return found


def test_bound_id_is_sent() -> None:
    with bound(request_id="abc"):
        assert sent() == "abc"


def test_header_of_the_caller_stays() -> None:
    with bound(request_id="abc"):
        assert sent(X_Request_ID="mine") == "mine"


def test_nothing_is_sent_outside_of_a_request() -> None:
    assert sent() is None


@pytest.mark.parametrize("odd", ["a\r\nX-Evil: 1", "ä", "", "a b", "x" * 129, 7])
def test_id_that_no_header_can_hold_is_not_sent(odd: object) -> None:
    with bound(request_id=odd):
        assert sent() is None
