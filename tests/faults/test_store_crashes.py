"""Whatever fails at whatever step, and whenever the hub is killed: each acknowledged event is there exactly once.

`LOGHUB_TEST_CRASHES` says how many lives there are; a life of each step takes some hundred.
"""

import os
from collections.abc import Callable
from pathlib import Path
from tempfile import mkdtemp

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from faults.store_life import Fault, Kind, Life

LIVES = int(os.environ.get("LOGHUB_TEST_CRASHES", "25"))
QUERIES = ["service:service-1", "level:error", "event 1", ""]
FAULTS = st.none() | st.builds(Fault, st.integers(1, 40), st.sampled_from(["killed", "killed", "disk", "engine"]))
OPERATIONS = st.one_of(
    st.tuples(st.just("append"), st.integers(1, 5), FAULTS),
    st.tuples(st.just("tidy"), FAULTS),
    st.tuples(st.just("delete"), st.sampled_from(QUERIES), FAULTS),
    st.tuples(st.just("expire"), FAULTS),
    st.tuples(st.just("restart")),
)
QUIET = [operation for _ in range(5) for operation in (("append", 1, None), ("tidy", None))]
"""What makes small parts, which are then merged."""


def live(operations: list[tuple[object, ...]]) -> int:
    with pytest.MonkeyPatch.context() as patch:
        life = Life(Path(mkdtemp()), patch)

        try:
            for name, *arguments in operations:
                getattr(life, str(name))(*arguments)
                life.check()

            life.restart()
            life.check()
        finally:
            life.end()

    return life.steps


@settings(max_examples=LIVES, deadline=None, suppress_health_check=list(HealthCheck), database=None)
@given(st.lists(OPERATIONS, min_size=2, max_size=12))
@example([*QUIET, ("delete", "level:error", Fault(9, "killed")), ("restart",), ("delete", "", Fault(4, "killed"))])
def test_any_life_keeps_each_event_once(operations: list[tuple[object, ...]]) -> None:
    live(operations)


def sealed_and_merged(fault: Fault | None) -> list[tuple[object, ...]]:
    return [*QUIET[:7], ("tidy", fault), ("delete", "service:service-1", None), ("restart",), ("append", 1, None)]


def deleted_in_files_and_memory(fault: Fault | None) -> list[tuple[object, ...]]:
    return [*QUIET[:4], ("append", 3, None), ("delete", "service:service-1", fault), ("append", 1, None)]


def deleted_as_a_whole(fault: Fault | None) -> list[tuple[object, ...]]:
    return [*QUIET[:4], ("append", 3, None), ("delete", "", fault), ("append", 1, None)]


def let_go(fault: Fault | None) -> list[tuple[object, ...]]:
    return [*QUIET[:4], *([("tidy", None)] * 6), ("append", 1, None), ("expire", fault), ("append", 1, None)]


@pytest.mark.parametrize("kind", ["killed", "disk", "engine"])
@pytest.mark.parametrize("story", [sealed_and_merged, deleted_in_files_and_memory, deleted_as_a_whole, let_go])
def test_a_fault_at_each_step(story: Callable[[Fault | None], list[tuple[object, ...]]], kind: Kind) -> None:
    """Goes through all steps where there are lives enough, else some of them: the same ones, if no number is given."""
    total = live(story(None))
    faulty = next(operation for operation in story(Fault(1, kind)) if Fault(1, kind) in operation)
    before = live(story(None)[: story(Fault(1, kind)).index(faulty)])
    steps = range(1, total - before + 1)
    stride = max(1, len(steps) * 12 // LIVES)

    first = int.from_bytes(os.urandom(1)) % stride if "LOGHUB_TEST_CRASHES" in os.environ else 0

    for step in steps[first::stride]:
        live(story(Fault(step, kind)))
