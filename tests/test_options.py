import pytest

from loghub.errors import ConfigError
from loghub.options import choice, count, duration, names_unknown_options, size, switch, text


@pytest.mark.parametrize(
    ("given", "expected"),
    [("100 MB", 100_000_000), ("64 KiB", 65_536), ("1.5GB", 1_500_000_000), (10, 10), ("7", 7), ("0 b", 0)],
)
def test_size_reads_bytes_in_powers_of_1000_and_1024(given: object, expected: int) -> None:
    assert size(given, "H", "rotate") == expected


@pytest.mark.parametrize(
    ("given", "expected"), [("50 ms", 0.05), ("5s", 5), ("14 days", 1_209_600), ("1 week", 604_800), (2.5, 2.5)]
)
def test_duration_reads_seconds(given: object, expected: float) -> None:
    assert duration(given, "H", "keep") == pytest.approx(expected)


@pytest.mark.parametrize("given", ["100 XB", "MB", "-5 MB", -1, True, None, "", float("inf"), float("nan")])
def test_size_refuses_what_is_no_size_and_says_what_to_write(given: object) -> None:
    with pytest.raises(ConfigError, match=r'^H: rotate=.*: give bytes as a number, or text as "100 MB" or "64 KiB"$'):
        size(given, "H", "rotate")


def test_capital_m_is_no_hundred_minutes() -> None:
    for read in (size, duration):
        with pytest.raises(ConfigError, match="100 M"):
            read("100 M", "H", "rotate")


def test_placeholder_that_nobody_filled_in_points_to_configure() -> None:
    for read in (size, duration, text, count, switch):
        with pytest.raises(ConfigError, match=r"loghub\.configure"):
            read("${NAME:-5}", "H", "option")


@pytest.mark.parametrize(
    ("word", "expected"), [("", True), ("1", True), ("yes", True), ("ON", True), ("0", False), ("off", False)]
)
def test_switch_reads_the_environment(word: str, expected: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SHOP_CONSOLE", word)

    assert switch("env:SHOP_CONSOLE", "H", "enabled") is expected


def test_switch_is_on_where_the_variable_is_unset(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SHOP_CONSOLE", raising=False)

    assert switch("env:SHOP_CONSOLE", "H", "enabled") is True


def test_switch_refuses_another_word_in_the_environment_and_names_the_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SHOP_CONSOLE", "maybe")

    with pytest.raises(ConfigError, match="SHOP_CONSOLE is 'maybe'; set it to 1 or 0"):
        switch("env:SHOP_CONSOLE", "H", "enabled")


def test_switch_is_overridden_only_by_a_variable_that_is_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOGHUB_REMOTE", "0")
    assert switch(True, "H", "enabled", override="LOGHUB_REMOTE") is False

    monkeypatch.setenv("LOGHUB_REMOTE", "")
    assert switch(False, "H", "enabled", override="LOGHUB_REMOTE") is False


def test_choice_lists_the_words_there_are() -> None:
    with pytest.raises(ConfigError, match="style='loud': give one of auto, text"):
        choice("loud", "H", "style", {"auto": 1, "text": 2})


def test_unknown_option_is_named_with_the_nearest_one() -> None:
    class Thing:
        @names_unknown_options
        def __init__(self, *, rotate: str = "") -> None:
            self.rotate = rotate

    assert Thing(rotate="x").rotate == "x"

    with pytest.raises(ConfigError, match=r"Thing: rotat='x': there is no such option; did you mean 'rotate'\?"):
        Thing(rotat="x")  # type: ignore[call-arg]
