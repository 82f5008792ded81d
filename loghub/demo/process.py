"""The demo's child processes: started on a leash, watched, ended in order.

A child says where it listens in the first line of its output that holds an address. What it
writes to stderr is kept to the last few lines, for the report of a crash. A child has a
process group of its own: Ctrl-C reaches the demo alone, which then ends its children in order.
"""

import asyncio
import os
import re
import subprocess
import sys
from collections import deque
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from loghub.errors import LoghubError

_ADDRESS = re.compile(r"https?://\S+")
_TAIL_LINES = 20
_LINE_LIMIT = 2**20
_START_SECONDS = 30.0


class ChildEndedError(LoghubError):
    """A child ended by itself.

    Attributes:
        name: which one.
        status: its exit status.
        tail: the last lines that it wrote to stderr.
    """

    def __init__(self, name: str, status: int | None, tail: str) -> None:
        super().__init__(f"{name} ended by itself with exit status {status}" + (f":\n{tail}" if tail else ""))
        self.name = name
        self.status = status
        self.tail = tail


@dataclass(frozen=True, slots=True)
class Program:
    """What a child runs.

    Attributes:
        name: for people.
        module: run as `python -m module`.
        arguments: its command line.
        environment: variables beside those of the demo itself.
        on_line: called with each line of its output.
    """

    name: str
    module: str
    arguments: tuple[str, ...] = ()
    environment: Mapping[str, str] = field(default_factory=dict)
    on_line: Callable[[str], None] = lambda _line: None


class Child:
    """A running child.

    Attributes:
        program: what it runs.
        ended: done when the process has ended and all that it wrote was read.
    """

    def __init__(self, program: Program, process: asyncio.subprocess.Process) -> None:
        self.program = program
        self._process = process
        self._address: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        self._tail: deque[str] = deque(maxlen=_TAIL_LINES)
        self.ended: asyncio.Task[None] = asyncio.create_task(self._watch(), name=f"watch {program.name}")

    @classmethod
    async def start(cls, program: Program) -> "Child":
        """Start a program."""
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-P",
            "-m",
            "loghub.demo.leash",
            program.module,
            *program.arguments,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env={**os.environ, **_import_path(), **program.environment},
            limit=_LINE_LIMIT,
            **_own_group(),
        )
        return cls(program, process)

    async def address(self) -> str:
        """Wait until it says where it listens.

        Raises:
            ChildEndedError: it ended before.
            LoghubError: it took too long.
        """
        both: tuple[asyncio.Future[Any], ...] = (self._address, self.ended)
        await asyncio.wait(both, timeout=_START_SECONDS, return_when=asyncio.FIRST_COMPLETED)

        if self._address.done():
            return self._address.result()

        if self.ended.done():
            raise self.failure()

        raise LoghubError(f"{self.program.name} did not say within {_START_SECONDS:.0f} s where it listens")

    def failure(self) -> ChildEndedError:
        """Describe how it ended."""
        return ChildEndedError(self.program.name, self._process.returncode, "\n".join(self._tail))

    async def stop(self, patience: float) -> None:
        """Ask it to leave and wait until it has; after `patience` seconds it is killed."""
        if self._process.stdin is not None:
            self._process.stdin.close()

        await asyncio.wait({self.ended}, timeout=patience)
        await self.kill()

    async def kill(self) -> None:
        """End it at once, if it has not ended."""
        if self._process.returncode is None:
            self._process.kill()

        await self.ended

    async def _watch(self) -> None:
        await asyncio.gather(self._read_output(), self._read_errors())
        await self._process.wait()

    async def _read_output(self) -> None:
        async for line in _lines(self._process.stdout):
            found = _ADDRESS.search(line)

            if found and not self._address.done():
                self._address.set_result(found[0])

            self.program.on_line(line)

    async def _read_errors(self) -> None:
        async for line in _lines(self._process.stderr):
            self._tail.append(line)


def _import_path() -> dict[str, str]:
    """Let a child find what we find, and nothing else: with -P the working directory is no place for modules."""
    return {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))}


def _own_group() -> dict[str, Any]:
    """Give the option that keeps the terminal's Ctrl-C away from a child."""
    if sys.platform == "win32":
        return {"creationflags": subprocess.CREATE_NEW_PROCESS_GROUP}

    return {"process_group": 0}


async def _lines(stream: asyncio.StreamReader | None) -> AsyncIterator[str]:
    while stream is not None:
        try:
            line = await stream.readline()
        except ValueError:  # longer than any line that is meant for us
            continue

        if not line:
            return

        yield line.decode("utf-8", "replace").rstrip()
