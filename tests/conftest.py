"""Fixtures for every folder of tests, and what makes two runs of them the same.

Property tests try the same examples in each run, however long one takes, and keep none between runs.
`LOGHUB_TEST_EXAMPLES=20000` makes them try that many, other ones in each run.
"""

import logging
import os
import signal
from collections.abc import Iterator

import httpx
import pytest
from hypothesis import HealthCheck, settings

from loghub.event import context
from loghub.handlers import diagnostics, lifetime
from loghub.handlers.worker import Engine

_EXAMPLES = int(os.environ.get("LOGHUB_TEST_EXAMPLES", "0"))

settings.register_profile(
    "same", deadline=None, derandomize=True, database=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.register_profile("long", max_examples=_EXAMPLES or 100, deadline=None, suppress_health_check=[*HealthCheck])
settings.load_profile("long" if _EXAMPLES else "same")

# httpx gives up after 5 s where a test names no bound: on a busy machine a hub may need longer for an answer.
for _part in ("connect", "read", "write", "pool"):
    setattr(httpx._config.DEFAULT_TIMEOUT_CONFIG, _part, 60.0)

# In a background job SIGINT is ignored, and so it is in what the job starts: tests of Ctrl-C need it.
signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture
def told() -> Iterator[list[str]]:
    """Give what loghub says of itself, as it is said: a captured stderr loses what comes while it is read."""
    sentences: list[str] = []
    end = diagnostics.on_diagnostic(lambda _, sentence: sentences.append(sentence))
    yield sentences
    end()


@pytest.fixture(autouse=True)
def _fresh_logging() -> Iterator[None]:
    """Leave logging as it was found: dictConfig reaches every logger of the process."""
    root = logging.getLogger()
    level, handlers = root.level, root.handlers[:]
    kept = set(lifetime._kept)
    diagnostics.forget()

    yield

    for handler in [*root.handlers]:
        if handler not in handlers:
            root.removeHandler(handler)
            handler.close()

    root.handlers[:] = handlers
    root.setLevel(level)

    for logger in [*logging.Logger.manager.loggerDict.values()]:
        if isinstance(logger, logging.Logger):  # a dictConfig disables those that it does not name
            logger.disabled = False

    context.unbind(*context.current())

    for key in lifetime._kept.keys() - kept:
        if isinstance(engine := lifetime._kept[key], Engine):  # else it tries its hub, and tells of it, for ever
            del lifetime._kept[key]
            engine._gave_up = True
            engine.retire()
