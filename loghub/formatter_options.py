"""The options of `JSONFormatter`, read and checked; each error names the option, the value and the remedy."""

from collections.abc import Mapping, Sequence
from typing import Any

from loghub.errors import ConfigError
from loghub.event.limits import Limits
from loghub.options import count, size

_LEAST_LINE = 1024
_LEAST_PARTS = 64  # members and characters: the standard keys must have room


def mapping(value: Mapping[str, Any] | None, option: str) -> dict[str, Any]:
    """Read a mapping; None is an empty one."""
    if value is None:
        return {}

    if not isinstance(value, Mapping):
        raise ConfigError("JSONFormatter", option, value, "give a mapping, as {service: shop}")

    # Item by item: a configuration's ext:// and cfg:// values are resolved by [] only.
    return {key: value[key] for key in value}


def packages(value: Sequence[str]) -> tuple[str, ...]:
    """Read names of packages."""
    names = (value,) if isinstance(value, str) else tuple(value)

    for package in names:
        if not all(part.isidentifier() for part in str(package).split(".")):
            raise ConfigError("JSONFormatter", "in_app", value, "give names of packages, as [shop, shop_client]")

    return names


def limits(line: int | str, depth: int, items: int, string: int) -> Limits:
    """Read how much a line may hold."""
    owner = "JSONFormatter"
    line_bytes = size(line, owner, "max_line")

    if line_bytes < _LEAST_LINE:
        raise ConfigError(owner, "max_line", line, f"give at least {_LEAST_LINE} bytes")

    return Limits(
        line_bytes,
        count(depth, owner, "max_depth"),
        count(items, owner, "max_items", least=_LEAST_PARTS),
        count(string, owner, "max_string", least=_LEAST_PARTS),
    )


def rules(mask: Sequence[str | Mapping[str, str]]) -> Sequence[str | Mapping[str, str]]:
    """Read what is masked."""
    # Item by item: a configuration's ext:// and cfg:// values are resolved by [] only.
    return mask if isinstance(mask, str) else [mask[place] for place in range(len(mask))]
