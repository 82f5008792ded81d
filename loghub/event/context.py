"""Values bound to the current context: a request id, a component, a user.

There is one ContextVar for each key, so that a value set in a task or a thread is seen by
what runs inside it and by nothing else. Formatters read `current()` themselves.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

_UNSET = object()
_variables: dict[str, ContextVar[Any]] = {}


def bind(**values: object) -> None:
    """Add values to every event that is logged in this context from now on.

    >>> bind(request_id="9f2c", component="checkout")
    >>> current()["component"]
    'checkout'
    """
    for key, value in values.items():
        _variable(key).set(value)


def unbind(*keys: str) -> None:
    """Take values out of this context again; unknown keys are passed over."""
    for key in keys:
        if key in _variables:
            _variables[key].set(_UNSET)


@contextmanager
def bound(**values: object) -> Iterator[None]:
    """Bind values for the length of a `with` block.

    >>> with bound(component="cart"):
    ...     current()["component"]
    'cart'
    """
    tokens = [(variable, variable.set(value)) for variable, value in ((_variable(k), v) for k, v in values.items())]

    try:
        yield
    finally:
        for variable, token in reversed(tokens):
            variable.reset(token)


def current() -> dict[str, Any]:
    """Give what is bound in this context, in the order in which keys were first used."""
    # A copy made in one step: another thread may bind a new key meanwhile.
    return {key: value for key, variable in tuple(_variables.items()) if (value := variable.get()) is not _UNSET}


def _variable(key: str) -> ContextVar[Any]:
    variable = _variables.get(key)

    if variable is None:
        # setdefault is atomic: two threads that bind a new key at once get the same variable.
        variable = _variables.setdefault(key, ContextVar(f"loghub.{key}", default=_UNSET))

    return variable
