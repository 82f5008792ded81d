"""The payments service: a risk score, then the bank, which declines, is slow, or does not answer."""

import asyncio
import logging
import random
import time

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from loghub.event.context import bind

api_log = logging.getLogger("payments.api")
risk_log = logging.getLogger("payments.risk")
bank_log = logging.getLogger("payments.bank")

_ATTEMPTS = 2
_BANK_SECONDS = 0.6
_SLOW_MS = 250
_DECLINED = 0.07
_SILENT = 0.25
_SLOW = 0.10
_RISKY = 0.9
_REASONS = {"05": "do not honour", "51": "insufficient funds", "54": "expired card"}


class BankAnswerError(Exception):
    """The bank answered with an error code."""


class CardDeclinedError(Exception):
    """The card will not pay."""


class BankSilentError(Exception):
    """The bank did not answer, however often it was asked."""


async def authorise(request: Request) -> Response:
    """POST /authorisations {order_id, amount, region}: 201, 402 declined or 504."""
    order = await request.json()
    amount, region = float(order["amount"]), str(order["region"])
    bind(order_id=order["order_id"], region=region)
    _score(amount)

    try:
        code = await _ask_bank(amount)
    except CardDeclinedError as error:
        bank_log.warning("Card declined", exc_info=True, extra={"amount": amount})
        return JSONResponse({"error": str(error)}, 402)
    except BankSilentError as error:
        bank_log.exception("Authorisation failed", extra={"amount": amount, "attempts": _ATTEMPTS})
        return JSONResponse({"error": str(error)}, 504)

    api_log.info("Authorised %.2f", amount, extra={"amount": amount, "authorisation": code})
    return JSONResponse({"authorisation": code}, 201)


def _score(amount: float) -> None:
    score = round(min(0.99, random.betavariate(2, 6) + amount / 4000), 3)
    risk_log.debug("Risk score %.3f", score, extra={"score": score, "amount": amount, "model": "2026-11"})

    if score > _RISKY:
        risk_log.warning("Risky payment let through for review", extra={"score": score, "amount": amount})


async def _ask_bank(amount: float) -> str:
    for attempt in range(1, _ATTEMPTS + 1):
        try:
            async with asyncio.timeout(_BANK_SECONDS):
                return await _call_bank(amount)
        except TimeoutError as error:
            if attempt == _ATTEMPTS:
                raise BankSilentError(f"no answer from the bank in {_ATTEMPTS} attempts") from error

            bank_log.warning(
                "The bank did not answer within %.1f s, asking again", _BANK_SECONDS, extra={"attempt": attempt}
            )

    raise AssertionError("the last attempt returns or raises")


async def _call_bank(amount: float) -> str:
    """Stand for the bank: mostly quick, at times slow, silent or refusing."""
    started = time.monotonic()
    await asyncio.sleep(_latency())
    took = round((time.monotonic() - started) * 1000, 1)
    level = logging.WARNING if took > _SLOW_MS else logging.DEBUG
    bank_log.log(level, "The bank answered in %.0f ms", took, extra={"duration_ms": took, "amount": amount})

    try:
        return _bank_answer()
    except BankAnswerError as error:
        raise CardDeclinedError(_REASONS[error.args[0]]) from error


def _latency() -> float:
    chance = random.random()

    if chance < _SILENT:
        return _BANK_SECONDS * 2

    return random.uniform(0.26, 0.5) if chance < _SILENT + _SLOW else random.lognormvariate(-3.2, 0.4)


def _bank_answer() -> str:
    if random.random() < _DECLINED:
        raise BankAnswerError(random.choice(list(_REASONS)))

    return f"A{random.randrange(10**9):09d}"


def make_app() -> Starlette:
    """Build the service."""
    return Starlette(routes=[Route("/authorisations", authorise, methods=["POST"])])
