from loghub.hub.store.watchers import Watchers


def test_a_watcher_that_fails_keeps_nobody_from_being_woken() -> None:
    watchers = Watchers()
    calls: list[str] = []
    watchers.add(lambda: calls.append(str(1 / 0)))
    watchers.add(lambda: calls.append("second"))
    watchers.wake()
    assert calls == ["second"]


def test_who_left_while_all_are_woken_is_not_woken_again() -> None:
    watchers = Watchers()
    calls: list[str] = []

    def leave() -> None:
        calls.append("left")
        end()

    end = watchers.add(leave)
    watchers.add(lambda: calls.append("stays"))
    watchers.wake()
    watchers.wake()
    assert calls == ["left", "stays", "stays"]
