"""The ids of the current span, where the application traces with OpenTelemetry.

Nothing is imported: OpenTelemetry's API is used only if the application has imported it.
"""

import sys
from typing import Any

MODULE = "opentelemetry.trace"
"""What an application that traces has imported."""


def current_trace() -> dict[str, str]:
    """Give trace_id and span_id of OpenTelemetry's current span as hex; empty where there is none. Never raises."""
    if MODULE not in sys.modules:  # by far the most frequent case
        return {}

    try:
        span = _span_context()
        ids = (f"{span.trace_id:032x}", f"{span.span_id:016x}") if span else None
    except Exception:  # noqa: BLE001 (another thread may be importing it just now; a span may be anybody's class)
        ids = None

    return {} if ids is None else {"trace_id": ids[0], "span_id": ids[1]}


def current_trace_flags() -> int:
    """Give the trace flags of OpenTelemetry's current span; 0 where there is none. Never raises."""
    try:
        span = _span_context()
        return 0 if span is None else int(span.trace_flags)
    except Exception:  # noqa: BLE001 (as above)
        return 0


def _span_context() -> Any:  # noqa: ANN401 (OpenTelemetry's SpanContext, which is not imported here)
    api = sys.modules.get(MODULE)

    if api is None:
        return None

    span = api.get_current_span().get_span_context()
    return span if span.is_valid else None
