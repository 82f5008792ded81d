"""The catalog: prices by region and campaign, and what is in stock.

Prices come from a feed that is late at times: then a cached price is served. One campaign lacks
a region, which ends in a KeyError under a PricingError, as such bugs do.
"""

import asyncio
import logging
import random
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from loghub.demo.services.goods import CAMPAIGNS, PRODUCTS

api_log = logging.getLogger("catalog.api")
price_log = logging.getLogger("catalog.prices")
cache_log = logging.getLogger("catalog.prices.cache")
stock_log = logging.getLogger("catalog.stock")

_CACHE_SECONDS = 4.0
_FEED_SECONDS = 0.25
_LATE = 0.12
_MEMBERS = 0.35
_FULL = 40
_LOW = 6
_RESTOCK_SECONDS = 6.0


class PricingError(Exception):
    """A price could not be told."""


@dataclass(frozen=True, slots=True)
class _Price:
    amount: float
    at: float


_prices: dict[tuple[str, str], _Price] = {}
_stock = dict.fromkeys(PRODUCTS, _FULL)


async def show_product(request: Request) -> Response:
    """GET /products/{sku}?region=eu: name, price and stock."""
    sku, region = request.path_params["sku"], request.query_params.get("region", "eu")
    product = PRODUCTS.get(sku)

    if product is None:
        api_log.warning("Nobody sells %s", sku, extra={"sku": sku, "region": region})
        return JSONResponse({"error": "no such product"}, 404)

    price = await _price_of(sku, region)
    stock_log.debug("%d of %s in stock", _stock[sku], sku, extra={"sku": sku})
    return JSONResponse({"sku": sku, "name": product.name, "price": price, "stock": _stock[sku]})


async def reserve(request: Request) -> Response:
    """POST /products/{sku}/reservations {quantity}: take from stock, or 409."""
    sku, quantity = request.path_params["sku"], int((await request.json())["quantity"])
    left = _stock.get(sku, 0) - quantity

    if left < 0:
        stock_log.warning("Out of stock: %s", sku, extra={"sku": sku, "wanted": quantity, "left": left + quantity})
        return JSONResponse({"error": "out of stock"}, 409)

    _stock[sku] = left
    stock_log.info("Reserved %d of %s", quantity, sku, extra={"sku": sku, "quantity": quantity, "left": left})

    if left <= _LOW:
        stock_log.warning("Stock of %s is low: %d left", sku, left, extra={"sku": sku, "left": left})

    return JSONResponse({"left": left})


async def answer_pricing_error(request: Request, error: Exception) -> Response:
    """Log a PricingError with its chain and answer 500."""
    sku, region = request.path_params["sku"], request.query_params.get("region")
    price_log.error("No price for %s in %s", sku, region, exc_info=error, extra={"sku": sku, "region": region})
    return JSONResponse({"error": str(error)}, 500)


async def _price_of(sku: str, region: str) -> float:
    known = _prices.get((sku, region))

    if known is not None and time.monotonic() - known.at < _CACHE_SECONDS:
        cache_log.debug("Price of %s found in the cache", sku, extra={"sku": sku, "region": region, "hit": True})
        return known.amount

    if known is None:
        return await _fetch_price(sku, region)

    try:
        async with asyncio.timeout(_FEED_SECONDS):
            return await _fetch_price(sku, region)
    except TimeoutError:
        return _late_price(sku, region, known)


async def _fetch_price(sku: str, region: str) -> float:
    started = time.monotonic()
    await asyncio.sleep(random.uniform(0.3, 0.5) if random.random() < _LATE else random.uniform(0.004, 0.03))
    amount = round(PRODUCTS[sku].price * (1 - _discount(region)), 2)
    _prices[sku, region] = _Price(amount, time.monotonic())
    took = round((time.monotonic() - started) * 1000, 1)
    price_log.info(
        "Price of %s in %s is %.2f",
        sku,
        region,
        amount,
        extra={"sku": sku, "region": region, "price": amount, "duration_ms": took},
    )
    return amount


def _discount(region: str) -> float:
    campaign = "members" if random.random() < _MEMBERS else "autumn"

    try:
        return CAMPAIGNS[campaign][region]
    except KeyError as error:
        raise PricingError(f"campaign {campaign!r} has no discount for region {region!r}") from error


def _late_price(sku: str, region: str, known: _Price) -> float:
    age = round(time.monotonic() - known.at, 1)
    price_log.warning(
        "The price feed is late: serving a price of %s that is %.1f s old",
        sku,
        age,
        extra={"sku": sku, "region": region, "price": known.amount, "age_s": age},
    )
    return known.amount


async def _restock() -> None:
    """Fill the shelves again, for as long as the service runs."""
    while True:
        await asyncio.sleep(_RESTOCK_SECONDS)
        empty = [sku for sku, left in _stock.items() if left <= _FULL // 2]
        _stock.update(dict.fromkeys(empty, _FULL))
        stock_log.info("Restocked %d products", len(empty), extra={"products": empty})


@asynccontextmanager
async def _lifespan(_app: Starlette) -> AsyncIterator[None]:
    task = asyncio.create_task(_restock(), name="restock")
    yield
    task.cancel()


def make_app() -> Starlette:
    """Build the service."""
    return Starlette(
        routes=[
            Route("/products/{sku}", show_product),
            Route("/products/{sku}/reservations", reserve, methods=["POST"]),
        ],
        exception_handlers={PricingError: answer_pricing_error},
        lifespan=_lifespan,
    )
