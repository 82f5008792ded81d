"""What dictConfig takes in silence though it means nothing, and what its errors mean.

`check` refuses, before dictConfig sees it, what would be dropped without a word; `explain` makes one
sentence of dictConfig's chain of errors. Neither shows more of a configuration than the option that is
wrong: there may be secrets in the rest.
"""

import difflib
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from loghub.errors import ConfigError, LoghubError, MissingExtraError

_SECTIONS = ("formatters", "filters", "handlers", "loggers")
_TOP = ("version", *_SECTIONS, "root", "incremental", "disable_existing_loggers")
_LOGGER = ("level", "handlers", "filters", "propagate")
_FORMATTER = ("class", "format", "datefmt", "style", "validate", "defaults")
_PART = re.compile(r"Unable to configure (\w+) '([^']*)'")
_REFERENCE = re.compile(r"Unable to (?:set|add) (\w+) '?([^']*)'?")
_ARGUMENT = re.compile(r"(?:missing \d+ required .*argument.*?|unexpected keyword argument) '(\w+)'")
_LEVELS = "give DEBUG, INFO, WARNING, ERROR, CRITICAL or a number"


def check(config: Mapping[str, Any]) -> None:
    """Refuse what dictConfig would drop without a word.

    Raises:
        ConfigError: names the part, the key and the remedy.
    """
    for problem in problems(config):
        raise problem


def problems(config: Mapping[str, Any]) -> Iterator[ConfigError]:
    """Give everything that dictConfig would drop without a word."""
    yield from _refused(_check_keys, "configuration", config, _TOP)

    for section in _SECTIONS:
        found: list[tuple[str, Mapping[str, Any]]] = []
        yield from _refused(lambda: found.extend(_parts(config, section)))  # noqa: B023 (called here and now)

        for name, part in found:
            if section in _CHECKS:
                yield from _refused(_CHECKS[section], f"{section[:-1]} {name!r}", part)

    if "root" in config:
        root: list[Mapping[str, Any]] = []
        yield from _refused(lambda: root.append(_mapping("configuration", "root", config["root"])))

        for part in root:
            yield from _refused(_check_keys, "root logger", part, _LOGGER)


def _refused(look: Callable[..., object], *arguments: object) -> Iterator[ConfigError]:
    try:
        look(*arguments)
    except ConfigError as error:
        yield error


def explain(error: Exception, config: Mapping[str, Any]) -> LoghubError:
    """Make one sentence of dictConfig's chain of errors: the outermost names the part, the innermost the reason."""
    chain = list(_chain(error))
    reason = next((link for link in chain if isinstance(link, LoghubError)), chain[-1])
    found = _PART.search(str(error))
    where = f"{found[1]} {found[2]!r}" if found else "root logger" if "root" in str(error) else "configuration"
    part = config.get(f"{found[1]}s", {}).get(found[2], {}) if found else config.get("root", {})

    if isinstance(reason, MissingExtraError):
        return reason

    if isinstance(reason, ConfigError):
        return ConfigError(f"{where}: {reason.owner}", reason.option, reason.value, reason.remedy)

    return _explain_standard(where, part if isinstance(part, Mapping) else {}, chain, config)


def _explain_standard(
    where: str, part: Mapping[str, Any], chain: list[BaseException], config: Mapping[str, Any]
) -> ConfigError:
    """Explain an error of the standard library, or of another package's class."""
    reason = chain[-1]
    reference = next((found for link in chain if (found := _REFERENCE.search(str(link)))), None)
    argument = _ARGUMENT.search(str(reason))
    factory = "()" if "()" in part else "class"

    if isinstance(reason, KeyError) and reference:
        known = ", ".join(map(str, config.get(f"{reference[1]}s", {}))) or "none"
        return ConfigError(where, reference[1], reference[2], f"there is no such {reference[1]}; defined are: {known}")

    if "level" in str(reason).lower() and "level" in part:
        return ConfigError(where, "level", part["level"], _LEVELS)

    if argument and argument[1] in part:
        return ConfigError(where, argument[1], part[argument[1]], f"{part.get(factory)} has no such option")

    if argument:
        return ConfigError(where, argument[1], None, f"{part.get(factory)} needs it")

    if isinstance(reason, ImportError | AttributeError):
        return ConfigError(where, factory, part.get(factory), f"name a class that can be imported ({reason})")

    return ConfigError(where, factory, part.get(factory), f"it was refused with {type(reason).__name__}: {reason}")


def _chain(error: BaseException) -> Iterator[BaseException]:
    link: BaseException | None = error

    while link is not None:
        yield link
        link = link.__cause__


def _parts(config: Mapping[str, Any], section: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
    for name, part in _mapping("configuration", section, config.get(section) or {}).items():
        yield name, _mapping(section, str(name), part)


def _mapping(where: str, key: str, value: object) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise ConfigError(where, key, type(value).__name__, "give a mapping, name: value")

    return value


def _check_keys(where: str, part: Mapping[str, Any], known: tuple[str, ...]) -> None:
    """Refuse a key that looks like one of `known`; others may be there for cfg:// to refer to."""
    for key in part:
        near = difflib.get_close_matches(str(key), known, 1, cutoff=0.75) if key not in known else []

        if near:
            raise ConfigError(where, str(key), "…", f"there is no such key; did you mean {near[0]!r}?")


def _check_formatter(where: str, part: Mapping[str, Any]) -> None:
    dropped = [key for key in part if key not in _FORMATTER]

    if "()" not in part and "class" in part and dropped:
        remedy = f"dictConfig would drop {', '.join(map(str, dropped))}: name the class with () in place of class"
        raise ConfigError(where, "class", part["class"], remedy)


def _check_filter(where: str, part: Mapping[str, Any]) -> None:
    if "()" not in part and "class" in part:
        remedy = "dictConfig would make a plain logging.Filter of it: name the class with () in place of class"
        raise ConfigError(where, "class", part["class"], remedy)


def _check_logger(where: str, part: Mapping[str, Any]) -> None:
    _check_keys(where, part, _LOGGER)


_CHECKS = {"formatters": _check_formatter, "filters": _check_filter, "loggers": _check_logger}
