import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from scripted_hub import scripted_hub, status


def check(folder: Path, config: Any, *arguments: str, **environment: str) -> "subprocess.CompletedProcess[str]":
    (folder / "logging.yaml").write_text(config if isinstance(config, str) else yaml.safe_dump(config))
    command = [sys.executable, "-W", "error", "-m", "loghub.cli", "check", "logging.yaml", *arguments]
    clean = {name: value for name, value in os.environ.items() if not name.startswith("LOGHUB_")}
    return subprocess.run(
        command, check=False, cwd=folder, capture_output=True, text=True, timeout=60, env={**clean, **environment}
    )


def whole(url: str) -> dict[str, Any]:
    return {
        "formatters": {"json": {"()": "loghub.JSONFormatter"}},
        "filters": {"none": {"()": "loghub.SampleFilter", "rate": 0.000001, "keep": "CRITICAL"}},
        "handlers": {
            "console": {"class": "loghub.ConsoleHandler"},
            "file": {"class": "loghub.JSONFileHandler", "filename": "logs/app.jsonl", "formatter": "json"},
            "hub": {"class": "loghub.RemoteHandler", "url": url, "formatter": "json"},
            "live": {"class": "loghub.BroadcastHandler", "serve": "127.0.0.1:0"},
            "standard": {"class": "logging.StreamHandler", "stream": "ext://sys.stdout", "level": "ERROR"},
            "memory": {"class": "logging.NullHandler"},
        },
        "root": {"handlers": ["console", "file", "hub", "live", "standard"]},
    }


def test_record_goes_through_each_handler_and_it_is_said_where_it_arrived(tmp_path: Path) -> None:
    with scripted_hub() as hub:
        done = check(tmp_path, whole(hub.url))
        assert done.returncode == 0, done.stderr
        assert len(hub.messages) == 1
        said = {line.split()[1]: line for line in done.stdout.splitlines() if line.startswith("ok")}
        assert "shown on stderr" in said["console"]
        assert f"{tmp_path}/logs/app.jsonl: the line was read back" in said["file"]
        assert f"acknowledged by {hub.url} (best-effort)" in said["hub"]
        assert "buffered, served at 127.0.0.1:" in said["live"]
        assert "shown on stdout" in said["standard"]
        assert "no logger uses this handler" in said["memory"]
        assert "loghub check " in done.stderr


def test_dry_run_touches_nothing(tmp_path: Path) -> None:
    with scripted_hub() as hub:
        done = check(tmp_path, whole(hub.url), "--dry-run")
        assert (done.returncode, done.stdout) == (0, "logging.yaml has no mistakes\n"), done.stderr
        assert not hub.requests
        assert [path.name for path in tmp_path.iterdir()] == ["logging.yaml"]


def test_each_mistake_is_told_at_once(tmp_path: Path) -> None:
    config = whole("http://user:hunter2@host")
    config["formatters"]["odd"] = {"()": "loghub.NoFormatter"}
    config["handlers"]["file"]["rotat"] = "1 MB"
    config["handlers"]["live"]["buffer"] = -1
    done = check(tmp_path, config, "--dry-run")
    assert done.returncode == 1
    assert done.stderr.count("error  ") == 4
    assert "did you mean 'rotate'?" in done.stderr
    assert "handler 'hub': RemoteHandler: url=" in done.stderr
    assert "handler 'live': BroadcastHandler: buffer=-1" in done.stderr
    assert "NoFormatter" in done.stderr
    assert "hunter2" not in done.stderr


def test_what_dict_config_drops_in_silence_is_told_at_once(tmp_path: Path) -> None:
    config = {
        "formatters": {"json": {"class": "loghub.JSONFormatter", "static": {"service": "shop"}}},
        "filters": {"metrics": {"class": "loghub.MetricsFilter"}},
        "root": {"handler": []},
    }
    done = check(tmp_path, config)
    assert done.returncode == 1
    assert done.stderr.count("error  ") == 3


@pytest.mark.parametrize(
    ("config", "said"),
    [
        ({"handlers": {}, "root": {"handlers": ["nobody"]}}, "nobody"),
        ({"handlers": {"x": {"class": "loghub.ConsoleHandler", "level": "LOUD"}}}, "LOUD"),
        ({"handlers": {"x": {"class": "loghub.ConsoleHandler", "formatter": "gone"}}}, "gone"),
        ({"handlers": {"x": 5}}, "x"),
    ],
)
def test_mistake_of_any_kind_is_an_error(tmp_path: Path, config: Any, said: str) -> None:
    done = check(tmp_path, config, "--dry-run")
    assert done.returncode == 1
    assert said in done.stderr
    assert "Traceback" not in done.stderr


def test_hub_that_refuses_is_a_failure_with_its_reason(tmp_path: Path) -> None:
    with scripted_hub(otherwise=status(401)) as hub:
        config = {"handlers": {"hub": {"class": "loghub.RemoteHandler", "url": hub.url, "exit_deadline": 0}}}
        done = check(tmp_path, config, "--wait", "0.5 s")
        assert done.returncode == 1
        assert done.stdout.startswith(f"failed hub  {hub.url} has not taken it within 0.5 s: HTTP 401")


def test_record_that_the_hub_refuses_for_good_is_a_failure(tmp_path: Path) -> None:
    with scripted_hub(otherwise=status(422)) as hub:
        config = {"handlers": {"hub": {"class": "loghub.RemoteHandler", "url": hub.url, "exit_deadline": 0}}}
        done = check(tmp_path, config)
        assert done.returncode == 1
        assert done.stdout.startswith(f"failed hub  {hub.url} refuses it for good")


def test_file_that_cannot_be_written_is_a_failure(tmp_path: Path) -> None:
    config = {"handlers": {"file": {"class": "loghub.JSONFileHandler", "filename": "/dev/full"}}}
    done = check(tmp_path, config)
    assert done.returncode == 1
    assert "failed file" in done.stdout


def test_filter_that_holds_the_record_back_is_told(tmp_path: Path) -> None:
    config = {
        "filters": {"other": {"name": "shop"}},
        "handlers": {"console": {"class": "loghub.ConsoleHandler", "filters": ["other"]}},
    }
    assert "a filter holds the record back" in check(tmp_path, config).stdout


def test_switched_off_handlers_are_told(tmp_path: Path) -> None:
    with scripted_hub() as hub:
        done = check(tmp_path, whole(hub.url), LOGHUB_REMOTE="0", LOGHUB_CONSOLE="0")
        assert done.stdout.count("switched off") == 2
        assert not hub.requests


def test_spool_of_another_process_is_told(tmp_path: Path) -> None:
    remote = {"class": "loghub.RemoteHandler", "url": "http://127.0.0.1:9", "spool": "spool", "send": False}
    done = check(tmp_path, {"handlers": {"hub": remote}})
    assert "spooled for `loghub ship`" in done.stdout


def test_file_that_is_no_configuration_is_told(tmp_path: Path) -> None:
    done = check(tmp_path, "handlers: [")
    assert done.returncode == 2
    assert "mend the file" in done.stderr
