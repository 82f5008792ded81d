"""What a `QueryFilter` costs a record, beside the standard library's filter by name and a filter written by hand.

Prints a table in Markdown: medians of rounds that take turns, in microseconds for each record. Usage:
    python tests/benchmarks/query_filter.py [rounds]
"""

import logging
import statistics
import sys
import time
from collections.abc import Callable

from loghub.filters import QueryFilter
from loghub.formatters import JSONFormatter

_CALLS = 5_000
_EXTRA = {"order_id": 4711, "user": "annabel", "path": "/cart/checkout", "took_ms": 12.5, "paid": True}
_QUERIES = (
    "level>=warning",
    "level>=warning OR logger:payments",
    "order_id:4711",
    "checkout",
    "nothing",
    "message:/items? for/",
    "exception:OSError",
    "template:checkout*",
)


def main(rounds: int) -> None:
    """Measure and print."""
    cases: dict[str, Callable[[logging.LogRecord], object]] = {
        "logging.Filter('shop')": logging.Filter("shop").filter,
        "a method: levelno >= 30 or a name": lambda record: record.levelno >= 30 or record.name.startswith("payments"),
        "JSONFormatter, the line": JSONFormatter().format_line,
    }
    cases |= {f"`{query}`": QueryFilter(query).filter for query in _QUERIES}
    times: dict[str, list[float]] = {name: [] for name in cases}

    for _ in range(rounds):
        for name, case in cases.items():
            times[name].append(_microseconds(case))

    print("| filter | µs a record |\n|---|---|")

    for name, found in times.items():
        print(f"| {name} | {statistics.median(found):.2f} |")


def _microseconds(case: Callable[[logging.LogRecord], object]) -> float:
    logger = logging.getLogger("shop.cart")
    records = [
        logger.makeRecord(
            "shop.cart", 20, "/app/cart.py", 7, "checkout of %s items for %s", (3, "ann"), None, "f", _EXTRA
        )
        for _ in range(_CALLS)
    ]
    started = time.perf_counter()

    for record in records:
        case(record)

    return (time.perf_counter() - started) / _CALLS * 1e6


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 7)
