"""A logger with handlers that keep what reaches them, and a clock that a test turns."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any


class Clock:
    """Seconds that pass only when told to."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


class Keeper(logging.Handler):
    """Keeps the records that pass its filters."""

    def __init__(self, *filters: logging.Filter) -> None:
        super().__init__()
        self.records: list[logging.LogRecord] = []

        for each in filters:
            self.addFilter(each)

    def emit(self, record: logging.LogRecord) -> None:
        self.records.append(record)

    def messages(self) -> list[str]:
        return [record.getMessage() for record in self.records]

    def values(self, field: str) -> list[Any]:
        return [record.__dict__.get(field) for record in self.records]


@contextmanager
def logger_with(*handlers: logging.Handler, name: str = "filtered.shop") -> Iterator[logging.Logger]:
    """Give a logger of the tree that has these handlers alone."""
    logger = logging.getLogger(name)
    logger.handlers, logger.propagate, logger.level = list(handlers), False, logging.DEBUG

    try:
        yield logger
    finally:
        logger.handlers, logger.propagate, logger.level = [], True, logging.NOTSET
        logger.filters.clear()
