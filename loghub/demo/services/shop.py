"""The storefront: products, carts and checkout. It asks the other two services.

Where the catalog fails, the last price that was shown is used; where a payment fails, the
order is not placed and the customer is told.
"""

import logging
import os
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from itertools import count
from typing import Any

import httpx
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from loghub.event.context import bind, bound, current
from loghub.middleware.outbound import send_request_id_async

web_log = logging.getLogger("shop.web")
cart_log = logging.getLogger("shop.cart")
checkout_log = logging.getLogger("shop.checkout")
upstream_log = logging.getLogger("shop.upstream")

_SLOW_MS = 200
_TIMEOUT_SECONDS = 2.0
_MANY = 2

_orders = count(10_001)


class ProductUnavailableError(Exception):
    """The catalog has no answer, and no earlier one is known."""


class CheckoutError(Exception):
    """An order could not be placed through no fault of the customer."""


@dataclass(slots=True)
class _Cart:
    """What a customer wants: quantity by product."""

    items: dict[str, int] = field(default_factory=dict)

    def total(self) -> float:
        return round(sum(_shown_prices.get(sku, 0.0) * quantity for sku, quantity in self.items.items()), 2)


_carts: dict[str, _Cart] = {}
_shown_prices: dict[str, float] = {}


async def show_product(request: Request) -> Response:
    """GET /products/{sku}?region=eu."""
    sku, region = request.path_params["sku"], request.query_params.get("region", "eu")
    bind(region=region)
    price = await _price(request.app.state.catalog, sku, region)
    web_log.info("Showed %s", sku, extra={"sku": sku, "price": price})
    return JSONResponse({"sku": sku, "price": price})


async def add_item(request: Request) -> Response:
    """POST /carts/{cart}/items {sku, quantity, region}."""
    item = await request.json()
    sku, quantity = item["sku"], int(item["quantity"])
    bind(component="cart", cart=request.path_params["cart"], region=item["region"])
    price = await _price(request.app.state.catalog, sku, item["region"])
    cart = _carts.setdefault(request.path_params["cart"], _Cart())
    cart.items[sku] = cart.items.get(sku, 0) + quantity
    cart_log.info(
        "Added %d of %s", quantity, sku, extra={"sku": sku, "quantity": quantity, "price": price, "total": cart.total()}
    )

    if len(cart.items) > _MANY:
        cart_log.debug("A cart of %d products", len(cart.items), extra={"products": sorted(cart.items)})

    return JSONResponse({"total": cart.total()})


async def check_out(request: Request) -> Response:
    """POST /carts/{cart}/checkout {region}: 201, 402, 409 or 503."""
    region = (await request.json())["region"]
    cart = _carts.pop(request.path_params["cart"], None)

    if cart is None:
        checkout_log.warning("Nothing to check out", extra={"cart": request.path_params["cart"]})
        return JSONResponse({"error": "the cart is empty"}, 404)

    with bound(component="checkout", order_id=f"A-{next(_orders)}", region=region):
        return await _place(request, cart)


async def answer_unavailable(_request: Request, error: Exception) -> Response:
    """Log with the chain of errors and answer 503."""
    web_log.error("Product page failed", exc_info=error)
    return JSONResponse({"error": str(error)}, 503)


async def answer_checkout_error(_request: Request, error: Exception) -> Response:
    """Log with the chain of errors and answer 503."""
    checkout_log.error("Order not placed", exc_info=error)
    return JSONResponse({"error": str(error)}, 503)


async def _place(request: Request, cart: _Cart) -> Response:
    started = time.monotonic()
    amount = cart.total()
    checkout_log.debug("Checking out %d products", len(cart.items), extra={"amount": amount, "items": cart.items})

    for sku, quantity in cart.items.items():
        path = f"/products/{sku}/reservations"
        reply = await _ask(request.app.state.catalog, "POST", path, json={"quantity": quantity})

        if reply.status_code == httpx.codes.CONFLICT:
            checkout_log.warning("Order not placed: %s is out of stock", sku, extra={"sku": sku, "amount": amount})
            return JSONResponse({"error": f"{sku} is out of stock"}, 409)

    return await _pay(request, amount, started)


async def _pay(request: Request, amount: float, started: float) -> Response:
    order = {"amount": amount, **_order()}
    reply = await _ask(request.app.state.payments, "POST", "/authorisations", json=order)
    took = round((time.monotonic() - started) * 1000, 1)

    if reply.status_code == httpx.codes.PAYMENT_REQUIRED:
        reason = reply.json()["error"]
        checkout_log.warning("Order not paid: %s", reason, extra={"amount": amount, "duration_ms": took})
        return JSONResponse({"error": reason}, 402)

    try:
        reply.raise_for_status()
    except httpx.HTTPStatusError as error:
        raise CheckoutError(f"payment of {amount:.2f} failed after {took:.0f} ms") from error

    checkout_log.info("Order placed, %.2f paid", amount, extra={"amount": amount, "duration_ms": took})
    return JSONResponse({"paid": amount}, 201)


def _order() -> dict[str, Any]:
    """Give what the payment has to know of the order that is bound to this context."""
    bound_now = current()
    return {"order_id": bound_now["order_id"], "region": bound_now["region"]}


async def _price(catalog: httpx.AsyncClient, sku: str, region: str) -> float:
    """Ask the catalog; where it fails, give the price that was shown last."""
    reply = await _ask(catalog, "GET", f"/products/{sku}", params={"region": region})

    try:
        reply.raise_for_status()
    except httpx.HTTPStatusError as error:
        return _last_price(sku, error)

    _shown_prices[sku] = float(reply.json()["price"])
    return _shown_prices[sku]


def _last_price(sku: str, error: httpx.HTTPStatusError) -> float:
    if sku not in _shown_prices:
        raise ProductUnavailableError(f"{sku} cannot be shown: the catalog has no price") from error

    web_log.warning(
        "The catalog has no price for %s, using the last one",
        sku,
        extra={"sku": sku, "price": _shown_prices[sku], "status": error.response.status_code},
    )
    return _shown_prices[sku]


async def _ask(service: httpx.AsyncClient, method: str, path: str, **content: Any) -> httpx.Response:  # noqa: ANN401 (httpx's own)
    """Ask another service; say how long it took, and loudly where that was long."""
    started = time.monotonic()
    reply = await service.request(method, path, **content)
    took = round((time.monotonic() - started) * 1000, 1)
    name = service.headers["X-Upstream"]
    slow = took > _SLOW_MS
    upstream_log.log(
        logging.WARNING if slow else logging.DEBUG,
        "%s answered slowly: %s %s took %.0f ms" if slow else "%s answered %s %s in %.0f ms",
        *(name, method, path, took),
        extra={"upstream": name, "status": reply.status_code, "duration_ms": took},
    )
    return reply


@asynccontextmanager
async def _lifespan(app: Starlette) -> AsyncIterator[None]:
    async with _client("catalog") as app.state.catalog, _client("payments") as app.state.payments:
        yield


def _client(name: str) -> httpx.AsyncClient:
    """Make the client of a service, whose address stands in the environment. It passes the request id on."""
    return httpx.AsyncClient(
        base_url=os.environ[f"{name.upper()}_URL"],
        headers={"X-Upstream": name},
        timeout=_TIMEOUT_SECONDS,
        trust_env=False,
        event_hooks={"request": [send_request_id_async]},
    )


def make_app() -> Starlette:
    """Build the service."""
    return Starlette(
        routes=[
            Route("/products/{sku}", show_product),
            Route("/carts/{cart}/items", add_item, methods=["POST"]),
            Route("/carts/{cart}/checkout", check_out, methods=["POST"]),
        ],
        exception_handlers={
            ProductUnavailableError: answer_unavailable,
            CheckoutError: answer_checkout_error,
        },
        lifespan=_lifespan,
    )
