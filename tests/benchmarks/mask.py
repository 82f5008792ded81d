"""What masking costs: a line with five extras, without a mask and with masks of several kinds.

Prints a table in Markdown: medians of rounds that take turns, in microseconds for each record. Usage:
    python tests/benchmarks/mask.py [rounds]
"""

import json
import logging
import statistics
import sys
import time
from collections.abc import Callable, Mapping

from loghub.event.encode import encode
from loghub.event.mask import Mask
from loghub.event.patterns import NAMED
from loghub.event.record import fields_of

_CALLS = 2_000
_EXTRA = {"order_id": 4711, "user": "annabel", "path": "/cart/checkout", "took_ms": 12.5, "paid": True}
_ENVIRONMENT = {"hostname": "web-1"}
_NAMES = ["password", "token", "card_*"]
_PATTERNS: list[Mapping[str, str]] = [{"pattern": name} for name in NAMED]
_RULES: dict[str, list[str | Mapping[str, str]]] = {
    "three names": [*_NAMES],
    "all named patterns": [*_PATTERNS],
    "three names, all patterns": [*_NAMES, *_PATTERNS],
}


def main(rounds: int) -> None:
    """Measure and print."""
    cases = {"no mask": _without_mask} | {name: _with(Mask(rules)) for name, rules in _RULES.items()}
    cases["three names, one of them met"] = _with(Mask([*_NAMES, "user"]))
    times: dict[str, list[float]] = {name: [] for name in cases}

    for _ in range(rounds):
        for name, case in cases.items():
            times[name].append(_microseconds(case))

    medians = {name: statistics.median(found) for name, found in times.items()}
    print("| mask | µs | more than without |\n|---|---|---|")

    for name, median in medians.items():
        print(f"| {name} | {median:.1f} | {median - medians['no mask']:+.1f} |")


def _record() -> logging.LogRecord:
    logger = logging.getLogger("shop.cart")
    return logger.makeRecord(
        "shop.cart", 20, "/app/shop/cart.py", 7, "checkout of %s items for %s", (3, "annabel"), None, "checkout", _EXTRA
    )


def _without_mask(record: logging.LogRecord) -> bytes:
    return encode(fields_of(record, {}, _ENVIRONMENT))


def _with(mask: Mask) -> Callable[[logging.LogRecord], bytes]:
    def line(record: logging.LogRecord) -> bytes:
        return encode(mask.fields(fields_of(record, {}, _ENVIRONMENT), record.args))

    return line


def _microseconds(case: Callable[[logging.LogRecord], bytes]) -> float:
    record = _record()
    assert json.loads(case(record))
    start = time.process_time()

    for _ in range(_CALLS):
        case(record)

    return (time.process_time() - start) / _CALLS * 1_000_000


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 15)
