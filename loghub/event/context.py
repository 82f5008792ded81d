"""Values bound to the current context: a request id, a component, a user.

There is one ContextVar for each key, so that a value set in a task or a thread is seen by
what runs inside it and by nothing else. Formatters read `current()` themselves.

A task starts with what was bound where it was made, a thread with nothing: `propagate` takes it
along, into threads, executors and (the bound values alone) other processes.
"""

import inspect
import pickle
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import Context, ContextVar, copy_context
from functools import update_wrapper, wraps
from typing import Any, Generic, ParamSpec, TypeVar, cast

_P = ParamSpec("_P")
_R = TypeVar("_R")

_UNSET = object()
registry: dict[str, ContextVar[Any]] = {}
"""The variable of each key that was ever bound in this process; read by what must be quick, changed here alone."""


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
        if key in registry:
            registry[key].set(_UNSET)


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


@contextmanager
def isolated(**values: object) -> Iterator[None]:
    """Bind values for the length of a `with` block, and undo at its end all that was bound or unbound inside.

    It is for whoever calls code that is not his own, as a server does for each request.
    """
    before = current()

    try:
        bind(**values)
        yield
    finally:
        restore(before)


def restore(values: dict[str, Any]) -> None:
    """Bind exactly these values, as `current()` gave them, and nothing else."""
    for key, variable in registry.copy().items():
        if variable.get() is not (value := values.get(key, _UNSET)):
            variable.set(value)


def propagate(function: Callable[_P, _R]) -> Callable[_P, _R]:
    """Wrap a function so that it runs in a copy of the context in which it is wrapped.

    >>> from concurrent.futures import ThreadPoolExecutor
    >>> with ThreadPoolExecutor() as pool, bound(request_id="9f2c"):
    ...     pool.submit(propagate(lambda: current()["request_id"])).result()
    '9f2c'

    What it binds is gone when it returns. A coroutine function is run as a task of its own, in asyncio. Sent to
    another process, the function takes along the bound values that can be pickled.

    Raises:
        TypeError: it is a generator function, whose body runs where it is iterated; wrap the function that iterates.
    """
    if inspect.isgeneratorfunction(function) or inspect.isasyncgenfunction(function):
        name = getattr(function, "__name__", function)
        raise TypeError(f"propagate({name}): a generator runs where it is iterated; wrap the function that iterates it")

    if inspect.iscoroutinefunction(function):
        return cast("Callable[_P, _R]", _propagated_coroutine(function))

    return _Propagated(function, copy_context())


def current() -> dict[str, Any]:
    """Give what is bound in this context, in the order in which keys were first used."""
    if not registry:
        return {}

    # The copy is made in one step (a tuple of items is not: the collector may run, and let go of the interpreter's
    # lock, at each of them): another thread may bind a new key meanwhile.
    variables = registry.copy()
    return {key: value for key, variable in variables.items() if (value := variable.get()) is not _UNSET}


class _Propagated(Generic[_P, _R]):
    """A function and the context that it runs in; can be pickled where the function can."""

    def __init__(self, function: Callable[_P, _R], context: Context) -> None:
        update_wrapper(self, function)
        self._function = function
        self._context = context

    def __call__(self, *args: _P.args, **kwargs: _P.kwargs) -> _R:
        # A context can be entered once at a time: calls side by side need a copy each.
        return self._context.copy().run(self._function, *args, **kwargs)

    def __reduce__(self) -> tuple[Any, ...]:
        values = self._context.run(current)
        return _with_values, (self._function, {key: value for key, value in values.items() if _can_be_pickled(value)})


def _with_values(function: Callable[_P, _R], values: dict[str, Any]) -> _Propagated[_P, _R]:
    context = Context()
    context.run(bind, **values)
    return _Propagated(function, context)


def _can_be_pickled(value: object) -> bool:
    try:
        pickle.dumps(value)
    except Exception:  # noqa: BLE001 (a user's __reduce__ may raise anything)
        return False

    return True


def _propagated_coroutine(function: Callable[..., Any]) -> Callable[..., Any]:
    context = copy_context()

    @wraps(function)
    async def run(*args: object, **kwargs: object) -> object:
        import asyncio  # noqa: PLC0415 (most programs that log have no use for it)

        return await asyncio.create_task(function(*args, **kwargs), context=context.copy())

    return run


def _variable(key: str) -> ContextVar[Any]:
    variable = registry.get(key)

    if variable is None:
        # setdefault is atomic: two threads that bind a new key at once get the same variable.
        variable = registry.setdefault(key, ContextVar(f"loghub.{key}", default=_UNSET))

    return variable
