"""Try a dictConfig out: find what is wrong with it, part by part, and see what becomes of one record in each handler.

Rules:
1. Each formatter, filter and handler is made by itself, so that one mistake does not hide the next.
2. A dry run opens no file and listens nowhere: a handler that has `delay` gets it, one that has `serve` does not.
3. The record goes through a handler's own level and filters. That it arrived is said only of what was looked at: the
   line in the file, the acknowledgement of the hub, the buffer. Of other handlers, that they took it.
"""

import inspect
import logging
import logging.config
import secrets
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

from loghub.dict_config import explain, problems
from loghub.errors import LoghubError
from loghub.handlers.broadcast import BroadcastHandler
from loghub.handlers.console import ConsoleHandler
from loghub.handlers.remote import RemoteHandler

_LAST = 50  # events of a buffer among which it is looked for
_PARTS = ("formatters", "filters", "handlers")
_TAIL = 1_000_000  # bytes at a file's end in which the line is looked for


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of the record in one handler.

    Attributes:
        handler: its name.
        is_good: whether it is where it should be.
        what: in words.
    """

    handler: str
    is_good: bool
    what: str


def errors_in(config: Mapping[str, Any], *, dry: bool) -> list[LoghubError]:
    """Find what is wrong with a configuration.

    Args:
        config: with the environment filled in.
        dry: whether files and ports are left alone.
    """
    found: list[LoghubError] = list(problems(config))

    if found:
        return found

    for section in _PARTS:
        for name, part in (config.get(section) or {}).items():
            found += _errors_of_part(config, section, name, _without_effects(part) if dry else part)

    return found or _errors_of({**config, "handlers": _dry(config) if dry else config.get("handlers", {})}, config)


def try_out(config: Mapping[str, Any], wait: float) -> Iterator[Outcome]:
    """Configure logging, send one record through each handler and tell what became of it.

    Args:
        config: one without errors.
        wait: seconds to wait for a hub.
    """
    # What dictConfig does, but the handlers that no logger uses are not forgotten at once.
    configurator = logging.config.DictConfigurator(dict(config))
    configurator.configure()
    used = {name for part in _loggers(config) for name in part.get("handlers") or ()}

    for name, handler in (configurator.config.get("handlers") or {}).items():
        outcome = _outcome(name, handler, wait)
        unused = "" if name in used else "; no logger uses this handler"
        yield Outcome(name, outcome.is_good, f"{outcome.what}{unused}")


def _errors_of_part(config: Mapping[str, Any], section: str, name: str, part: object) -> list[LoghubError]:
    alone: dict[str, Any] = {"version": 1, "disable_existing_loggers": False, section: {name: part}}

    if section == "handlers" and isinstance(part, Mapping):  # with what it refers to, where that is right by itself
        for other in ("formatters", "filters"):
            parts = config.get(other) or {}
            alone[other] = {key: parts[key] for key in parts if not _errors_of_part(config, other, key, parts[key])}

    return _errors_of(alone, config)


def _errors_of(config: Mapping[str, Any], whole: Mapping[str, Any]) -> list[LoghubError]:
    try:
        logging.config.dictConfig(dict(config))
    except (ValueError, TypeError, AttributeError, ImportError, OSError) as error:
        return [explain(error, whole)]
    finally:
        _let_go()

    return []


def _let_go() -> None:
    """Close what was made and take it off the loggers: the next part is tried by itself."""
    root = logging.getLogger()

    for handler in tuple(root.handlers):
        root.removeHandler(handler)

    for reference in tuple(logging._handlerList):  # type: ignore[attr-defined]  # noqa: SLF001 (as dictConfig does)
        handler = reference() if callable(reference) else reference

        if handler is not None and handler is not logging.lastResort:
            handler.close()


def _dry(config: Mapping[str, Any]) -> dict[str, Any]:
    return {name: _without_effects(part) for name, part in (config.get("handlers") or {}).items()}


def _without_effects(part: Any) -> Any:  # noqa: ANN401 (a part of a configuration)
    if not isinstance(part, Mapping):
        return part

    kept = {name: value for name, value in part.items() if name != "serve"}
    return kept | {"delay": True} if "delay" in _options(part) else kept


def _options(part: Mapping[str, Any]) -> tuple[str, ...]:
    """Give the names of a factory's options; none where it cannot be found."""
    factory = part.get("()", part.get("class"))

    try:
        if isinstance(factory, str):
            module, _, name = factory.rpartition(".")
            factory = getattr(import_module(module), name)

        return tuple(inspect.signature(factory).parameters) if callable(factory) else ()
    except (ImportError, AttributeError, ValueError, TypeError):
        return ()


def _loggers(config: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    return [config.get("root") or {}, *(config.get("loggers") or {}).values()]


def _outcome(name: str, handler: logging.Handler, wait: float) -> Outcome:
    mark = f"loghub check {secrets.token_hex(8)}"
    level = max(handler.level, logging.INFO)
    record = logging.LogRecord("loghub.check", level, __file__, 1, mark, None, None, "try_out")
    failures: list[str] = []
    lost = getattr(handler, "lost", 0)
    handler.handleError = lambda record: failures.append(repr(sys.exception()))  # type: ignore[method-assign]  # noqa: ARG005

    if not handler.filter(record):
        return Outcome(name, is_good=True, what="a filter holds the record back")

    try:
        handler.handle(record)
    except Exception as error:  # noqa: BLE001 (another package's handler may raise anything)
        failures.append(repr(error))

    if failures or getattr(handler, "lost", 0) != lost:
        return Outcome(name, is_good=False, what=f"it could not write the record {' '.join(failures)}".rstrip())

    is_good, what = next(look for kind, look in _LOOKS if isinstance(handler, kind))(handler, mark, wait)
    return Outcome(name, is_good, what)


def _in_hub(handler: Any, _mark: str, wait: float) -> tuple[bool, str]:  # noqa: ANN401 (the table knows)
    if not handler.enabled:
        return True, "switched off, by `enabled` or LOGHUB_REMOTE"

    if not handler.sends:
        return True, f"spooled for `loghub ship`, to be sent to {handler.url}"

    before = handler.counters.dead
    done = handler.flush(wait)
    counts = handler.counters

    if counts.dead > before:
        return False, f"{handler.url} refuses it for good"

    if done:
        acknowledged = "taken by the socket of" if handler.url.startswith(("tcp:", "tls:")) else "acknowledged by"
        return True, f"{acknowledged} {handler.url} ({handler.guarantee})"

    reason = counts.holding or ", ".join(counts.retries) or "no answer yet"
    return False, f"{handler.url} has not taken it within {wait:g} s: {reason}"


def _in_file(handler: Any, mark: str, _wait: float) -> tuple[bool, str]:  # noqa: ANN401 (the table knows)
    handler.flush()
    path = Path(handler.baseFilename)

    try:
        with path.open("rb") as file:
            file.seek(max(path.stat().st_size - _TAIL, 0))
            found = mark.encode() in file.read(_TAIL)
    except OSError as error:
        return False, f"{path} cannot be read back: {error.strerror}"

    return found, f"{path}: the line was {'' if found else 'not '}read back"


def _on_console(handler: Any, _mark: str, _wait: float) -> tuple[bool, str]:  # noqa: ANN401 (the table knows)
    handler.flush()

    if not getattr(handler, "enabled", True):
        return True, "switched off, by `enabled` or LOGHUB_CONSOLE"

    return True, f"shown on {getattr(handler.stream, 'name', 'its stream').strip('<>')}"


def _in_buffer(handler: Any, mark: str, _wait: float) -> tuple[bool, str]:  # noqa: ANN401 (the table knows)
    store = handler.app.store
    found = any(
        mark == stored.event.fields.get("message") for stored in store.after(max(store.newest() - _LAST, 0), _LAST)
    )
    where = f", served at {handler.address}" if handler.address else ""
    return found, f"{'buffered' if found else 'not in the buffer'}{where}"


def _elsewhere(handler: Any, _mark: str, _wait: float) -> tuple[bool, str]:  # noqa: ANN401 (any handler)
    handler.flush()
    return True, f"{type(handler).__name__} took it"


_LOOKS: tuple[tuple[type, Callable[[Any, str, float], tuple[bool, str]]], ...] = (
    (RemoteHandler, _in_hub),
    (BroadcastHandler, _in_buffer),
    (ConsoleHandler, _on_console),
    (logging.FileHandler, _in_file),
    (logging.StreamHandler, _on_console),
    (logging.Handler, _elsewhere),
)
