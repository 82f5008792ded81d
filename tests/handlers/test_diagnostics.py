"""Own noise: said once in a while, on stderr, and no trouble where there is none."""

import sys
import time

import pytest

from loghub.handlers.diagnostics import FOREVER, say


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
