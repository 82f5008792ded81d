import asyncio
import inspect
import pickle
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from loghub.event.context import bind, bound, current, isolated, propagate, unbind


def test_bound_values_end_with_their_block() -> None:
    bind(component="web")

    with bound(component="cart", request_id="r1"):
        assert current() == {"component": "cart", "request_id": "r1"}

    assert current() == {"component": "web"}
    unbind("component", "unheard")
    assert current() == {}


def test_block_ends_also_when_it_raises() -> None:
    with pytest.raises(ValueError, match="x"), bound(request_id="r1"):
        raise ValueError("x")

    assert current() == {}


def test_tasks_and_threads_do_not_see_each_other() -> None:
    seen: dict[str, object] = {}

    async def work(name: str) -> None:
        bind(request_id=name)
        await asyncio.sleep(0)
        seen[name] = current()["request_id"]

    async def both() -> None:
        await asyncio.gather(work("a"), work("b"))

    asyncio.run(both())
    thread = threading.Thread(target=lambda: seen.update(thread=current()))
    thread.start()
    thread.join()

    assert seen == {"a": "a", "b": "b", "thread": {}}


def test_undoing_is_complete_after_an_isolated_block() -> None:
    with bound(component="web", request_id="r0"):
        with isolated(request_id="r1"):
            bind(leaked="yes", component="changed")
            unbind("request_id")

        assert current() == {"component": "web", "request_id": "r0"}


def test_isolated_block_undoes_also_when_it_raises() -> None:
    def work() -> None:
        with isolated(request_id="r1"):
            bind(leaked="yes")
            raise ValueError("x")

    with pytest.raises(ValueError, match="x"):
        work()

    assert current() == {}


def test_thread_has_the_context_of_who_started_it_if_propagated() -> None:
    seen: list[Any] = []

    def note() -> None:
        seen.append(current())

    with bound(request_id="r1"):
        thread = threading.Thread(target=propagate(note))

    thread.start()
    thread.join()
    assert seen == [{"request_id": "r1"}]


def test_executor_has_the_context_of_who_submitted_and_nothing_stays_in_its_thread() -> None:
    def work(value: int, *, more: int = 0) -> tuple[int, dict[str, Any]]:
        before = current()
        bind(leaked="yes")
        return value + more, before

    with ThreadPoolExecutor(1) as pool:
        with bound(request_id="r1"):
            first = pool.submit(propagate(work), 1, more=2)

        with bound(request_id="r2"):
            second = pool.submit(propagate(work), 4)

        assert first.result() == (3, {"request_id": "r1"})
        assert second.result() == (4, {"request_id": "r2"})
        assert pool.submit(current).result() == {}


def test_one_propagated_function_runs_in_many_threads_at_once() -> None:
    together = threading.Barrier(4, timeout=60)

    def work(_number: int) -> object:
        together.wait()
        return current()["request_id"]

    with bound(request_id="r1"), ThreadPoolExecutor(4) as pool:
        assert list(pool.map(propagate(work), range(4))) == ["r1"] * 4


def test_to_thread_takes_the_context_along_by_itself_and_run_in_executor_if_propagated() -> None:
    async def work() -> list[Any]:
        bind(request_id="r1")
        loop = asyncio.get_running_loop()
        return [
            await asyncio.to_thread(current),
            await loop.run_in_executor(None, current),
            await loop.run_in_executor(None, propagate(current)),
        ]

    assert asyncio.run(work()) == [{"request_id": "r1"}, {}, {"request_id": "r1"}]


def test_task_starts_with_what_was_bound_where_it_was_made() -> None:
    async def work() -> Any:
        with bound(request_id="r1"):
            task = asyncio.create_task(_current_later())

        return await task

    assert asyncio.run(work()) == {"request_id": "r1"}


def test_coroutine_function_runs_in_the_context_in_which_it_was_wrapped() -> None:
    with bound(request_id="r1"):
        work = propagate(_current_later)

    assert inspect.iscoroutinefunction(work)
    assert asyncio.run(work()) == {"request_id": "r1"}


def test_cancelling_reaches_a_propagated_coroutine() -> None:
    ended: list[str] = []

    @propagate
    async def work() -> None:
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            ended.append("cancelled")
            raise

    async def main() -> None:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.01):
                await work()

    asyncio.run(main())
    assert ended == ["cancelled"]


def test_other_process_has_the_bound_values_that_can_be_pickled() -> None:
    with bound(request_id="r1", lock=threading.Lock()):
        sent = pickle.dumps(propagate(current))

    code = "import pickle, sys; print(pickle.loads(sys.stdin.buffer.read())())"
    done = subprocess.run([sys.executable, "-c", code], input=sent, capture_output=True, check=True)
    assert done.stdout.decode().strip() == "{'request_id': 'r1'}"


def test_propagated_function_keeps_its_name_result_and_errors() -> None:
    assert propagate(current).__name__ == "current"

    with pytest.raises(ZeroDivisionError):
        propagate(divmod)(1, 0)


def test_generator_function_is_refused() -> None:
    def numbers() -> Iterator[int]:
        yield 1

    with pytest.raises(TypeError, match=r"propagate\(numbers\): a generator runs where it is iterated"):
        propagate(numbers)


def test_reading_goes_on_while_another_thread_binds_new_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("loghub.event.context.registry", {})
    ended = threading.Event()

    def bind_new_keys() -> None:
        for number in range(5_000):
            bind(**{f"key_{number}": number})

        unbind(*current())
        ended.set()

    thread = threading.Thread(target=bind_new_keys)
    thread.start()

    while not ended.is_set():
        current()

    thread.join()


async def _current_later() -> dict[str, Any]:
    await asyncio.sleep(0)
    return current()
