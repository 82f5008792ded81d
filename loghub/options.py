"""Options as people write them: "100 MB", "14 days", "env:SHOP_CONSOLE". Read once, when a handler is made.

Each reader takes the value, who has the option and its name, and raises a ConfigError that
says what was wrong and what to write.
"""

import difflib
import functools
import inspect
import logging
import os
import re
from collections.abc import Callable, Mapping
from typing import Concatenate, ParamSpec, TypeVar

from loghub.errors import ConfigError

_P = ParamSpec("_P")
_S = TypeVar("_S")

_AMOUNT = re.compile(r"\s*([0-9]+(?:\.[0-9]+)?)\s*([a-zµ]*)\s*", re.IGNORECASE)

TAG_VARIABLES = {
    "service": "LOGHUB_SERVICE",
    "env": "LOGHUB_ENV",
    "version": "LOGHUB_VERSION",
    "hostname": "LOGHUB_HOSTNAME",
}
"""Static tags, and the variables that give them."""

_PREFIXES = ("k", "m", "g", "t")
_BYTES = (
    {"": 1, "b": 1, "B": 1}
    | {f"{prefix}b": 1000**power for power, prefix in enumerate(_PREFIXES, 1)}
    | {f"{prefix}ib": 1024**power for power, prefix in enumerate(_PREFIXES, 1)}
)

_UNITS = (
    (1e-3, "ms millisecond milliseconds"),
    (1, "s sec second seconds"),
    (60, "m min minute minutes"),
    (3600, "h hour hours"),
    (86_400, "d day days"),
    (7 * 86_400, "w week weeks"),
)
_SECONDS = {"": 1.0} | {name: float(factor) for factor, names in _UNITS for name in names.split()}

_SWITCHES = {"1": True, "true": True, "yes": True, "on": True, "0": False, "false": False, "no": False, "off": False}


def size(value: object, owner: str, option: str) -> int:
    """Read bytes: a number, or text as "100 MB" (powers of 1000) or "64 KiB" (of 1024).

    >>> size("1.5 MB", "JSONFileHandler", "rotate")
    1500000
    """
    return int(_amount(value, owner, option, _BYTES, 'bytes as a number, or text as "100 MB" or "64 KiB"'))


def duration(value: object, owner: str, option: str) -> float:
    """Read a length of time in seconds: a number, or text as "50 ms", "5 s", "14 days".

    >>> duration("14 days", "JSONFileHandler", "keep")
    1209600.0
    """
    return _amount(value, owner, option, _SECONDS, 'seconds as a number, or text as "50 ms", "5 s" or "14 days"')


def count(value: object, owner: str, option: str, *, least: int = 1) -> int:
    """Read a whole number of at least `least`."""
    if isinstance(value, str) and value.strip().isdecimal():
        value = int(value)

    if isinstance(value, bool) or not isinstance(value, int) or value < least:
        _refuse_placeholder(value, owner, option)
        raise ConfigError(owner, option, value, f"give a whole number, {least} or more")

    return value


def switch(value: object, owner: str, option: str, *, override: str | None = None) -> bool:
    """Read an on/off option: true, false or "env:NAME".

    An environment variable that is unset or empty means on; 1/true/yes/on and 0/false/no/off
    say which; anything else is an error.

    Args:
        value: what the configuration says.
        owner: who has the option.
        option: its name.
        override: an environment variable that wins over `value` where it is set.
    """
    if override is not None and os.environ.get(override):
        value = f"env:{override}"

    if isinstance(value, bool):
        return value

    if isinstance(value, str) and value.startswith("env:"):
        return _environment_switch(value, owner, option)

    if isinstance(value, str) and value.strip().lower() in _SWITCHES:
        return _SWITCHES[value.strip().lower()]

    _refuse_placeholder(value, owner, option)
    raise ConfigError(owner, option, value, 'write true, false or "env:NAME"')


def text(value: object, owner: str, option: str) -> str:
    """Read a text that is not empty; a `${…}` that nobody filled in is an error."""
    _refuse_placeholder(value, owner, option)

    if isinstance(value, os.PathLike):
        return str(os.fspath(value))

    if not isinstance(value, str) or not value:
        raise ConfigError(owner, option, value, "give a text that is not empty")

    return value


def choice(value: object, owner: str, option: str, choices: Mapping[str, _S]) -> _S:
    """Read one of a few words."""
    if isinstance(value, str) and value in choices:
        return choices[value]

    _refuse_placeholder(value, owner, option)
    raise ConfigError(owner, option, value, f"give one of {', '.join(choices)}")


def severity(value: object, owner: str, option: str) -> int:
    """Read a level: its name or its number."""
    if isinstance(value, int) and not isinstance(value, bool) and value >= 0:
        return value

    names = logging.getLevelNamesMapping()

    if isinstance(value, str) and value.strip().upper() in names:
        return names[value.strip().upper()]

    _refuse_placeholder(value, owner, option)
    raise ConfigError(owner, option, value, "give a level, as WARNING or 30")


def environment_tags() -> dict[str, str]:
    """Read the tags that the environment gives: they hold where nothing else does."""
    return {tag: text for tag, name in TAG_VARIABLES.items() if (text := os.environ.get(name))}


def names_unknown_options(init: Callable[Concatenate[_S, _P], None]) -> Callable[Concatenate[_S, _P], None]:
    """Make a constructor answer an unknown option with a ConfigError that names the nearest one there is."""
    known = [name for name in inspect.signature(init).parameters if name != "self"]

    @functools.wraps(init)
    def checked(self: _S, /, *args: _P.args, **kwargs: _P.kwargs) -> None:
        for name, value in kwargs.items():
            if name not in known:
                raise ConfigError(type(self).__name__, name, value, _remedy(name, known))

        init(self, *args, **kwargs)

    return checked


def _remedy(name: str, known: list[str]) -> str:
    near = difflib.get_close_matches(name, known, 1)
    hint = f"did you mean {near[0]!r}? " if near else ""
    return f"there is no such option; {hint}the options are {', '.join(known)}"


def _amount(value: object, owner: str, option: str, units: Mapping[str, float], remedy: str) -> float:
    if isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value < float("inf"):
        return float(value)

    match = _AMOUNT.fullmatch(value) if isinstance(value, str) else None
    unit = "" if match is None else match[2]
    unit = unit if len(unit) == 1 else unit.lower()  # "100 M" is no hundred minutes

    if match is None or unit not in units:
        _refuse_placeholder(value, owner, option)
        raise ConfigError(owner, option, value, f"give {remedy}")

    return float(match[1]) * units[unit]


def _environment_switch(value: str, owner: str, option: str) -> bool:
    name = value.removeprefix("env:").strip()
    word = os.environ.get(name, "").strip().lower()

    if not name:
        raise ConfigError(owner, option, value, 'name a variable, as "env:LOGHUB_REMOTE"')

    if word and word not in _SWITCHES:
        raise ConfigError(owner, option, value, f"{name} is {word!r}; set it to 1 or 0, or leave it empty for on")

    return _SWITCHES.get(word, True)


def _refuse_placeholder(value: object, owner: str, option: str) -> None:
    if isinstance(value, str) and "${" in value:
        raise ConfigError(
            owner, option, value, "plain dictConfig fills in no ${…}; load this file with loghub.configure"
        )
