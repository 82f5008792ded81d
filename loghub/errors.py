"""The errors that loghub raises, all of them while it is being set up or asked something.

```
LoghubError
├── ConfigError        (ValueError)   an option, its value and the remedy
├── MissingExtraError  (ImportError)  a feature whose extra is not installed
├── HubError           (RuntimeError) a hub refused, or cannot be reached
├── QuerySyntaxError   (ValueError)   a query and the position where it stops making sense
└── StoreError         (RuntimeError) the hub's data directory cannot be used
    ├── DirectoryInUseError              another process has it
    ├── QueryTimeoutError (TimeoutError) a search took longer than it may
    ├── QueryMemoryError  (MemoryError)  a search needs more memory than it may have
    └── DeletionError     (OSError)      a deletion stopped half-way, as on a full disk
```
A handler never raises into the application that logs.
"""

from importlib import import_module
from typing import Any


class LoghubError(Exception):
    """The parent of every error that loghub raises."""


class ConfigError(LoghubError, ValueError):
    """A wrong option.

    Attributes:
        owner: who has the option, as "JSONFileHandler".
        option: the option's name.
        value: what was given.
        remedy: what to write instead.
    """

    def __init__(self, owner: str, option: str, value: object, remedy: str) -> None:
        super().__init__(f"{owner}: {option}={value!r}: {remedy}")
        self.owner = owner
        self.option = option
        self.value = value
        self.remedy = remedy


class MissingExtraError(LoghubError, ImportError):
    """A feature was used whose optional dependencies are not installed."""

    def __init__(self, feature: str, extra: str) -> None:
        super().__init__(f"{feature} needs the '{extra}' extra: pip install 'loghub[{extra}]'")
        self.feature = feature
        self.extra = extra


class QuerySyntaxError(LoghubError, ValueError):
    """A query that cannot be read.

    Attributes:
        query: the text.
        position: index of the character at which it stops making sense, from 0.
        expected: what could have stood there.
    """

    def __init__(self, query: str, position: int, expected: str) -> None:
        super().__init__(f"at character {position + 1}: expected {expected}")
        self.query = query
        self.position = position
        self.expected = expected


class StoreError(LoghubError, RuntimeError):
    """The hub's data directory is damaged, locked by another hub or of an unknown version."""


class DirectoryInUseError(StoreError):
    """A data directory that another process has: a hub, or a `loghub store`.

    Attributes:
        directory: where it is.
        owner: the number of that process, as far as it is known.
    """

    def __init__(self, directory: object, owner: str) -> None:
        super().__init__(
            f"{directory} is in use by another hub (process {owner}): stop that one, or give this one another directory"
        )
        self.directory = directory
        self.owner = owner


class DeletionError(StoreError, OSError):
    """A deletion that did not come to its end.

    Attributes:
        deleted: events that are gone.
        reason: why the others are not.
    """

    def __init__(self, deleted: int, reason: Exception) -> None:
        super().__init__(
            f"{deleted} events were deleted, then it failed ({reason}): where the disk is full, make room, or delete"
            " all events of a longer time, which needs none; then ask again"
        )
        self.deleted = deleted
        self.reason = reason


class QueryTimeoutError(StoreError, TimeoutError):
    """A search took longer than it may.

    Attributes:
        seconds: how long it may take.
    """

    def __init__(self, seconds: float) -> None:
        super().__init__(f"the query took longer than {seconds:g} s: ask for less time, or more exactly")
        self.seconds = seconds


class QueryMemoryError(StoreError, MemoryError):
    """A search needs more memory than it may have."""

    def __init__(self) -> None:
        super().__init__("the query needs more memory than it may have: ask for less time, or more exactly")


class HubError(LoghubError, RuntimeError):
    """A hub refused what was asked of it, or cannot be reached.

    Attributes:
        status: of its answer; None where there was none.
        code: of its error, as "bad_query".
        position: index of the character at which a query stops making sense.
    """

    def __init__(
        self, message: str, status: int | None = None, code: str | None = None, position: int | None = None
    ) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.position = position


def require(module: str, feature: str, extra: str) -> Any:  # noqa: ANN401 (a module)
    """Import a module of an extra.

    Raises:
        MissingExtraError: says what to install.
    """
    try:
        return import_module(module)
    except ModuleNotFoundError as error:
        raise MissingExtraError(feature, extra) from error
