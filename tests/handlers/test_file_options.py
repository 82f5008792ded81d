import json
import logging
import os
import socket
import stat
import time
from pathlib import Path
from typing import Any

import pytest

from loghub.errors import ConfigError
from loghub.handlers.json_file import JSONFileHandler
from loghub.segments import segments


def log_to(handler: logging.Handler, *messages: str) -> None:
    for message in messages:
        handler.handle(logging.makeLogRecord({"msg": message, "levelno": 20, "levelname": "INFO"}))


def messages_of(path: Path) -> list[str]:
    return [json.loads(line)["message"] for line in path.read_text().splitlines()]


@pytest.mark.parametrize(
    ("options", "remedy"),
    [
        ({"rotate": "1 MB", "maxBytes": 1000}, r"maxBytes=1000: it contradicts rotate='1 MB'; give rotate and keep"),
        ({"keep_files": 3, "backupCount": 5}, r"backupCount=5: it contradicts keep_files=3"),
        ({"compress": "gz", "when": "midnight"}, r"when='midnight': it contradicts compress='gz'"),
        ({"maxBytes": 5, "when": "h"}, r"maxBytes=5: it contradicts when; .* rotate: \[100 MB, midnight\]"),
        ({"mode": "w", "on_start": "roll"}, r"on_start='roll': it contradicts mode='w'"),
        ({"mode": "r"}, r"mode='r': give one of a, ab"),
        ({"when": "X"}, r"when='X': give one of S, M, H, D, MIDNIGHT, W0"),
        ({"when": "h", "interval": 0}, r"interval=0: give a whole number, 1 or more"),
        ({"when": "midnight", "atTime": 810}, r'atTime=810: give a time of the day in quotes, as "03:30"'),
        ({"delay": "perhaps"}, r"delay='perhaps': write true, false"),
        ({"on_start": "burn"}, r"on_start='burn': give one of append, roll, truncate"),
        ({"durability": "maybe"}, r"durability='maybe': give one of process, interval, record"),
        ({"write": "later"}, r"write='later': give one of direct, async"),
        ({"fallback": "elsewhere"}, r'fallback=\'elsewhere\': give "stderr", "file:PATH" or "handler:NAME"'),
        ({"permissions": "rw-r--r--"}, r'permissions=\'rw-r--r--\': give octal digits in quotes, as "0640"'),
        ({"permissions": 640}, r"permissions=640: give octal digits in quotes"),
        ({"owner": "nobody-of-this-name"}, r"owner='nobody-of-this-name': there is none of this name here"),
        ({"encoding": "utf-16"}, r"encoding='utf-16': a line must end in one byte"),
        ({"encoding": "klingon"}, r"encoding='klingon': Python knows no such name"),
        ({"errors": "shrug"}, r"errors='shrug': Python knows no such name"),
        ({"waiting": -1}, r"waiting=-1: give a whole number, 0 or more"),
        ({"maxbytes": 5}, r"there is no such option; did you mean 'maxBytes'\?"),
    ],
)
def test_wrong_option_says_what_to_write(options: dict[str, Any], remedy: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=remedy):
        JSONFileHandler(tmp_path / "app.jsonl", **options)

    assert list(tmp_path.iterdir()) == [], "a refused handler touches no file"


def test_filename_has_host_process_and_date(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    strftime, now = time.strftime, time.localtime()
    monkeypatch.setattr("time.strftime", lambda form: strftime(form, now))  # midnight may be near
    handler = JSONFileHandler(tmp_path / "{date:%Y}" / "{{x}}-{hostname}-{process}-{date}.jsonl")
    log_to(handler, "one")
    handler.close()

    name = f"{{x}}-{socket.gethostname()}-{os.getpid()}-{time.strftime('%Y-%m-%d')}.jsonl"
    assert messages_of(tmp_path / time.strftime("%Y") / name) == ["one"]


def test_filename_with_something_else_in_braces_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="in braces stand hostname, process or date"):
        JSONFileHandler(tmp_path / "{user}.jsonl")


def test_new_date_begins_a_new_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    now = [1_000_000_000.0]
    monkeypatch.setattr("time.time", lambda: now[0])
    monkeypatch.setattr("time.strftime", lambda form: f"{form}-{now[0] // 86_400:.0f}")
    handler = JSONFileHandler(tmp_path / "{date:day}.jsonl")

    log_to(handler, "one")
    now[0] += 86_400
    log_to(handler, "two")
    handler.close()

    assert [messages_of(path) for path in sorted(tmp_path.glob("day*"))] == [["one"], ["two"]]


def test_child_of_a_fork_has_the_file_of_its_own_process(tmp_path: Path) -> None:
    handler = JSONFileHandler(tmp_path / "{process}.jsonl")
    log_to(handler, "parent")
    child = os.fork()

    if child == 0:
        log_to(handler, "child")
        os._exit(0)

    os.waitpid(child, 0)
    handler.close()
    assert messages_of(tmp_path / f"{os.getpid()}.jsonl") == ["parent"]
    assert messages_of(tmp_path / f"{child}.jsonl") == ["child"]


def test_permissions_and_owner_are_those_of_a_new_file_whatever_the_umask(tmp_path: Path) -> None:
    before = os.umask(0o077)

    try:
        handler = JSONFileHandler(tmp_path / "app.jsonl", permissions="0664", group=os.getgid(), rotate="1 KB")
        log_to(handler, *(str(n) for n in range(50)))
        handler.close()
    finally:
        os.umask(before)

    modes = {stat.S_IMODE(path.stat().st_mode) for path in tmp_path.glob("app*")}
    assert modes == {0o664}


def test_owner_that_may_not_be_set_is_said_and_the_lines_are_written(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError(1, "not yours")

    monkeypatch.setattr(os, "fchown", refuse)
    handler = JSONFileHandler(tmp_path / "app.jsonl", owner=12345)
    log_to(handler, "one")
    handler.close()

    assert messages_of(tmp_path / "app.jsonl") == ["one"]
    assert "cannot set permissions, owner or group" in capsys.readouterr().err


def test_time_of_day_may_be_text(tmp_path: Path) -> None:
    handler = JSONFileHandler(tmp_path / "app.jsonl", when="midnight", atTime="03:30", utc=True)
    handler.close()

    assert handler.rolloverAt % 86_400 == 3.5 * 3600


def test_mode_w_and_truncate_empty_the_file_once(tmp_path: Path) -> None:
    options: list[dict[str, Any]] = [{"mode": "w"}, {"on_start": "truncate"}]

    for number, option in enumerate(options):
        path = tmp_path / f"{number}.jsonl"
        path.write_text("old\n")
        handler = JSONFileHandler(path, look_every=0, **option)
        log_to(handler, "one")
        path.rename(tmp_path / f"{number}.moved")
        log_to(handler, "two")
        handler.close()

        assert messages_of(tmp_path / f"{number}.moved") == ["one"]
        assert messages_of(path) == ["two"]


def test_mode_w_with_a_limit_appends_as_the_standard_library_does(tmp_path: Path) -> None:
    path = tmp_path / "app.jsonl"
    path.write_text('{"message":"old"}\n')
    JSONFileHandler(path, "w", maxBytes=1000).close()

    assert messages_of(path) == ["old"]


def test_mode_x_wants_a_new_file(tmp_path: Path) -> None:
    JSONFileHandler(tmp_path / "new.jsonl", mode="x").close()

    with pytest.raises(FileExistsError):
        JSONFileHandler(tmp_path / "new.jsonl", mode="x")


@pytest.mark.parametrize("options", [{"rotate": "1 MB"}, {"maxBytes": 1000, "backupCount": 3}], ids=str)
@pytest.mark.parametrize("delay", [False, True])
def test_roll_at_the_start_begins_with_an_empty_file(options: dict[str, Any], delay: bool, tmp_path: Path) -> None:
    path = tmp_path / "app.jsonl"
    path.write_text('{"message":"old"}\n')
    handler = JSONFileHandler(path, on_start="roll", delay=delay, **options)
    log_to(handler, "new")
    handler.close()

    assert messages_of(path) == ["new"]
    old = segments(path)[0].path if "rotate" in options else tmp_path / "app.jsonl.1"
    assert messages_of(old) == ["old"]


def test_directories_are_made_at_the_start_unless_delayed(tmp_path: Path) -> None:
    JSONFileHandler(tmp_path / "a" / "b.jsonl", delay=True).close()
    assert not (tmp_path / "a").exists()

    JSONFileHandler(tmp_path / "a" / "b.jsonl").close()
    assert (tmp_path / "a" / "b.jsonl").exists()


def test_characters_that_the_encoding_lacks_are_escaped_and_read_back(tmp_path: Path) -> None:
    path = tmp_path / "app.jsonl"
    handler = JSONFileHandler(path, encoding="ascii")
    log_to(handler, "Øresund 😂")
    handler.close()

    assert path.read_bytes().isascii()
    assert messages_of(path) == ["Øresund 😂"]


def test_fallback_file_takes_what_cannot_wait_and_the_log_tells_so(tmp_path: Path) -> None:
    path, other = tmp_path / "logs" / "app.jsonl", tmp_path / "other.jsonl"
    path.parent.write_text("a file where the directory should be")
    handler = JSONFileHandler(path, fallback=f"file:{other}", waiting=2)
    log_to(handler, *"abcde")
    assert messages_of(other) == ["a", "b", "c"]

    path.parent.unlink()
    handler.flush()
    handler.close()
    assert messages_of(path) == [f"3 lines went to file:{other}", "d", "e"]
    assert handler.lost == 0


def test_fallback_handler_is_found_by_name_when_it_is_needed(tmp_path: Path) -> None:
    (tmp_path / "logs").write_text("")
    handler = JSONFileHandler(tmp_path / "logs" / "app.jsonl", fallback="handler:later", waiting=0)
    other = JSONFileHandler(tmp_path / "other.jsonl")
    other.set_name("later")
    log_to(handler, "one")
    handler.close()
    other.close()

    assert messages_of(tmp_path / "other.jsonl") == ["one"]
    assert handler.lost == 0


def test_two_handlers_that_fall_back_on_each_other_lose_a_line_and_not_their_way(tmp_path: Path) -> None:
    (tmp_path / "logs").write_text("")
    one = JSONFileHandler(tmp_path / "logs" / "1.jsonl", fallback="handler:two", waiting=0)
    two = JSONFileHandler(tmp_path / "logs" / "2.jsonl", fallback="handler:one", waiting=0)
    one.set_name("one")
    two.set_name("two")
    log_to(one, "line")

    assert (one.lost, two.lost) == (0, 1)


def test_fallback_that_is_missing_loses_the_line_and_counts_it(tmp_path: Path) -> None:
    (tmp_path / "logs").write_text("")
    handler = JSONFileHandler(tmp_path / "logs" / "app.jsonl", fallback="handler:nobody", waiting=0)
    log_to(handler, "one")

    assert handler.lost == 1


def test_fallback_on_stderr(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "logs").write_text("")
    handler = JSONFileHandler(tmp_path / "logs" / "app.jsonl", fallback="stderr", waiting=0)
    log_to(handler, "one")

    assert '"message":"one"' in capsys.readouterr().err


def test_new_handler_tells_what_the_one_before_lost(tmp_path: Path) -> None:
    path = tmp_path / "logs" / "app.jsonl"
    path.parent.write_text("")
    first = JSONFileHandler(path)
    log_to(first, "a", "b")
    first.close()

    path.parent.unlink()
    second = JSONFileHandler(path)
    log_to(second, "c")
    second.close()
    assert messages_of(path) == ["2 lines lost", "c"]


def test_record_without_a_line_is_counted_and_told(tmp_path: Path) -> None:
    path = tmp_path / "app.jsonl"
    handler = JSONFileHandler(path)
    handler.setFormatter(logging.Formatter("%(missing)s"))
    log_to(handler, "one")
    handler.setFormatter(None)
    log_to(handler, "two")
    handler.close()

    assert messages_of(path) == ["1 lines lost", "two"]
    assert handler.lost == 1


def test_own_handle_error_is_told_of_a_record_without_a_line(tmp_path: Path) -> None:
    told: list[logging.LogRecord] = []

    class Mine(JSONFileHandler):
        def handleError(self, record: logging.LogRecord) -> None:
            told.append(record)

    handler = Mine(tmp_path / "app.jsonl")
    handler.setFormatter(logging.Formatter("%(missing)s"))
    log_to(handler, "one")

    assert [record.msg for record in told] == ["one"]


def test_metrics_show_what_was_lost_and_what_waits(tmp_path: Path) -> None:
    from loghub import metrics  # noqa: PLC0415 (what users import)

    (tmp_path / "logs").write_text("")
    path = tmp_path / "logs" / "app.jsonl"
    handler = JSONFileHandler(path, waiting=2)
    log_to(handler, *"abcde")
    found = {family.name: family.samples.get((str(path),)) for family in metrics.snapshot()}

    assert found["log_file_lost_total"] == 3
    assert found["log_file_waiting"] == 2
    handler.close()
