import asyncio
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from loghub.demo.process import Child, Program
from loghub.demo.services.goods import CAMPAIGNS, PRODUCTS, REGIONS

from processes import HubProcess

PATIENCE = 60.0
AT_ONCE = 12


@dataclass(frozen=True, slots=True)
class Shop:
    """Addresses of the three services."""

    shop: str
    catalog: str
    payments: str


@asynccontextmanager
async def service(name: str, **environment: str) -> AsyncIterator[str]:
    child = await Child.start(Program(name, "loghub.demo.services.host", (name,), environment))

    try:
        yield await child.address()
    finally:
        await child.stop(PATIENCE)


@asynccontextmanager
async def open_shop(hub: str) -> AsyncIterator[Shop]:
    async with (
        service("catalog", LOGHUB_URL=hub) as catalog,
        service("payments", LOGHUB_URL=hub) as payments,
        service("shop", LOGHUB_URL=hub, CATALOG_URL=catalog, PAYMENTS_URL=payments) as shop,
    ):
        yield Shop(shop, catalog, payments)


def send(hub: HubProcess, requests: Callable[[Shop, httpx.AsyncClient], Any]) -> None:
    """Open the shop, let `requests` be its customer, close it."""

    async def main() -> None:
        async with open_shop(hub.url) as shop, httpx.AsyncClient(trust_env=False) as client:
            await requests(shop, client)

    asyncio.run(main())


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[HubProcess]:
    with HubProcess(tmp_path) as running:
        yield running


async def answered(status: int, ask: Callable[[], Any]) -> httpx.Response:
    """Ask again and again until an answer has this status: the shop leaves it to chance."""
    deadline = time.monotonic() + PATIENCE

    while time.monotonic() < deadline:
        replies: list[httpx.Response] = await asyncio.gather(*(ask() for _ in range(AT_ONCE)))

        for reply in replies:
            if reply.status_code == status:
                return reply

    raise AssertionError(f"no {status} within {PATIENCE} s")


async def buy(shop: Shop, client: httpx.AsyncClient) -> None:
    headers = {"X-Request-ID": "one-order"}
    item = {"sku": "MUG-01", "quantity": 1, "region": "eu"}
    (await client.post(f"{shop.shop}/carts/c1/items", json=item)).raise_for_status()
    await client.post(f"{shop.shop}/carts/c1/checkout", json={"region": "eu"}, headers=headers, timeout=60)


async def pay_until_declined(shop: Shop, client: httpx.AsyncClient) -> None:
    order = {"order_id": "A-1", "amount": 20.0, "region": "eu"}
    await answered(402, lambda: client.post(f"{shop.payments}/authorisations", json=order, timeout=60))


async def look_until_the_price_fails(shop: Shop, client: httpx.AsyncClient) -> None:
    skus = iter(list(PRODUCTS) * 1000)
    await answered(500, lambda: client.get(f"{shop.catalog}/products/{next(skus)}", params={"region": "apac"}))


def test_one_request_id_is_on_the_events_of_all_three_services(hub: HubProcess) -> None:
    send(hub, buy)
    events = hub.events("request_id:one-order")

    assert {event["service"] for event in events} == {"shop", "catalog", "payments"}
    paid = {event["order_id"] for event in events if event["logger"].startswith("payments.")}
    placed = {event.get("order_id") for event in events if event["logger"] == "shop.checkout"}
    assert len(paid) == 1
    assert placed  # the events of an order that fails have no number
    assert placed <= {*paid, None}


def test_declined_card_is_logged_with_the_bank_s_answer_as_its_cause(hub: HubProcess) -> None:
    send(hub, pay_until_declined)
    event = hub.events("logger:payments.bank exception:CardDeclinedError")[0]

    assert event["level"] == "WARNING"
    assert event["exception"]["cause"]["type"] == "BankAnswerError"
    assert event["order_id"] == "A-1"


def test_price_that_fails_is_logged_with_the_key_error_below_it(hub: HubProcess) -> None:
    send(hub, look_until_the_price_fails)
    event = hub.events("logger:catalog.prices level>=error")[0]

    assert event["exception"]["type"] == "PricingError"
    assert event["exception"]["cause"]["type"] == "KeyError"
    assert event["region"] == "apac"


def test_one_campaign_lacks_one_region() -> None:
    lacking = [
        (campaign, region) for campaign, prices in CAMPAIGNS.items() for region in REGIONS if region not in prices
    ]

    assert lacking == [("members", "apac")]
