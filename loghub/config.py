"""`loghub.configure`: a dictConfig from a file, with the environment filled in and errors that say what to do.

It loads YAML, TOML, JSON or a dict, replaces `${NAME}` and `${NAME:-default}`, and calls
`logging.config.dictConfig`. Plain dictConfig works just as well; this adds nothing to it but that.
"""

import json
import logging.config
import os
import re
import tomllib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from loghub.errors import ConfigError, require

_PLACEHOLDER = re.compile(r"\$\$\{|\$\{([A-Za-z_][A-Za-z0-9_]*)(?::-([^}]*))?\}")
_UNABLE = re.compile(r"Unable to (?:configure|add|set level of) (\w+)(?: (?:to )?'([^']*)')?")


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
        MissingExtraError: YAML without the 'cli' extra.
    """
    loaded = dict(config) if isinstance(config, Mapping) else _load(Path(config))
    filled = {"version": 1, "disable_existing_loggers": False} | {key: _fill(loaded[key], key) for key in loaded}

    try:
        logging.config.dictConfig(filled)
    except (ValueError, TypeError, AttributeError, ImportError) as error:
        raise _explained(error, filled) from error


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
        return _PLACEHOLDER.sub(lambda found: _replacement(found, value, where), value)

    if isinstance(value, Mapping):
        return {key: _fill(value[key], f"{where}.{key}") for key in value}

    if isinstance(value, list):
        return [_fill(item, where) for item in value]

    return value


def _replacement(found: re.Match[str], value: str, where: str) -> str:
    name, default = found[1], found[2]

    if name is None:  # $${ stands for ${
        return "${"

    text = os.environ.get(name) or default

    if text is None:
        raise ConfigError("configure", where, value, f"set {name} in the environment, or write ${{{name}:-default}}")

    return text


def _explained(error: Exception, config: Mapping[str, Any]) -> ConfigError:
    """Make one sentence of dictConfig's chain of errors: the outermost names the handler, the innermost the reason."""
    place = _UNABLE.search(str(error))
    kind, name = (place[1], place[2] or "") if place else ("configuration", "")
    where = f"{kind} {name!r}" if name else kind
    reason: BaseException = error

    while reason.__cause__ is not None and not isinstance(reason, ConfigError):
        reason = reason.__cause__

    if isinstance(reason, ConfigError):
        return ConfigError(f"{where}: {reason.owner}", reason.option, reason.value, reason.remedy)

    part = config.get(f"{kind}s", {}).get(name, {})

    if isinstance(reason, ImportError | AttributeError) and isinstance(part, Mapping):
        option = "()" if "()" in part else "class"
        return ConfigError(where, option, part.get(option), f"name a class that can be imported ({reason})")

    return ConfigError("configure", where, part, f"mend it: {reason}")
