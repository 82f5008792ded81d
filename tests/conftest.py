"""Fixtures for every folder of tests.

`LOGHUB_TEST_EXAMPLES=20000` makes a property test try that many examples, other ones in each run.
"""

import logging
import os
import signal
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, settings

from loghub.event import context
from loghub.handlers import diagnostics

_EXAMPLES = int(os.environ.get("LOGHUB_TEST_EXAMPLES", "0"))

if _EXAMPLES:
    settings.register_profile("long", max_examples=_EXAMPLES, deadline=None, suppress_health_check=[*HealthCheck])
    settings.load_profile("long")

# In a background job SIGINT is ignored, and so it is in what the job starts: tests of Ctrl-C need it.
signal.signal(signal.SIGINT, signal.default_int_handler)


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
