import threading

from served_hub import wait_until

from loghub.hub.store.turns import Turns


def test_turns_come_in_order_even_where_one_asks_again_at_once() -> None:
    turns, order = Turns(), list[str]()
    turns.take()
    threads = [threading.Thread(target=take, args=(turns, order, name)) for name in "abc"]

    for count, thread in enumerate(threads, 2):
        thread.start()
        wait_until(lambda count=count: len(turns._line) == count)  # type: ignore[misc]

    turns.give()

    with turns:
        order.append("again")

    for thread in threads:
        thread.join(60)

    assert order == ["a", "b", "c", "again"]


def take(turns: Turns, order: list[str], name: str) -> None:
    with turns:
        order.append(name)


def test_who_waits_too_long_leaves_the_line() -> None:
    turns = Turns()
    assert turns.take()
    assert not turns.take(0.01)
    turns.give()
    assert turns.take(0)
