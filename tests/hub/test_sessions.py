"""Sessions: what a signed cookie proves, and to whom."""

import pytest

from loghub.hub.sessions import Sessions

TOKEN = "a-token-of-the-test"


def test_a_session_ends_with_time() -> None:
    now = 1000.0
    sessions = Sessions(TOKEN, 60, clock=lambda: now)
    value = sessions.open()
    assert sessions.knows(value)
    now = 1060.0
    assert not sessions.knows(value)


def test_a_session_outlives_the_hub() -> None:
    value = Sessions(TOKEN, 60).open()

    assert Sessions(TOKEN, 60).knows(value)


def test_another_token_ends_all_sessions() -> None:
    value = Sessions(TOKEN, 60).open()

    assert not Sessions("another-token-of-the-test", 60).knows(value)


def test_a_session_that_was_ended_is_refused_and_the_others_stay() -> None:
    sessions = Sessions(TOKEN, 60)
    ended, other = sessions.open(), sessions.open()

    sessions.end(ended)

    assert [sessions.knows(ended), sessions.knows(other)] == [False, True]


def test_what_was_not_signed_here_is_never_known() -> None:
    sessions = Sessions(TOKEN, 60)
    end, own, signature = sessions.open().split(".")

    for forged in (
        "",
        ".",
        "..",
        "é",
        "\udcff.x.y",
        f"{end}.{own}.\udcff",
        signature,
        f"{end}.{own}",
        f"{end}.{own}.",
        f"{int(end) + 1}.{own}.{signature}",
        f"{end}.{own}x.{signature}",
        f"{end}.{own}.{signature}=",
        f"{end}.{own}.{signature.swapcase()}",
        TOKEN,
    ):
        assert not sessions.knows(forged), forged


@pytest.mark.parametrize("token", [TOKEN, None])
def test_a_value_tells_nothing_of_the_token_and_is_no_other_twice(token: str | None) -> None:
    values = {Sessions(token, 60).open() for _ in range(10)}

    assert len(values) == 10
    assert not any(TOKEN in value for value in values)


def test_what_is_kept_of_ended_sessions_is_bounded() -> None:
    sessions = Sessions(TOKEN, 60)
    values = [sessions.open() for _ in range(1001)]

    for value in values:
        sessions.end(value)

    assert [sessions.knows(value) for value in values[:2]] == [True, False]
