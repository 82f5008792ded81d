"""Run a piece of work again and again, each time in a folder of its own, killed with SIGKILL before one more step.

A step is a call that changes a file, a name or a lock, or looks at one. `python stepwise.py WORK FOLDER` prints how
many steps there are: the last folder's work came to its end.
"""

import fcntl
import itertools
import logging
import os
import shutil
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from loghub.handlers.compression import compress_all
from loghub.handlers.json_file import JSONFileHandler
from loghub.handlers.retention import Retention, prune
from loghub.segments import segments

STEPS: tuple[tuple[Any, str], ...] = (
    *((os, name) for name in ("open", "write", "close", "stat", "fstat", "listdir", "scandir", "lseek")),
    *((os, name) for name in ("ftruncate", "fchmod", "fchown", "utime", "fsync", "rename", "replace", "unlink")),
    (fcntl, "flock"),
    (shutil, "copyfileobj"),
)
LINES = 4


def write(folder: Path, first: int, last: int) -> None:
    handler = JSONFileHandler(folder / "app.jsonl", rotate="400 B")

    for number in range(first, last):
        handler.handle(logging.makeLogRecord({"msg": f"{number} {'x' * 100}"}))

    handler.close()


def roll(folder: Path) -> None:
    """Write on where the first process stopped; each second line rolls over."""
    write(folder, LINES, 2 * LINES)


def compress(folder: Path) -> None:
    compress_all(folder / "app.jsonl", ".gz")


def compress_otherwise(folder: Path) -> None:
    compress_all(folder / "app.jsonl", ".zst")


def delete(folder: Path) -> None:
    prune(folder / "app.jsonl", Retention(files=1), 0.0)


def prepare_lines(folder: Path) -> None:
    write(folder, 0, LINES)


def prepare_both_forms(folder: Path) -> None:
    """Leave what a crash leaves between the new form and the end of the old one."""
    prepare_lines(folder)
    kept = {segment.path: segment.path.read_bytes() for segment in segments(folder / "app.jsonl")}
    compress(folder)

    for path, lines in kept.items():
        path.write_bytes(lines)


WORKS: dict[str, tuple[Callable[[Path], None], Callable[[Path], None]]] = {
    "roll": (prepare_lines, roll),
    "compress": (prepare_lines, compress),
    "compress_otherwise": (prepare_both_forms, compress_otherwise),
    "delete": (prepare_both_forms, delete),
}


def kill_before(step: int) -> None:
    """Let this process be killed before its step of that number."""
    left = itertools.count(step, -1)

    def counted(call: Callable[..., Any]) -> Callable[..., Any]:
        def stepping(*args: Any, **kwargs: Any) -> Any:
            if next(left) == 0:
                os.kill(os.getpid(), signal.SIGKILL)

            return call(*args, **kwargs)

        return stepping

    for module, name in STEPS:
        setattr(module, name, counted(getattr(module, name)))


def main() -> None:
    prepare, work = WORKS[sys.argv[1]]

    for step in itertools.count():
        folder = Path(sys.argv[2]) / str(step)
        folder.mkdir()
        prepare(folder)
        child = os.fork()

        if child == 0:
            kill_before(step)
            work(folder)
            os._exit(0)

        if os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) != -signal.SIGKILL:
            sys.stdout.write(f"{step}\n")
            return


if __name__ == "__main__":
    main()
