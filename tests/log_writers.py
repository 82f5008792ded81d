"""Reading a log and its segments back in tests, and processes that write to one log."""

import json
import subprocess
import sys
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path

from loghub.segments import open_segment, segments

WRITER = """
import logging, sys, loghub
path, name, count = sys.argv[1], sys.argv[2], int(sys.argv[3])
handler = loghub.JSONFileHandler(path, {options})

for n in range(count):
    handler.handle(logging.makeLogRecord({{"msg": f"{{name}}:{{n}}"}}))

handler.close()
"""

UNTIL_TOLD = """
import itertools, logging, os, pathlib, sys, time, loghub
path, name, least = pathlib.Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])
handler = loghub.JSONFileHandler(path, {options})

for n in itertools.count():
    handler.handle(logging.makeLogRecord({{"msg": f"{{name}}:{{n}}"}}))

    if n % 50 == 0:
        time.sleep(0.01)

        if n >= least and (path.parent.parent / "enough").exists():
            break

handler.close()
(path.parent.parent / f"{{name}}.written").write_text(str(n + 1))
"""
"""Writes until there is a file "enough" beside the log's folder, and says there how much that was."""


def written_by(log: Path, name: str) -> int:
    """Give how many lines a writer that was told wrote."""
    return int((log.parent.parent / f"{name}.written").read_text())


def start_writer(log: Path, name: str, count: int, options: str, code: str = WRITER) -> "subprocess.Popen[bytes]":
    """Start a process that writes `name:0`, `name:1` and so on; it may fork beside threads, of which Pythons warn."""
    command = [
        sys.executable,
        "-W",
        "error",
        "-W",
        "ignore::DeprecationWarning",
        "-c",
        code.format(options=options),
        str(log),
        name,
        str(count),
    ]
    return subprocess.Popen(command)


def raw_lines_of(log: Path) -> list[bytes]:
    """Give the lines of all segments and of the log, in order."""
    found: list[bytes] = []

    for file in [*(open_segment(segment) for segment in segments(log)), *([log.open("rb")] if log.exists() else [])]:
        with file:
            found.extend(file)

    return found


def messages_of(log: Path) -> list[str]:
    """Give the messages of all lines; each must be whole."""
    lines = raw_lines_of(log)
    assert all(line.endswith(b"\n") for line in lines)
    return [json.loads(line)["message"] for line in lines]


def numbers_by_writer(messages: Iterable[str]) -> dict[str, list[int]]:
    """Give the numbers of each writer in the order of the lines."""
    found: dict[str, list[int]] = defaultdict(list)

    for message in messages:
        name, _, number = message.partition(":")
        found[name].append(int(number))

    return dict(found)
