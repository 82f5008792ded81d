"""The spool in any order of calls, killed at any of them, its files damaged meanwhile: nothing is lost or doubled."""

import shutil
import tempfile
from dataclasses import replace
from pathlib import Path

from hypothesis import settings as limits
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from loghub.handlers.spool import POLICIES, Settings, Spool, dead_records
from loghub.handlers.spool.frames import Found, scan
from loghub.handlers.spool.settings import SMALLEST


class Killed(RuleBasedStateMachine):
    """A process that spools, is killed and comes again; a hub that trims by source and number."""

    plan = Settings(Path(), "http://hub", size=4 * 1024 * 1024)

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp())
        self.spool = self.started()
        self.number = 0
        self.written: list[bytes] = []
        self.hub: dict[tuple[str, int], bytes] = {}
        self.touched: set[bytes] = set()

    def started(self) -> Spool:
        spool = Spool(replace(self.plan, folder=self.folder))
        spool.tend()
        return spool

    @rule(length=st.sampled_from([1, 30, 300, 20_000]), times=st.integers(1, 6), level=st.sampled_from([20, 30, 40]))
    def append(self, length: int, times: int, level: int) -> None:
        for _ in range(times):
            self.number += 1
            line = b"%d:" % self.number + b"x" * length + b"\n"

            if self.spool.write(line, level) or self.spool.append(line, level):
                self.written.append(line)
            else:
                self.spool.refuse()

    @rule(records=st.integers(1, 9))
    def deliver_without_an_answer(self, records: int) -> None:
        batch = self.spool.take(records, 50_000)

        if batch is not None:
            for seq, line in enumerate(batch.lines, batch.first):
                assert self.hub.setdefault((batch.source, seq), line) == line

    @rule(records=st.integers(1, 9), part=st.integers(1, 9))
    def deliver(self, records: int, part: int) -> None:
        self.deliver_without_an_answer(records)
        self.spool.settle_acked(part)

    @rule()
    def refused(self) -> None:
        if self.spool.take(5, 50_000) is not None:
            self.spool.settle_dead(1, "HTTP 400")

    @rule()
    def tend(self) -> None:
        self.spool.tend()

    @rule()
    def end(self) -> None:
        self.spool.close()
        self.spool = self.started()

    @rule()
    def kill(self) -> None:
        self.spool.abandon()  # what the kernel does: descriptors are closed, locks are free, no file changes
        self.spool = self.started()

    @precondition(lambda self: self.segments())
    @rule(data=st.data(), change=st.integers(0, 255))
    def kill_and_damage(self, data: st.DataObject, change: int) -> None:
        self.spool.abandon()
        path = data.draw(st.sampled_from(self.segments()))
        content = bytearray(path.read_bytes())
        frames = [part for part in scan(bytes(content)) if isinstance(part, Found)]
        place = data.draw(st.integers(0, min(frames[-1].end if frames else 10, len(content))))

        if change and place < len(content):
            content[place] ^= change
            hit = [part for part in frames if part.at <= place < part.end]
        else:
            content = content[:place]
            hit = [part for part in frames if part.end > place]

        before = path.read_bytes()
        self.touched |= {before[part.at + 24 : part.end - 4] for part in hit}
        path.write_bytes(bytes(content))
        self.spool = self.started()

    def segments(self) -> list[Path]:
        return sorted(self.folder.glob("v1/*/seg-*"))

    @invariant()
    def account_balances(self) -> None:
        spool = self.spool
        assert spool.appended == spool.acked + spool.dead + spool.dropped + spool.queued
        assert spool.queued >= 0

    def teardown(self) -> None:
        while (batch := self.spool.take(7, 50_000)) is not None:
            for seq, line in enumerate(batch.lines, batch.first):
                assert self.hub.setdefault((batch.source, seq), line) == line

            self.spool.settle_acked(len(batch.lines))

        assert self.spool.queued == 0
        self.spool.tend()
        self.check()
        self.spool.close()
        shutil.rmtree(self.folder)

    def check(self) -> None:
        refused = {record.line for record in dead_records(self.folder)}
        found = list(self.hub.values())
        assert len(found) == len(set(found)), "doubled"
        # What was refused and not yet buried when the process was killed is sent once more: nothing is lost by it.
        assert set(self.written) - self.touched <= set(found) | refused, "lost"
        assert set(found) | refused <= set(self.written)


class Capped(Killed):
    """The same in a directory that is too small, without damage."""

    plan = Settings(Path(), "http://hub", size=SMALLEST)

    @precondition(lambda _: False)
    @rule()
    def kill_and_damage(self) -> None:
        pass

    @invariant()
    def cap_is_kept(self) -> None:
        assert sum(path.stat().st_size for path in self.segments()) <= self.plan.size

    def check(self) -> None:
        found = [line for line in self.hub.values() if b"records dropped" not in line]
        assert len(found) == len(set(found)), "doubled"
        assert set(found) <= set(self.written)


class ByLevel(Capped):
    plan = Settings(Path(), "http://hub", size=SMALLEST, overflow=POLICIES["by_level"])


class DropNew(Capped):
    plan = Settings(Path(), "http://hub", size=SMALLEST, overflow=POLICIES["drop_new"])


_LIMITS = limits(max_examples=25, stateful_step_count=25, deadline=None)
TestKilled = Killed.TestCase
TestCapped = Capped.TestCase
TestByLevel = ByLevel.TestCase
TestDropNew = DropNew.TestCase

for _case in (TestKilled, TestCapped, TestByLevel, TestDropNew):
    _case.settings = _LIMITS
