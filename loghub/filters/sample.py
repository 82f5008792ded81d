"""`SampleFilter`: a share of the records, whole requests together, and all errors."""

import hashlib
import logging
import random
import re
from collections.abc import Callable

from loghub.errors import ConfigError
from loghub.event.context import current
from loghub.event.encode import safe_text
from loghub.filters.marks import TELLS, new_mark
from loghub.options import names_unknown_options, severity

_PERCENT = re.compile(r"\s*([0-9]+(?:\.[0-9]+)?)\s*%\s*")


class SampleFilter(logging.Filter):
    """Let a share of the records through, chosen at random or by a key, and all that is grave.

    ```yaml
    filters:
      sample: {(): loghub.SampleFilter, rate: "10 %", key: request_id}
    ```
    With a key, all records of one request (customer, order …) share their fate, in each process and service that
    has the same rate; a record without it is chosen at random.

    Args:
        rate: the share that passes: a number from 0 to 1, or text as "10 %".
        key: a field of the record's extra or of the context.
        keep: level from which on all records pass.
        draw: gives random numbers from 0 to 1.
    """

    @names_unknown_options
    def __init__(
        self,
        rate: float | str = 0.1,
        *,
        key: str | None = None,
        keep: int | str = "ERROR",
        draw: Callable[[], float] = random.random,
    ) -> None:
        super().__init__()
        self._rate = _share(rate)
        self._key = key if key is None else _field_name(key, "SampleFilter", "key")
        self._keep = severity(keep, "SampleFilter", "keep")
        self._draw = draw
        self._mark = new_mark()

    def filter(self, record: logging.LogRecord) -> bool:
        """Tell whether a record passes."""
        if record.levelno >= self._keep or TELLS in record.__dict__:
            return True

        known = record.__dict__.get(self._mark)

        if known is None:
            # setdefault is atomic: of two threads that judge a record at once, one finds the other's judgement.
            known = record.__dict__.setdefault(self._mark, self._place(record) < self._rate)

        return bool(known)

    def _place(self, record: logging.LogRecord) -> float:
        """Give a number from 0 to 1: the same for the same value of the key, in each process."""
        key = self._key
        value = None if key is None else record.__dict__.get(key, current().get(key))

        if value is None:
            return self._draw()

        digest = hashlib.blake2b(safe_text(value).encode("utf-8", "surrogatepass"), digest_size=8).digest()
        return int.from_bytes(digest) / 2**64


def _share(value: object) -> float:
    match = _PERCENT.fullmatch(value) if isinstance(value, str) else None
    share = float(match[1]) / 100 if match else value

    if isinstance(share, bool) or not isinstance(share, int | float) or not 0 <= share <= 1:
        raise ConfigError("SampleFilter", "rate", value, 'give a number from 0 to 1, or text as "10 %"')

    return float(share)


def _field_name(value: object, owner: str, option: str) -> str:
    if not isinstance(value, str) or not value:
        raise ConfigError(owner, option, value, "give the name of a field, as request_id")

    return value
