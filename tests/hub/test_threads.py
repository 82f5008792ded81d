import asyncio
import threading
import time

import pytest
from served_hub import wait_until

from loghub.hub.threads import EndedError, Threads

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


async def test_who_waits_is_let_go_when_the_threads_are_closed() -> None:
    threads, go = Threads(1), threading.Event()
    calls = [asyncio.create_task(threads.call(go.wait, 20)) for _ in range(2)]
    await asyncio.sleep(0)
    threads.close()

    for call in calls:
        with pytest.raises(EndedError):
            await call

    go.set()
    assert await threads.call(lambda: "anew") == "anew"
    threads.close()


async def test_a_call_that_is_cancelled_before_it_began_is_never_made() -> None:
    threads, go, made = Threads(1), threading.Event(), list[str]()
    first = asyncio.create_task(threads.call(go.wait, 20))
    second = asyncio.create_task(threads.call(made.append, "second"))
    await asyncio.sleep(0)
    second.cancel()
    await asyncio.sleep(0)
    go.set()
    assert await first
    await threads.call(made.append, "third")
    assert made == ["third"]
    threads.close()


async def test_the_threads_are_daemons_bounded_and_end() -> None:
    threads = Threads(2, "bounded")
    await asyncio.gather(*(threads.call(threading.get_ident) for _ in range(20)))
    found = [thread for thread in threading.enumerate() if thread.name.startswith("bounded")]
    assert 1 <= len(found) <= 2
    assert all(thread.daemon for thread in found)
    threads.close()
    wait_until(lambda: not any(thread.is_alive() for thread in found))


async def test_an_error_reaches_who_called() -> None:
    threads = Threads()

    with pytest.raises(ZeroDivisionError):
        await threads.call(lambda: 1 // 0)

    threads.close()


async def test_the_end_waits_for_calls_under_way_but_not_for_ever() -> None:
    threads, go, begun = Threads(1, "waited"), threading.Event(), threading.Event()

    def hang() -> None:
        begun.set()
        go.wait(60)

    call = asyncio.create_task(threads.call(hang))
    await asyncio.to_thread(begun.wait, 60)
    found = [thread for thread in threading.enumerate() if thread.name.startswith("waited")]
    threads.close()

    with pytest.raises(EndedError):
        await call

    threads.join(time.monotonic())
    assert any(thread.is_alive() for thread in found)
    go.set()
    threads.join(time.monotonic() + 60)
    assert not any(thread.is_alive() for thread in found)
