"""`RateLimitFilter`: so many records of a template in an interval."""

import logging
import time
from collections.abc import Callable

from loghub.filters.holding import HoldingFilter, example_of, interval_of, shown
from loghub.filters.windows import Verdict, Windows
from loghub.options import count, names_unknown_options, severity


class RateLimitFilter(HoldingFilter):
    """Let so many records of a template through in an interval, and tell how many were held back.

    ```yaml
    filters:
      limit: {(): loghub.RateLimitFilter, limit: 10, interval: "1 minute"}
    ```
    A template is a logger, a level and the message before its arguments were filled in: `"paid %s"`, not
    `f"paid {order}"`, each of which is a template of its own. The next record that passes says how many were held
    back as `suppressed`; where none comes, an event says so.

    Args:
        limit: how many records of a template pass in an interval.
        interval: in seconds or as "1 minute"; it begins with the first record.
        keep: level from which on all records pass; without it, none is exempt.
        max_kinds: how many templates are remembered; beyond, the oldest is told and forgotten.
        clock: gives seconds.
    """

    _field = "suppressed"
    _sentence = "%d records held back: %s"

    @names_unknown_options
    def __init__(
        self,
        limit: int = 10,
        interval: float | str = "1 minute",
        *,
        keep: int | str | None = None,
        max_kinds: int = 1000,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        owner = "RateLimitFilter"
        windows = Windows(
            count(limit, owner, "limit"), interval_of(interval, owner, "interval"), count(max_kinds, owner, "max_kinds")
        )
        super().__init__(windows, None if keep is None else severity(keep, owner, "keep"), clock)

    def _judge(self, record: logging.LogRecord) -> Verdict:
        template = shown(record.msg)
        kind = hash((record.name, record.levelno, template))
        return self._windows.judge(kind, self._clock(), example_of(record, template))
