"""Own noise: said once in a while, on stderr, and no trouble where there is none."""

import sys
import time

import pytest

import loghub
from loghub.handlers.diagnostics import FOREVER, say, write


def test_matter_is_repeated_only_after_a_while(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    said = []

    for now in (0.0, 59.9, 60.0, 61.0):
        monkeypatch.setattr(time, "monotonic", lambda now=now: now)
        said.append(say("RemoteHandler(x)", "no answer"))

    assert said == [True, False, True, False]
    assert capsys.readouterr().err == "loghub: RemoteHandler(x): no answer\n" * 2


def test_matters_and_subjects_are_apart_and_some_are_said_once(capsys: pytest.CaptureFixture[str]) -> None:
    assert say("a", "1", every=FOREVER)
    assert say("b", "2")
    assert say("a", "3", subject="hold")
    assert not say("a", "4", every=FOREVER)
    assert capsys.readouterr().err.count("\n") == 3


def test_missing_stderr_is_no_trouble(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stderr", None)
    assert say("a", "1")


def test_what_is_said_is_handed_to_who_listens_until_that_ends(capsys: pytest.CaptureFixture[str]) -> None:
    heard: list[tuple[str, str]] = []

    def broken(_matter: str, _sentence: str) -> None:
        raise RuntimeError("a mistake")

    def curious(matter: str, sentence: str) -> None:
        heard.append((matter, sentence))
        write("listener", "says something itself")

    ends = [loghub.on_diagnostic(broken), loghub.on_diagnostic(curious)]
    assert say("x", "no answer", every=FOREVER)
    assert not say("x", "no answer", every=FOREVER)

    for end in (*ends, *ends):
        end()

    write("x", "not heard")
    assert heard == [("x", "no answer")]
    assert capsys.readouterr().err.count("loghub: ") == 3
