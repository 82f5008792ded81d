"""loghub: handlers for Python's logging, and a hub that collects, stores, searches and shows what they send.

This table is all there is here: a public name and the module it lives in. A name is
loaded at its first use (PEP 562), so `import loghub` is fast, imports no third-party
package and starts no thread. Nothing inside the package imports this module.
"""

from importlib import import_module

TYPE_CHECKING = False  # what type checkers take for true; importing `typing` would cost more than all the rest

if TYPE_CHECKING:
    from loghub import client as client
    from loghub import metrics as metrics
    from loghub.config import configure as configure
    from loghub.errors import ConfigError as ConfigError
    from loghub.errors import HubError as HubError
    from loghub.errors import LoghubError as LoghubError
    from loghub.errors import MissingExtraError as MissingExtraError
    from loghub.errors import QuerySyntaxError as QuerySyntaxError
    from loghub.event.context import bind as bind
    from loghub.event.context import bound as bound
    from loghub.event.context import propagate as propagate
    from loghub.event.context import unbind as unbind
    from loghub.event.model import Event as Event
    from loghub.filters import ContextFilter as ContextFilter
    from loghub.filters import DedupeFilter as DedupeFilter
    from loghub.filters import QueryFilter as QueryFilter
    from loghub.filters import RateLimitFilter as RateLimitFilter
    from loghub.filters import SampleFilter as SampleFilter
    from loghub.formatters import DatadogFormatter as DatadogFormatter
    from loghub.formatters import ECSFormatter as ECSFormatter
    from loghub.formatters import GCPFormatter as GCPFormatter
    from loghub.formatters import GELFFormatter as GELFFormatter
    from loghub.formatters import JSONFormatter as JSONFormatter
    from loghub.formatters import LogstashFormatter as LogstashFormatter
    from loghub.formatters import OTelFormatter as OTelFormatter
    from loghub.handlers.broadcast import BroadcastHandler as BroadcastHandler
    from loghub.handlers.console import ConsoleHandler as ConsoleHandler
    from loghub.handlers.diagnostics import on_diagnostic as on_diagnostic
    from loghub.handlers.json_file import JSONFileHandler as JSONFileHandler
    from loghub.handlers.remote import RemoteHandler as RemoteHandler
    from loghub.metrics import MetricsFilter as MetricsFilter
    from loghub.reading.events import read as read

_NAMES = {
    "BroadcastHandler": "loghub.handlers.broadcast",
    "ConfigError": "loghub.errors",
    "ConsoleHandler": "loghub.handlers.console",
    "ContextFilter": "loghub.filters",
    "DatadogFormatter": "loghub.formatters",
    "DedupeFilter": "loghub.filters",
    "ECSFormatter": "loghub.formatters",
    "Event": "loghub.event.model",
    "GCPFormatter": "loghub.formatters",
    "GELFFormatter": "loghub.formatters",
    "HubError": "loghub.errors",
    "JSONFileHandler": "loghub.handlers.json_file",
    "JSONFormatter": "loghub.formatters",
    "LoghubError": "loghub.errors",
    "LogstashFormatter": "loghub.formatters",
    "MetricsFilter": "loghub.metrics",
    "MissingExtraError": "loghub.errors",
    "OTelFormatter": "loghub.formatters",
    "QueryFilter": "loghub.filters",
    "QuerySyntaxError": "loghub.errors",
    "RateLimitFilter": "loghub.filters",
    "RemoteHandler": "loghub.handlers.remote",
    "SampleFilter": "loghub.filters",
    "bind": "loghub.event.context",
    "bound": "loghub.event.context",
    "configure": "loghub.config",
    "on_diagnostic": "loghub.handlers.diagnostics",
    "propagate": "loghub.event.context",
    "read": "loghub.reading.events",
    "unbind": "loghub.event.context",
}
_MODULES = ("client", "metrics")

__all__ = [*_NAMES, *_MODULES]  # noqa: PLE0604 (every element is a string)


def __getattr__(name: str) -> object:
    if name in _MODULES:
        return import_module(f"loghub.{name}")

    if name not in _NAMES:
        raise AttributeError(f"module 'loghub' has no attribute {name!r}")

    value = getattr(import_module(_NAMES[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
