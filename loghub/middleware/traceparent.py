"""W3C Trace Context: reading and writing `traceparent`, and passing `tracestate` on with it.

Source: https://www.w3.org/TR/trace-context/ §3.2 and §3.3. Rules:
1. Hex is lower case. Version ff, a trace id or a parent id of zeros alone is invalid.
2. Version 00 is exactly 55 characters. A higher version is read as far as version 00 goes, and then
   either ends there or goes on with "-".
3. Two traceparent headers are as good as none. An invalid traceparent makes tracestate void, never the
   other way round.
4. What goes out is version 00, with the flags that version knows. This side makes no spans of its own:
   it passes on what came in, or what OpenTelemetry says.
"""

import re
from collections.abc import Sequence
from contextvars import ContextVar
from dataclasses import dataclass

_FORM = re.compile(r"([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?", re.DOTALL)
_TRACE_ID, _SPAN_ID = re.compile(r"(?!0{32})[0-9a-f]{32}"), re.compile(r"(?!0{16})[0-9a-f]{16}")
_STATE = re.compile(r"[ -~\t]{1,512}")
KNOWN_FLAGS = 0b11
"""Those of version 00: sampled, random."""


@dataclass(frozen=True, slots=True)
class TraceParent:
    """Where in a trace a request stands.

    Attributes:
        trace_id: 32 hex digits.
        span_id: 16 hex digits; the caller's span, which the header calls parent-id.
        flags: those that version 00 knows.
        state: the value of `tracestate`, "" without one.
    """

    trace_id: str
    span_id: str
    flags: int = 0
    state: str = ""

    def header(self) -> str:
        """Write it as the value of `traceparent`."""
        return f"00-{self.trace_id}-{self.span_id}-{self.flags:02x}"


incoming: ContextVar[TraceParent | None] = ContextVar("loghub.traceparent", default=None)
"""What came with the request that is handled in this context."""


def parse(values: Sequence[str], states: Sequence[str] = ()) -> TraceParent | None:
    """Read the headers of a request; None where they name no trace.

    Args:
        values: of each `traceparent` header, without the white space around it.
        states: of each `tracestate` header.
    """
    match = _FORM.fullmatch(values[0]) if len(values) == 1 else None

    if match is None or match[1] == "ff" or (match[1] == "00" and match[5]):
        return None

    if not are_ids(match[2], match[3]):
        return None

    state = ",".join(states)
    return TraceParent(match[2], match[3], int(match[4], 16) & KNOWN_FLAGS, state if _STATE.fullmatch(state) else "")


def are_ids(trace_id: object, span_id: object) -> bool:
    """Tell whether these are a trace id and a span id that a header can hold."""
    return (
        isinstance(trace_id, str)
        and isinstance(span_id, str)
        and _TRACE_ID.fullmatch(trace_id) is not None
        and _SPAN_ID.fullmatch(span_id) is not None
    )
