"""`python -m loghub.demo.services.customers URL`: people who look, fill carts and pay, until SIGTERM.

They come in waves: a slow swell, and at times a rush. A customer who meets an error goes away;
nothing of it ends this process.
"""

import asyncio
import math
import random
import sys
import time
from itertools import count

import httpx

from loghub.demo.services.goods import PRODUCTS, REGIONS

_MEAN = 2.2  # customers a second; each of them makes about 25 records
_SWELL_SECONDS = 18.0
_RUSH_SECONDS = 47.0
_RUSH_LENGTH = 4.0
_MOST_AT_ONCE = 40
_BUY, _PAY = 0.4, 0.75

_carts = count(1)


def rate(at: float) -> float:
    """Give how many customers come in a second, at a time in seconds."""
    swell = 1 + 0.75 * math.sin(2 * math.pi * at / _SWELL_SECONDS + 1)
    rush = 2.5 if at % _RUSH_SECONDS > _RUSH_SECONDS - _RUSH_LENGTH else 1.0
    return _MEAN * swell * rush


async def visit(shop: httpx.AsyncClient) -> None:
    """Be one customer."""
    region = random.choices(REGIONS, (5, 4, 2, 2))[0]
    wanted = random.sample(list(PRODUCTS), random.randint(1, 3))

    try:
        for sku in wanted:
            await shop.get(f"/products/{sku}", params={"region": region})
            await asyncio.sleep(random.uniform(0.05, 0.4))

        if random.random() < _BUY:
            await _buy(shop, region, wanted)
    except httpx.HTTPError:
        return


async def _buy(shop: httpx.AsyncClient, region: str, wanted: list[str]) -> None:
    cart = f"c{next(_carts):05d}"

    for sku in wanted:
        item = {"sku": sku, "quantity": random.choice((1, 1, 1, 2, 3)), "region": region}
        await shop.post(f"/carts/{cart}/items", json=item)
        await asyncio.sleep(random.uniform(0.05, 0.3))

    if random.random() < _PAY:
        await shop.post(f"/carts/{cart}/checkout", json={"region": region})


async def main(url: str) -> None:
    """Send customers until SIGTERM."""
    started, visits = time.monotonic(), set[asyncio.Task[None]]()

    async with httpx.AsyncClient(base_url=url, timeout=10, trust_env=False) as shop:
        while True:
            visits = {visit for visit in visits if not visit.done()}

            if len(visits) < _MOST_AT_ONCE:
                visits.add(asyncio.create_task(visit(shop)))

            await asyncio.sleep(random.expovariate(rate(time.monotonic() - started)))


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
