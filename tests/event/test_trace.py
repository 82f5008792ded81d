"""current_trace: the span of OpenTelemetry's real API, and nothing where the application has none."""

import subprocess
import sys
from types import ModuleType
from typing import Any

import pytest

from loghub.event.trace import current_trace, current_trace_flags

TRACE, SPAN = 0x4BF92F3577B34DA6A3CE929D0E0E4736, 0x00F067AA0BA902B7


def test_ids_are_those_of_the_current_span() -> None:
    trace: Any = pytest.importorskip("opentelemetry.trace")
    assert current_trace() == {}
    assert current_trace_flags() == 0
    span = trace.NonRecordingSpan(trace.SpanContext(TRACE, SPAN, is_remote=False, trace_flags=trace.TraceFlags(1)))

    with trace.use_span(span):
        assert current_trace() == {"trace_id": f"{TRACE:032x}", "span_id": f"{SPAN:016x}"}
        assert current_trace_flags() == 1

    assert current_trace() == {}


def test_invalid_span_has_no_ids() -> None:
    trace: Any = pytest.importorskip("opentelemetry.trace")

    with trace.use_span(trace.INVALID_SPAN):
        assert current_trace() == {}


def test_nothing_is_imported() -> None:
    code = """
import sys
from loghub.event.trace import current_trace
assert current_trace() == {}
print([name for name in sys.modules if name.startswith("opentelemetry")])
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_module_that_is_being_imported_is_passed_over(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "opentelemetry.trace", ModuleType("opentelemetry.trace"))
    assert current_trace() == {}
    assert current_trace_flags() == 0
