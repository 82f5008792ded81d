"""The outbound hooks by themselves: what they set, and what they leave alone."""

from typing import Any

import httpx
import pytest

from loghub.event.context import bound
from loghub.middleware.outbound import HEADER, carry_request_id, outgoing_headers, send_request_id
from loghub.middleware.traceparent import TraceParent, incoming

TRACE, SPAN = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"


def sent(**headers: str) -> str | None:
    request = httpx.Request("GET", "http://127.0.0.1", headers={k.replace("_", "-"): v for k, v in headers.items()})
    send_request_id(request)
    found: str | None = request.headers.get(HEADER)
    return found


def test_bound_id_is_sent() -> None:
    with bound(request_id="abc"):
        assert sent() == "abc"


def test_header_of_the_caller_stays() -> None:
    with bound(request_id="abc"):
        assert sent(X_Request_ID="mine") == "mine"


def test_nothing_is_sent_outside_of_a_request() -> None:
    assert sent() is None


@pytest.mark.parametrize("odd", ["a\r\nX-Evil: 1", "ä", "", "a b", "x" * 129, 7])
def test_id_that_no_header_can_hold_is_not_sent(odd: object) -> None:
    with bound(request_id=odd):
        assert sent() is None


def test_trace_that_came_in_is_passed_on_with_its_state() -> None:
    token = incoming.set(TraceParent(TRACE, SPAN, 1, "a=1"))

    try:
        with bound(trace_id=TRACE, span_id=SPAN):
            assert outgoing_headers() == {"traceparent": f"00-{TRACE}-{SPAN}-01", "tracestate": "a=1"}

        with bound(trace_id=TRACE[::-1], span_id=SPAN):  # another one, bound by the application
            assert outgoing_headers() == {"traceparent": f"00-{TRACE[::-1]}-{SPAN}-00"}
    finally:
        incoming.reset(token)


@pytest.mark.parametrize(
    ("trace_id", "span_id"), [("x", SPAN), (TRACE, "0" * 16), (TRACE, None), (TRACE.upper(), SPAN)]
)
def test_ids_that_are_none_are_not_sent(trace_id: object, span_id: object) -> None:
    with bound(trace_id=trace_id, span_id=span_id):
        assert outgoing_headers() == {}


def test_span_of_opentelemetry_goes_before_the_bound_one() -> None:
    trace: Any = pytest.importorskip("opentelemetry.trace")
    span = trace.NonRecordingSpan(trace.SpanContext(1, 2, is_remote=False, trace_flags=trace.TraceFlags(1)))

    with bound(trace_id=TRACE, span_id=SPAN), trace.use_span(span):
        assert outgoing_headers() == {"traceparent": f"00-{1:032x}-{2:016x}-01"}


def test_trace_of_the_caller_gets_no_state_of_another() -> None:
    token = incoming.set(TraceParent(TRACE, SPAN, 1, "a=1"))
    request = httpx.Request("GET", "http://127.0.0.1", headers={"traceparent": "theirs"})

    try:
        with bound(trace_id=TRACE, span_id=SPAN):
            send_request_id(request)
    finally:
        incoming.reset(token)

    assert request.headers["traceparent"] == "theirs"
    assert "tracestate" not in request.headers


def test_session_of_requests_sends_the_headers() -> None:
    requests: Any = pytest.importorskip("requests")
    seen: list[dict[str, str]] = []

    class Adapter(requests.adapters.BaseAdapter):  # type: ignore[misc]
        def send(self, request: Any, **_options: Any) -> Any:
            seen.append(dict(request.headers))
            answer = requests.Response()
            answer.status_code, answer.url, answer.request = 200, request.url, request
            return answer

        def close(self) -> None:
            seen.append({"closed": "yes"})

    session = requests.Session()
    session.mount("http://", Adapter())
    assert carry_request_id(carry_request_id(session)) is session

    with session, bound(request_id="abc", trace_id=TRACE, span_id=SPAN):
        assert session.get("http://127.0.0.1:1/").status_code == 200
        session.get("http://127.0.0.1:1/", headers={"X-Request-ID": "mine"})

    assert seen[0][HEADER] == "abc"
    assert seen[0]["traceparent"] == f"00-{TRACE}-{SPAN}-00"
    assert "mine" in seen[1].values()
    assert "abc" not in seen[1].values()
    assert seen[-1] == {"closed": "yes"}
