"""Request ids through a real Celery: a worker in this process on its in-memory broker, and eager tasks."""

import warnings
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from loghub.event.context import bind, bound, current
from loghub.middleware.celery import connect, disconnect
from loghub.middleware.traceparent import TraceParent, incoming

celery: Any = pytest.importorskip("celery")
testing: Any = pytest.importorskip("celery.contrib.testing.worker")

TRACE, SPAN = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"


def task(app: Any, name: str) -> Callable[[Callable[[], Any]], Any]:
    """Make a function a task."""
    made: Callable[[Callable[[], Any]], Any] = app.task(name=name)
    return made


@pytest.fixture(scope="module")
def app() -> Any:
    made = celery.Celery("shop", broker="memory://", backend="cache+memory://", set_as_current=False)
    made.conf.update(broker_connection_retry_on_startup=False, worker_hijack_root_logger=False)
    return made


@pytest.fixture(autouse=True)
def _connected() -> Iterator[None]:
    connect()
    connect()
    yield
    disconnect()


@pytest.fixture(scope="module")
def worked(app: Any) -> Iterator[Any]:
    """Give an application with a worker of one thread."""

    @task(app, "show")
    def show() -> dict[str, Any]:
        found = current()
        bind(leaked="yes")
        return found

    @task(app, "front")
    def front() -> str:
        return str(show.delay().id)

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Celery's and its worker's own

        with testing.start_worker(app, perform_ping_check=False, pool="solo", shutdown_timeout=100):
            yield app


@pytest.mark.filterwarnings("ignore")
def test_worker_binds_what_the_sender_had_bound_and_nothing_leaks(worked: Any) -> None:
    show = worked.tasks["show"]

    with bound(request_id="r1", trace_id=TRACE, span_id=SPAN, customer="not sent"):
        first = show.delay()

    second = show.delay()
    seen = [first.get(timeout=60), second.get(timeout=60)]
    ids = {"request_id": "r1", "trace_id": TRACE, "span_id": SPAN}
    assert seen[0] == {**ids, "task_id": first.id, "task_name": "show"}
    assert seen[1] == {"request_id": second.id, "task_id": second.id, "task_name": "show"}


@pytest.mark.filterwarnings("ignore")
def test_header_of_the_caller_stays_and_an_odd_one_is_not_taken(worked: Any) -> None:
    show = worked.tasks["show"]

    with bound(request_id="r1"):
        mine = show.apply_async(headers={"x-request-id": "mine"})
        odd = show.apply_async(headers={"x-request-id": "a\nb"})

    assert mine.get(timeout=60)["request_id"] == "mine"
    assert odd.get(timeout=60)["request_id"] == odd.id


@pytest.mark.filterwarnings("ignore")
def test_task_sends_its_id_on_to_the_tasks_that_it_sends(worked: Any) -> None:
    sent = worked.tasks["front"].delay()
    shown = worked.AsyncResult(sent.get(timeout=60)).get(timeout=60)
    assert shown["request_id"] == sent.id


def test_eager_task_has_the_context_of_its_caller_and_leaves_it_alone(app: Any) -> None:
    @task(app, "eager")
    def eager() -> dict[str, Any]:
        found = current()
        bind(leaked="yes", request_id="changed")
        return found

    came = TraceParent(TRACE, SPAN, 1)
    token = incoming.set(came)

    try:
        with bound(request_id="r1"):
            result = eager.apply()
            assert current() == {"request_id": "r1"}

        assert incoming.get() is came
    finally:
        incoming.reset(token)

    assert result.get() == {"request_id": "r1", "task_id": result.id, "task_name": "eager"}
    assert current() == {}


def test_task_that_raises_or_runs_another_inside_leaves_nothing_bound(app: Any) -> None:
    seen: list[Any] = []

    @task(app, "inner")
    def inner() -> None:
        seen.append(current()["task_name"])
        raise ValueError("x")

    @task(app, "outer")
    def outer() -> None:
        inner.apply()
        seen.append(current()["task_name"])

    assert outer.apply().successful()
    assert seen == ["inner", "outer"]
    assert current() == {}


def test_disconnected_signals_bind_nothing(app: Any) -> None:
    @task(app, "free")
    def free() -> dict[str, Any]:
        return current()

    disconnect()
    assert free.apply().get() == {}
