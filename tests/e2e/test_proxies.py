"""A live page behind proxies that pass no WebSocket on, and that hold streams back."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from e2e.proxies import proxy
from e2e.viewer_page import expect_live, ids_of, row_with, rows
from processes import HubProcess


@pytest.mark.parametrize("buffers", [False, True], ids=["stream", "poll"])
def test_events_arrive_live_without_websockets_with_nothing_missing_and_nothing_twice(
    buffers: bool, hub: HubProcess, open_page: Callable[..., Page], log: Callable[..., None]
) -> None:
    asked: list[str] = []
    log(hub, "logger.info('before')")

    with proxy(hub.port, buffers=buffers) as url:
        page = open_page(url, watch=lambda page: page.on("request", lambda request: asked.append(request.url)))
        expect(row_with(page, "before")).to_have_count(1)
        expect_live(page)

        for number in range(3):
            log(hub, f"logger.info('live {number}')")
            expect(row_with(page, f"live {number}")).to_have_count(1)

        expect(rows(page)).to_have_count(4)
        assert ids_of(page) == [event["_id"] for event in hub.events()]
        polls = [one for one in asked if "/tail?" in one and "wait=20" in one]
        assert bool(polls) == buffers
        page.close()
