"""Fixtures for every folder of tests."""

import logging
from collections.abc import Iterator

import pytest

from loghub.event import context
from loghub.handlers import diagnostics


@pytest.fixture(autouse=True)
def _fresh_logging() -> Iterator[None]:
    """Leave logging as it was found: dictConfig reaches every logger of the process."""
    root = logging.getLogger()
    level, handlers = root.level, root.handlers[:]
    diagnostics.forget()

    yield

    for handler in [*root.handlers]:
        if handler not in handlers:
            root.removeHandler(handler)
            handler.close()

    root.handlers[:] = handlers
    root.setLevel(level)
    context.unbind(*context.current())
