"""The processes of the demo: which there are, in which order they start, and that they end in the opposite one.

1. Whoever logs starts after the hub, so that nothing has to wait for it, and ends before it.
2. Whoever calls a service starts after it, and ends before it.
3. However the block is left, no process is left behind.
"""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Self

from loghub.demo.process import Child, ChildEndedError, Program
from loghub.demo.tally import Tally, read_tally
from loghub.errors import LoghubError

SERVICES = ("shop", "catalog", "payments")

_REFUSED = 2  # the exit status of a command that says what is wrong in one sentence
_PATIENCE = 12.0
_BRIEF = 0.5

# What a user's own shell may say to other loghubs: the demo is the same everywhere.
_NEUTRAL = {"LOGHUB_TOKEN": "", "LOGHUB_REMOTE": "", "LOGHUB_CONSOLE": ""}


class Crew:
    """The hub, the services and the customers.

    Attributes:
        tallies: what each service has logged, as it last said.
    """

    def __init__(self) -> None:
        self.tallies = dict.fromkeys(SERVICES, Tally())
        self._hub: Child | None = None
        self._groups: list[list[Child]] = []

    async def start_hub(self, port: int, data: Path) -> str:
        """Start the hub and give its address.

        Raises:
            LoghubError: it refuses to start; the sentence is its own.
        """
        arguments = ("serve", "--data", str(data), "--port", str(port))
        self._hub = await Child.start(Program("the hub", "loghub.cli", arguments, _NEUTRAL))

        try:
            return await self._hub.address()
        except ChildEndedError as error:
            if error.status == _REFUSED:
                raise LoghubError(error.tail.removeprefix("loghub: ")) from error

            raise

    async def open_shop(self, hub: str) -> None:
        """Start the services and let the customers in."""
        known = {**_NEUTRAL, "LOGHUB_URL": hub}
        catalog, payments = await self._start(self._service("catalog", known), self._service("payments", known))
        upstream = {"CATALOG_URL": catalog, "PAYMENTS_URL": payments}
        (shop,) = await self._start(self._service("shop", known | upstream))
        customers = Program("customers", "loghub.demo.services.customers", (shop,))
        self._groups.append([await Child.start(customers)])

    async def failure(self) -> ChildEndedError:
        """Wait until a process ends by itself, and describe that."""
        ended = {child.ended: child for child in self._everybody()}
        done, _ = await asyncio.wait(ended, return_when=asyncio.FIRST_COMPLETED)
        return ended[done.pop()].failure()

    async def close_shop(self) -> None:
        """End the customers, then the services, each caller before what it calls; all that was logged is delivered."""
        while self._groups:
            await asyncio.gather(*(child.stop(self._patience()) for child in self._groups[-1]))
            self._groups.pop()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if kind is None or not issubclass(kind, asyncio.CancelledError):
                await self._end_in_order()
        finally:
            await asyncio.gather(*(child.kill() for child in self._everybody()))

    async def _end_in_order(self) -> None:
        await self.close_shop()

        if self._hub is not None:
            await self._hub.stop(_PATIENCE)

    def _patience(self) -> float:
        """Give the seconds that a process has for its end: few where the hub is gone and nothing can be delivered."""
        return _BRIEF if self._hub is None or self._hub.ended.done() else _PATIENCE

    async def _start(self, *programs: Program) -> list[str]:
        group: list[Child] = []
        self._groups.append(group)

        for program in programs:
            group += [await Child.start(program)]

        return await asyncio.gather(*(child.address() for child in group))

    def _service(self, name: str, environment: dict[str, str]) -> Program:
        program = Program(name, "loghub.demo.services.host", (name,), environment)
        return replace(program, on_line=self._reader(name))

    def _reader(self, name: str) -> Callable[[str], None]:
        def read(line: str) -> None:
            tally = read_tally(line)

            if tally is not None:
                self.tallies[name] = tally

        return read

    def _everybody(self) -> list[Child]:
        hub = [] if self._hub is None else [self._hub]
        return hub + [child for group in self._groups for child in group]
