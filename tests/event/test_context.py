import asyncio
import threading

import pytest

from loghub.event.context import bind, bound, current, unbind


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


def test_reading_goes_on_while_another_thread_binds_new_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("loghub.event.context._variables", {})
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
