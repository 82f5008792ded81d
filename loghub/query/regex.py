"""Regular expressions in RE2's syntax: linear time, whatever a user types.

The package (google-re2) comes with an extra and is loaded at the first expression. The
store's SQL uses the same engine.
"""

from collections.abc import Callable
from functools import lru_cache
from typing import Any

from loghub.errors import MissingExtraError, require

_FEATURE = "A regular expression in a query"
_EXTRA = "hub"


def regex_fault(regex: str) -> str | None:
    """Say what is wrong with a regular expression; None where it is right or RE2 is not installed."""
    try:
        _compiled(regex)
    except MissingExtraError:
        return None
    except ValueError as error:
        return str(error)

    return None


def regex_search(regex: str) -> Callable[[str], bool]:
    """Give a function that tells whether the expression is found in a text.

    Raises:
        MissingExtraError: google-re2 is not installed.
        ValueError: the expression is wrong; the text says why.
    """
    search = _compiled(regex).search

    def found(text: str) -> bool:
        return search(text) is not None

    return found


@lru_cache(maxsize=256)
def _compiled(regex: str) -> Any:  # noqa: ANN401 (an untyped package)
    re2 = require("re2", _FEATURE, _EXTRA)
    options = re2.Options()
    options.log_errors = False

    try:
        return re2.compile(regex, options)
    except re2.error as error:
        fault = error.args[0]
        raise ValueError(fault.decode("utf-8", "replace") if isinstance(fault, bytes) else str(fault)) from None
