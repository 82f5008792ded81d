"""`loghub.configure`: a dictConfig from a file, with the environment filled in and errors that say what to do.

It loads YAML, TOML, JSON or a dict, replaces `${NAME}` and `${NAME:-default}`, and calls
`logging.config.dictConfig`. Plain dictConfig works just as well; it only says less when something is wrong.
"""

import json
import logging.config
import os
import re
import tomllib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from loghub.dict_config import check, explain
from loghub.errors import ConfigError, require
from loghub.options import switch

_PLACEHOLDER = re.compile(r"\$\$\{|\$\{([A-Za-z_][A-Za-z0-9_]*)(?::-([^}]*))?\}")
_SWITCHES = ("disable_existing_loggers", "propagate", "incremental")


def configure(config: str | os.PathLike[str] | Mapping[str, Any]) -> None:
    """Configure logging from a file or a dict.

    ```python
    import loghub

    loghub.configure({"handlers": {"console": {"class": "loghub.ConsoleHandler"}}, "root": {"handlers": ["console"]}})
    ```

    `version: 1` and `disable_existing_loggers: false` hold where the configuration says nothing else.

    Args:
        config: a path that ends in .yaml, .yml, .toml or .json, or a dict as dictConfig takes it.

    Raises:
        ConfigError: names the handler, the option, the value and the remedy.
        MissingExtraError: says what to install, for YAML or for a handler.
    """
    filled = load(config)
    check(filled)

    try:
        logging.config.dictConfig(filled)
    except (ValueError, TypeError, AttributeError, ImportError) as error:
        raise explain(error, filled) from error


def load(config: str | os.PathLike[str] | Mapping[str, Any]) -> dict[str, Any]:
    """Give a configuration as dictConfig takes it: read, with the environment and the defaults filled in.

    Args:
        config: as for `configure`.

    Raises:
        ConfigError: it cannot be read, or a placeholder cannot be filled.
        MissingExtraError: YAML is not installed.
    """
    loaded = dict(config) if isinstance(config, Mapping) else _load(Path(config))
    return {"version": 1, "disable_existing_loggers": False} | {key: _fill(loaded[key], key) for key in loaded}


def _load(path: Path) -> dict[str, Any]:
    read = _READERS.get(path.suffix.lower())

    if read is None:
        raise ConfigError("configure", "config", str(path), f"give a file that ends in {', '.join(_READERS)}")

    try:
        loaded = read(path.read_text("utf-8"))
    except OSError as error:
        raise ConfigError(
            "configure", "config", str(path), f"give a file that can be read ({error.strerror})"
        ) from error
    except ValueError as error:
        raise ConfigError("configure", "config", str(path), f"mend the file: {error}") from error

    if not isinstance(loaded, dict):
        raise ConfigError("configure", "config", str(path), "the file must hold a mapping, as dictConfig takes it")

    return loaded


def _yaml(text: str) -> object:
    yaml = require("yaml", "configure with a YAML file", "cli")

    try:
        return yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise ValueError(error) from error


_READERS: dict[str, Callable[[str], object]] = {
    ".yaml": _yaml,
    ".yml": _yaml,
    ".toml": tomllib.loads,
    ".json": json.loads,
}


def _fill(value: object, where: str) -> object:
    """Replace the placeholders in every text of a configuration."""
    if isinstance(value, str):
        text = _PLACEHOLDER.sub(lambda found: _replacement(found, value, where), value)
        name = where.rpartition(".")[2]
        return switch(text, "configure", where) if name in _SWITCHES else text

    if isinstance(value, Mapping):
        return {key: _fill(value[key], f"{where}.{key}") for key in value}

    if isinstance(value, list):
        return [_fill(item, where) for item in value]

    return value


def _replacement(found: re.Match[str], value: str, where: str) -> str:
    name, default = found[1], found[2]

    if name is None:  # $${ stands for ${
        return "${"

    if default is not None and "${" in default:
        raise ConfigError("configure", where, value, "a placeholder cannot stand in the default of another one")

    text = os.environ.get(name) or default

    if text is None:
        raise ConfigError("configure", where, value, f"set {name} in the environment, or write ${{{name}:-default}}")

    return text
