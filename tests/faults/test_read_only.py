"""A file system that cannot be written, as AWS Lambda's: records go out of memory, and the handler says so."""

import logging
from collections.abc import Iterator
from pathlib import Path

import pytest

import loghub

from faults.disk import remount, small_disk
from scripted_hub import ScriptedHub, scripted_hub


@pytest.fixture
def hub() -> Iterator[ScriptedHub]:
    with scripted_hub() as made:
        yield made


def test_a_spool_on_a_read_only_file_system_is_memory_until_it_can_be_written(
    hub: ScriptedHub, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with small_disk(tmp_path / "disk", "64m") as disk:
        remount(disk, "ro")
        handler = loghub.RemoteHandler(hub.url, spool=str(disk / "spool"), linger="5 ms", exit_deadline="1 s")
        logger = logging.Logger("lambda")  # noqa: LOG001 (one of its own)
        logger.addHandler(handler)

        for number in range(50):
            logger.info("%d", number)

        assert handler.flush(60)
        assert handler.guarantee == "best-effort"
        assert hub.messages == [str(number) for number in range(50)]
        assert handler.lost == handler.counters.dropped == 0
        assert capsys.readouterr().err.count("Read-only file system: records wait in memory") == 1
        handler.close()
