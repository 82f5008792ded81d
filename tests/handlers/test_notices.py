"""Own noise: said once in a while, on stderr, and no trouble where there is none."""

import sys

import pytest

from loghub.handlers.notices import FOREVER, Notices


def test_subject_is_repeated_only_after_a_while(capsys: pytest.CaptureFixture[str]) -> None:
    now = [0.0]
    notices = Notices("RemoteHandler(x)", lambda: now[0])
    said = []

    for now[0] in (0.0, 59.9, 60.0, 61.0):
        said.append(notices.say("retry", "no answer"))

    assert said == [True, False, True, False]
    assert capsys.readouterr().err == "loghub: RemoteHandler(x): no answer\n" * 2


def test_subjects_are_apart_and_some_are_said_once(capsys: pytest.CaptureFixture[str]) -> None:
    notices = Notices("x", lambda: 1e9)
    assert notices.say("a", "1", every=FOREVER)
    assert notices.say("b", "2")
    assert not notices.say("a", "3", every=FOREVER)
    assert capsys.readouterr().err.count("\n") == 2


def test_missing_stderr_is_no_trouble(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stderr", None)
    assert Notices("x").say("a", "1")
