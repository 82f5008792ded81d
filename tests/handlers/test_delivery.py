"""The table of answers and the state machine: pure, so no clock and no socket here."""

import json
from datetime import UTC, datetime
from email.utils import format_datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loghub.handlers.delivery import Answer, Circuit, Delivery, Effect, Pace, Trouble, effect_of, retry_delay, shorten
from loghub.wire.batch import Batch

SOURCE = "0" * 24
NOW = 1_790_000_000.0
ROWS: list[tuple[Effect, list[int | Trouble]]] = [
    (Effect.ACK, [200, 201, 202, 204]),
    (Effect.HOLD, [301, 302, 307, 308, 401, 403, 404, 405, 409, 415, 501, 505]),
    (Effect.HOLD, [Trouble.BAD_CERTIFICATE, Trouble.NO_HUB]),
    (Effect.HALVE, [400, 422]),
    (Effect.SHORTEN, [413]),
    (Effect.RETRY, [408, 425, 429, 500, 502, 503, 504, 507, 599, 100, Trouble.NO_ANSWER]),
]


def delivery(*lines: bytes, highest: bool = True) -> Delivery:
    made = Delivery(Pace(0.5, 60.0, lambda low, high: high if highest else low))
    made.start(Batch(SOURCE, 7, lines))
    return made


def keys_sent(made: Delivery, answers: list[int]) -> list[str]:
    keys = []

    for code in answers:
        assert made.current is not None
        keys.append(made.current.key.partition(":")[2])
        made.answered(Answer(code), NOW)

    return keys


@pytest.mark.parametrize(("effect", "status"), [(effect, status) for effect, row in ROWS for status in row])
def test_each_answer_has_the_effect_of_its_row(effect: Effect, status: int | Trouble) -> None:
    assert effect_of(status) is effect


def test_acknowledged_batch_is_done() -> None:
    made = delivery(b"a\n", b"b\n")
    verdict = made.answered(Answer(200), NOW)
    assert (verdict.effect, verdict.settled, verdict.delay) == (Effect.ACK, 2, 0.0)
    assert made.current is None


def test_retried_batch_keeps_its_key() -> None:
    assert keys_sent(delivery(b"a\n", b"b\n"), [503, 429, 500, 200]) == ["7-8"] * 4


def test_delay_doubles_to_the_longest_and_begins_anew_after_a_success() -> None:
    made = delivery(b"a\n")
    delays = [made.answered(Answer(Trouble.NO_ANSWER), NOW).delay for _ in range(9)]
    assert delays == [0.5, 1, 2, 4, 8, 16, 32, 60, 60]
    made.answered(Answer(200), NOW)
    made.start(Batch(SOURCE, 8, (b"b\n",)))
    assert made.answered(Answer(500), NOW).delay == 0.5


def test_jitter_is_full() -> None:
    assert delivery(b"a\n", highest=False).answered(Answer(503), NOW).delay == 0.0


def test_retry_after_is_kept_to() -> None:
    assert delivery(b"a\n").answered(Answer(503, "17"), NOW).delay == 17.0


def test_retry_after_of_nothing_does_not_make_a_busy_loop() -> None:
    assert delivery(b"a\n").answered(Answer(503, "0"), NOW).delay > 0


def test_held_batch_is_probed_at_the_longest_delay() -> None:
    made = delivery(b"a\n")
    assert [made.answered(Answer(401), NOW).delay for _ in range(3)] == [60.0] * 3
    assert made.current is not None


def test_refused_batch_is_halved_until_one_record_is_dead() -> None:
    made = delivery(b"a\n", b"b\n", b"c\n")
    # 7-9 → 7 | 8-9 → 7 fine, 8-9 → 8 | 9 → 8 is the bad one
    assert keys_sent(made, [400, 200, 400, 400, 200]) == ["7-9", "7-7", "8-9", "8-8", "9-9"]
    assert made.current is None


def test_single_refused_record_is_dead() -> None:
    verdict = delivery(b"a\n").answered(Answer(422), NOW)
    assert (verdict.effect, verdict.settled) == (Effect.DEAD, 1)


def test_too_large_record_is_shortened_once_and_then_dead() -> None:
    line = (
        json.dumps({"message": "x" * 5000, "exception": {"frames": ["y" * 5000]}, "service": "shop"}).encode() + b"\n"
    )
    made = delivery(line)
    assert made.answered(Answer(413), NOW).effect is Effect.SHORTEN
    assert made.current is not None
    assert made.current.key == f"{SOURCE}:7-7"
    fields = json.loads(made.current.lines[0])
    assert fields == {"message": "x" * 1024 + "…", "service": "shop", "truncated": ["message", "exception"]}
    assert made.answered(Answer(413), NOW).effect is Effect.DEAD


def test_each_too_large_record_is_shortened() -> None:
    made = delivery(*[b'{"message":"%s"}\n' % (b"x" * 3000)] * 2)
    effects = [made.answered(Answer(413), NOW).effect for _ in range(2)]
    made.answered(Answer(200), NOW)
    effects.append(made.answered(Answer(413), NOW).effect)
    assert effects == [Effect.HALVE, Effect.SHORTEN, Effect.SHORTEN]


def test_line_that_is_no_json_is_not_shortened() -> None:
    assert shorten(b"plain\n") == b"plain\n"


@given(st.lists(st.sampled_from([200, 400, 413, 422, 503, 401, 302]), min_size=1, max_size=200), st.integers(1, 40))
def test_any_answers_settle_each_line_once_and_in_order(answers: list[int], size: int) -> None:
    made = delivery(*[b'{"message":"%d"}\n' % number for number in range(size)])
    settled = 0

    for code in answers:
        if made.current is None:
            break

        assert made.current.first == 7 + settled
        settled += made.answered(Answer(code), NOW).settled

    assert settled == size if made.current is None else settled < size


@pytest.mark.parametrize(
    ("header", "delay"),
    [
        (None, None),
        ("0", 0.0),
        (" 120 ", 120.0),
        ("99999", 3600.0),
        ("9" * 400, 3600.0),
        (format_datetime(datetime.fromtimestamp(NOW + 90, UTC), usegmt=True), 90.0),
        (format_datetime(datetime.fromtimestamp(NOW - 90, UTC), usegmt=True), 0.0),
        (format_datetime(datetime.fromtimestamp(NOW + 86_400, UTC), usegmt=True), 3600.0),
        ("Mon, 21 Sep 2026 14:13:20 -0000", 0.0),
        ("soon", None),
        ("-5", None),
        ("1.5", None),
        ("", None),
        ("²", None),
    ],
)
def test_retry_after_is_seconds_or_a_date_of_at_most_an_hour(header: str | None, delay: float | None) -> None:
    assert retry_delay(header, NOW) == delay


@given(st.text())
def test_any_retry_after_is_read_or_passed_over(header: str) -> None:
    delay = retry_delay(header, NOW)
    assert delay is None or 0 <= delay <= 3600


def test_rejected_records_of_a_success_are_told_apart() -> None:
    verdict = delivery(b"a\n", b"b\n", b"c\n").answered(Answer(200, rejected=(1,)), NOW)
    assert (verdict.effect, verdict.settled, verdict.rejected) == (Effect.ACK, 3, (1,))


@pytest.mark.parametrize("status", [401, 302, Trouble.BAD_CERTIFICATE])
def test_circuit_opens_at_once_where_somebody_has_to_put_something_right(status: int | Trouble) -> None:
    made = delivery(b"a\n")
    made.sending()
    made.answered(Answer(status), NOW)
    assert made.circuit is Circuit.OPEN


def test_circuit_opens_after_five_failures_in_a_row() -> None:
    made = delivery(b"a\n")
    seen = []

    for _ in range(6):
        made.sending()
        made.answered(Answer(503), NOW)
        seen.append(made.circuit)

    assert seen == [Circuit.CLOSED] * 4 + [Circuit.OPEN] * 2


@pytest.mark.parametrize(
    ("status", "after"),
    [(200, Circuit.CLOSED), (422, Circuit.CLOSED), (413, Circuit.CLOSED), (503, Circuit.OPEN), (401, Circuit.OPEN)],
)
def test_probe_closes_the_circuit_or_leaves_it_open(status: int, after: Circuit) -> None:
    made = delivery(b"a\n", b"b\n")
    made.answered(Answer(401), NOW)
    made.sending()
    assert made.circuit is Circuit.HALF_OPEN
    made.answered(Answer(status), NOW)
    assert made.circuit is after
