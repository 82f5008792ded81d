"""What the sender says on stderr, where stderr is full or leads into logging."""

import logging
import sys
import threading
from pathlib import Path

import pytest

from loghub.handlers.remote import RemoteHandler

from processes import run_python
from scripted_hub import scripted_hub, status, wait_until


class Full:
    """A stderr whose reader does not read."""

    def __init__(self) -> None:
        self.entered, self.drained = threading.Event(), threading.Event()

    def write(self, text: str) -> None:
        if "trying again" in text or "wait in memory until" in text:
            self.entered.set()
            self.drained.wait(200)

    def flush(self) -> None:
        """Do nothing: it is not buffered."""


def test_full_stderr_holds_up_nobody_who_logs(monkeypatch: pytest.MonkeyPatch) -> None:
    stderr = Full()
    monkeypatch.setattr(sys, "stderr", stderr)

    with scripted_hub(otherwise=status(503)) as hub:
        handler = RemoteHandler(hub.url, exit_deadline="100 ms")
        handler.handle(logging.makeLogRecord({"msg": "one"}))
        assert stderr.entered.wait(60)
        caller = threading.Thread(target=handler.handle, args=[logging.makeLogRecord({"msg": "two"})])
        caller.start()
        caller.join(60)
        held_up = caller.is_alive()
        stderr.drained.set()
        hub.otherwise = status(200)
        wait_until(lambda: handler.flush(1))
        handler.close()

    assert not held_up


def test_full_stderr_holds_up_nobody_whose_disk_refuses(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    stderr = Full()
    monkeypatch.setattr(sys, "stderr", stderr)
    (tmp_path / "file").touch()

    with scripted_hub() as hub:
        handler = RemoteHandler(hub.url, spool=str(tmp_path / "file" / "spool"), exit_deadline="100 ms")

        def log() -> None:
            for word in ("one", "two"):
                handler.handle(logging.makeLogRecord({"msg": word}))

        caller = threading.Thread(target=log)
        caller.start()
        caller.join(5)
        held_up = caller.is_alive()
        assert stderr.entered.wait(10)
        stderr.drained.set()
        wait_until(lambda: handler.flush(1))
        assert hub.messages == ["one", "two"]
        handler.close()

    assert not held_up


def test_stderr_that_leads_into_logging_does_not_stop_a_configuration(tmp_path: Path) -> None:
    run_python(
        """
        import logging, logging.config, sys, threading
        from loghub.handlers.remote import RemoteHandler

        entered, configuring = threading.Event(), threading.Event()

        class IntoLogging:
            def write(self, text):
                if "trying again" in text or "no answer" in text:
                    entered.set()
                    configuring.wait(200)
                    logging.getLogger("stderr.new").error(text)  # takes logging's lock

            def flush(self):
                pass

        handler = RemoteHandler("http://127.0.0.1:9", exit_deadline=0)
        logging.getLogger().addHandler(handler)
        sys.stderr = IntoLogging()
        logging.getLogger().error("x")
        assert entered.wait(60)

        with logging._lock:  # as a dictConfig does while it flushes the handlers of before
            configuring.set()
            handler.flush()

        sys.stderr = sys.__stderr__
        """,
        cwd=tmp_path,
        timeout=100,
    )
