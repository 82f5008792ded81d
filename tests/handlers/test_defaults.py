"""The defaults that the documentation promises: of what is sent, held back and kept."""

import inspect
from typing import Any

import pytest

from loghub.handlers.broadcast import BroadcastHandler
from loghub.handlers.remote import RemoteHandler

REMOTE = {
    "enabled": "env:LOGHUB_REMOTE",
    "url": None,
    "token": None,
    "username": None,
    "password": None,
    "headers": None,
    "proxy": None,
    "cert": None,
    "key": None,
    "protocol": None,
    "queue": 100_000,
    "queue_bytes": "32 MB",
    "batch_records": 500,
    "batch_bytes": "1 MB",
    "linger": "50 ms",
    "timeout": "10 s",
    "exit_deadline": "5 s",
    "compress": "zstd",
    "verify": True,
    "spool": None,
    "spool_size": "512 MB",
    "overflow": "drop_oldest",
    "overflow_timeout": "1 s",
    "durability": "process",
    "keep": None,
    "send": True,
    "level": 0,
}
BROADCAST = {"buffer": 500, "serve": None, "allowed_hosts": (), "token": None, "level": 0}


@pytest.mark.parametrize(("handler", "promised"), [(RemoteHandler, REMOTE), (BroadcastHandler, BROADCAST)])
def test_defaults_are_those_that_are_promised(handler: type, promised: dict[str, Any]) -> None:
    parameters = inspect.signature(handler).parameters.values()
    optional = {each.name: each.default for each in parameters if each.default is not each.empty}
    assert optional == promised


def test_the_engine_has_these_limits() -> None:
    handler = RemoteHandler("http://127.0.0.1:9")
    plan = handler._plan
    assert (plan.limits.batch_records, plan.limits.batch_bytes, plan.limits.linger) == (500, 1_000_000, 0.05)
    assert (plan.limits.timeout, plan.limits.exit_deadline) == (10, 5)
    assert (plan.records, plan.size) == (100_000, 32_000_000)
    handler.close()
