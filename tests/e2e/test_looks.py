"""Pictures of the viewer in its states, to be looked at; here it is only checked that nothing overflows."""

from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from e2e.viewer_page import ask, expect_live, row_with, rows
from processes import HubProcess

BUSY = (
    "import random",
    "random.seed(7)",
    "levels = [logger.debug, logger.info, logger.info, logger.warning, logger.error]",
    "say = lambda n: random.choice(levels)('order %d priced', n, extra={'order_id': n, 'sku': f'sku-{n % 7}'})",
    "for n in range(300): say(n)",
    "logger.info('x' * 5000)",
    "try: {}['sku-1']",
    "except KeyError: logger.exception('pricing failed')",
)


def picture(page: Page, path: Path) -> None:
    """Take a picture; nothing may stand outside of the window."""
    page.screenshot(path=path)
    width, window = page.evaluate("[document.documentElement.scrollWidth, window.innerWidth]")
    assert width <= window


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1440, 360])
def test_pictures_of_every_state(
    scheme: str, width: int, hub: HubProcess, open_page: Callable[..., Page], log: Callable[..., None], shots: Path
) -> None:
    def shoot(state: str) -> None:
        picture(page, shots / f"{state}-{scheme}-{width}.png")

    page = open_page(hub.url, width=width, scheme=scheme)
    expect_live(page)
    expect(page.get_by_text("RemoteHandler").first).to_be_visible()
    shoot("empty")

    log(hub, *BUSY)
    expect(row_with(page, "pricing failed")).to_have_count(1)
    shoot("busy")

    row_with(page, "pricing failed").click()
    expect(page.get_by_role("region", name="Event details")).to_be_visible()
    shoot("open")

    ask(page, "level>=warning (service:shop")
    expect(page.get_by_role("alert")).to_be_visible()
    shoot("error")

    ask(page, "service:nowhere")
    expect(rows(page)).to_have_count(0)
    shoot("nothing")

    hub.stop()
    expect(page.get_by_role("status").filter(has_text="lost")).to_be_visible()
    shoot("lost")
