"""The pictures in the how-tos, of the code that stands there. `tox -e pictures` takes them again, and the README's."""

from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from e2e.viewer_page import ask, row_with, rows
from e2e.ways import Way, serving

pytestmark = pytest.mark.pictures

FILE = "/opt/shop/shop/prices.py"
PRICES = """
import logging

DISCOUNTS = {"eu": 0.10, "us": 0.05}


def show(sku, region):
    try:
        return price(61.27, region)
    except KeyError:
        extra = {"sku": sku, "request_id": "866e41069e"}
        logging.getLogger("shop.prices").exception("no price for %s", sku, extra=extra)


def price(full, region):
    return round(full * (1 - discount(region)), 2)


def discount(region):
    return DISCOUNTS[region]
"""

HISTORY = (
    "import random, time",
    "random.seed(7)",
    """
SAID = [
    (60, "INFO", "web", "%s /products/%s took %d ms", lambda: ("GET", random.choice(SKUS), random.randint(4, 80)), {}),
    (20, "DEBUG", "catalog", "price of %s comes from the cache", lambda: (random.choice(SKUS),), {}),
    (12, "INFO", "cart", "added %s", lambda: (random.choice(SKUS),), {}),
    (6, "INFO", "checkout", "order %s placed", lambda: (f"A-{random.randint(10_000, 99_999)}",), {}),
    (3, "WARNING", "cart", "payment took %.1f s, trying again", lambda: (random.uniform(1, 4),), {"attempt": 2}),
    (1, "ERROR", "checkout", "payment of %s was refused", lambda: (f"A-{random.randint(10_000, 99_999)}",), {}),
]
SKUS = ["LMP-11", "CLK-09", "VAS-03", "RUG-31", "SHF-22"]
""",
    """
def say(ago, burst):
    weights = [weight * (9 if burst and level in ("WARNING", "ERROR") else 1) for weight, level, *_ in SAID]
    _, level, name, text, args, extra = random.choices(SAID, weights)[0]
    record = logging.getLogger(f"shop.{name}").makeRecord(
        f"shop.{name}", getattr(logging, level), f"/opt/shop/{name}.py", random.randint(10, 90), text, args(), None,
        "handle", {"request_id": f"{random.getrandbits(40):010x}", **extra},
    )
    record.created = time.time() - ago
    logging.getLogger().handle(record)
""",
    "for n in range(640, 0, -1): say(n * 1.3 + random.random(), 240 < n < 300)",
    f"import linecache; exec(compile({PRICES!r}, {FILE!r}, 'exec'))",
    f"linecache.cache[{FILE!r}] = (1, None, {PRICES!r}.splitlines(True), {FILE!r})",
    "show('VAS-03', 'apac')",
    "for n in range(5): say(0, False)",
)


SHOWN: tuple[tuple[Way, str, str], ...] = (
    ("hub", "dark", ""),
    ("process", "light", "level>=info"),
    ("mounted", "dark", "level>=warning OR logger:shop.cart"),
)


@pytest.mark.parametrize(("way", "scheme", "query"), SHOWN)
def test_picture_of_each_way_to_serve(
    way: Way, scheme: str, query: str, tmp_path: Path, open_page: Callable[..., Page], shots: Path
) -> None:
    with serving(way, tmp_path) as served:
        served.log(*HISTORY)
        page = open_page(served.url, width=1280, height=720, scheme=scheme)
        served.enter(page)
        ask(page, query)
        expect(rows(page).nth(15)).to_be_visible()
        page.keyboard.press("Escape")
        expect(page.locator("[aria-busy=true]")).to_have_count(0)

        if way == "hub":
            row_with(page, "no price for").click()
            expect(page.get_by_role("region", name="Event details")).to_be_visible()

        page.screenshot(path=shots / f"{way}.png")
        assert (shots / f"{way}.png").stat().st_size > 20_000
