"""RemoteHandler against a hub on a real socket: what arrives, each row of the table, and what happens in between."""

import io
import json
import logging
import re
import socket
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from itertools import count, pairwise
from pathlib import Path
from typing import Any

import pytest

from loghub.formatters import JSONFormatter
from loghub.handlers.delivery import Pace
from loghub.handlers.remote import RemoteHandler
from loghub.handlers.spool import incarnation
from loghub.metrics import text
from loghub.wire.rejection import event_id
from loghub.wire.report import digest, read_report

from scripted_hub import Act, Received, ScriptedHub, hang, reset, scripted_hub, status, wait_until

CERTIFICATE = Path(__file__).with_name("self_signed.pem")
_number = count()


class QuickHandler(RemoteHandler):
    """Retries in milliseconds; so do probes of what is held."""

    def _pace(self) -> Pace:
        return Pace(0.01, 0.02)


@pytest.fixture
def hub() -> Iterator[ScriptedHub]:
    with scripted_hub() as made:
        yield made


def attached(url: str, **options: Any) -> tuple[logging.Logger, QuickHandler]:
    # An engine is kept by its options; a free port may be one that an earlier test had.
    options = {"queue_bytes": 32_000_000 + next(_number), **options}
    handler = QuickHandler(url, **{"linger": "5 ms", "exit_deadline": "100 ms", "timeout": "60 s", **options})
    logger = logging.Logger("shop.cart")  # noqa: LOG001 (one that no other test sees)
    logger.addHandler(handler)
    return logger, handler


def balanced(handler: RemoteHandler) -> bool:
    counts = handler.counters
    return counts.appended == counts.acked + counts.dead + counts.dropped + counts.queued


def test_records_arrive_as_plain_lines_with_their_identity(hub: ScriptedHub) -> None:
    logger, handler = attached(hub.url)
    logger.info("sold %d", 3, extra={"sku": "tea"})
    assert handler.flush(60)
    request = hub.requests[0]
    event = json.loads(request.lines[0])
    assert (event["message"], event["logger"], event["sku"]) == ("sold 3", "shop.cart", "tea")
    assert request.path == "/api/v1/ingest"
    assert request.headers["content-type"] == "application/x-ndjson"
    assert request.headers["content-encoding"] == "zstd"
    assert (request.identity.first, request.identity.last) == (1, 1)
    handler.close()


def test_batches_carry_the_account_and_a_digest(hub: ScriptedHub) -> None:
    hub.script.append(status(503))

    logger, handler = attached(hub.url, batch_records=2, linger="10 s")

    for number in range(4):
        logger.info("record %d", number)

    assert handler.flush(60)
    handler.close()
    accounts = [read_report(request.headers["loghub-sender"]) for request in hub.requests]
    assert [(one.acked, one.retried) for one in accounts if one] == [(0, 0), (0, 1), (2, 1)]

    for request, account in zip(hub.requests, accounts, strict=True):
        assert request.headers["loghub-digest"] == digest(request.key, request.lines)
        assert account is not None
        assert abs((account.time or 0) / 1000 - time.time()) < 60
        assert account.sent == sum(filter(None, (account.acked, account.queued, account.dead, account.dropped)))


def test_prefix_token_and_headers_are_sent(hub: ScriptedHub) -> None:
    logger, handler = attached(f"{hub.url}/logs/", token="s3cret", headers={"X-Team": "shop"}, compress="none")
    logger.info("x")
    assert handler.flush(60)
    request = hub.requests[0]
    assert request.path == "/logs/api/v1/ingest"
    assert request.headers["authorization"] == "Bearer s3cret"
    assert request.headers["x-team"] == "shop"
    assert "content-encoding" not in request.headers
    handler.close()


def test_batches_are_bounded_in_records_and_numbered_without_a_gap(hub: ScriptedHub) -> None:
    logger, handler = attached(hub.url, batch_records=10)

    for number in range(95):
        logger.info("%d", number)

    assert handler.flush(60)
    assert hub.messages == [str(number) for number in range(95)]
    assert max(len(request.lines) for request in hub.requests) <= 10
    ends = [(request.identity.first, request.identity.last) for request in hub.requests]
    assert all(before[1] + 1 == after[0] for before, after in pairwise(ends))
    handler.close()


def test_batches_are_bounded_in_bytes(hub: ScriptedHub) -> None:
    logger, handler = attached(hub.url, batch_bytes="10 kB")

    for _ in range(20):
        logger.info("x" * 4000)

    assert handler.flush(60)
    assert max(len(b"".join(request.lines)) for request in hub.requests) <= 10_000
    handler.close()


def test_records_within_the_linger_travel_together(hub: ScriptedHub) -> None:
    logger, handler = attached(hub.url, linger="60 s")

    for number in range(20):
        logger.info("%d", number)

    assert not hub.requests
    assert handler.flush(60)
    assert len(hub.requests) == 1
    assert len(hub.stored) == 20
    handler.close()


CUT = b'HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n{"accep'
RETRIED: dict[str, Act] = {
    "408": status(408),
    "425": status(425),
    "429 with seconds": status(429, "Retry-After: 0"),
    "429 with a date": status(429, "Retry-After: Mon, 01 Jan 2024 00:00:00 GMT"),
    "500": status(500),
    "502 that closes": status(502, "Connection: close", stay=False),
    "503": status(503),
    "507": status(507),
    "reset before the answer": reset(),
    "reset in the head": reset(after=b"HTTP/1.1 200 OK\r\nContent-"),
    "reset in the body": reset(after=CUT),
    "stored, but reset in the body": reset(after=CUT, stored=True),
    "no HTTP at all": reset(after=b"SSH-2.0-OpenSSH_9\r\n\r\n"),
}
HELD: dict[str, Act] = {
    **{str(code): status(code) for code in (401, 403, 404, 405, 415, 501, 505)},
    "a redirect": status(307, "Location: http://127.0.0.1:9/elsewhere"),
    "a web page": status(200, "Content-Type: text/html; charset=utf-8", body=b"<html>log in"),
}
TAKEN: dict[str, Act] = {
    "200": status(200),
    "202": status(202),
    "200 with invalid JSON": status(200, body=b'{"accepted": '),
    "200 without a body": status(200, body=b""),
    "200 that closes": status(200, stay=False),
}


@pytest.mark.parametrize("name", RETRIED)
def test_passing_failure_is_retried_with_the_same_key(name: str) -> None:
    with scripted_hub(RETRIED[name], RETRIED[name]) as hub:
        logger, handler = attached(hub.url)
        logger.info("a")
        logger.info("b")
        assert handler.flush(60)
        assert hub.messages == ["a", "b"]
        assert len({request.key for request in hub.requests[:3]}) == 1
        assert sum(handler.counters.retries.values()) == 2
        assert handler.counters.acked == 2
        handler.close()


@pytest.mark.parametrize("head", [b"", b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n"], ids=["head", "body"])
def test_answer_that_drips_is_given_up_after_the_timeout(head: bytes) -> None:
    over = threading.Event()

    def drip(_hub: ScriptedHub, connection: socket.socket, _received: Received) -> bool:
        with suppress(OSError):
            connection.sendall(head or b"HTTP/1.1 200 OK\r\nX-Slow: ")

            while not over.wait(0.02):
                connection.sendall(b"x")

        return False

    with scripted_hub(drip) as hub:
        logger, handler = attached(hub.url, timeout="200 ms")
        logger.info("a")
        arrived = handler.flush(60)
        over.set()
        assert arrived
        assert hub.messages == ["a"]
        handler.close()


def test_name_that_cannot_be_looked_up_is_tried_again(hub: ScriptedHub, monkeypatch: pytest.MonkeyPatch) -> None:
    really, failures = socket.getaddrinfo, [socket.gaierror(socket.EAI_AGAIN, "try again")] * 2

    def look_up(host: Any, *rest: Any, **options: Any) -> Any:
        if host != "hub.invalid":
            return really(host, *rest, **options)

        if failures:
            raise failures.pop()

        return really("127.0.0.1", *rest, **options)

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    monkeypatch.setenv("NO_PROXY", "*")
    logger, handler = attached(hub.url.replace("127.0.0.1", "hub.invalid"))
    logger.info("a")
    assert handler.flush(10)
    assert hub.messages == ["a"]
    assert handler.counters.retries == {"no answer": 2}
    handler.close()


def test_tls_that_breaks_off_is_tried_again_and_not_held() -> None:
    """Only a certificate that cannot be believed is for somebody to put right."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def answer_in_clear() -> None:
            with suppress(OSError):
                while True:
                    connection, _ = listener.accept()

                    with connection:
                        connection.sendall(b"220 welcome\r\n")

        threading.Thread(target=answer_in_clear, daemon=True).start()
        logger, handler = attached(f"https://127.0.0.1:{listener.getsockname()[1]}")
        logger.info("a")
        wait_until(lambda: handler.counters.retries.get("no answer", 0) >= 2)
        assert handler.counters.holding == ""
        assert handler.counters.queued == 1
        handler.close()
        listener.shutdown(socket.SHUT_RDWR)


@pytest.mark.parametrize("code", [301, 302, 303, 307, 308])
def test_redirect_is_followed_nowhere(code: int, hub: ScriptedHub) -> None:
    """The batch and its token go to the address that the configuration names, and to no other."""
    with scripted_hub(otherwise=status(code, f"Location: {hub.url}/api/v1/ingest")) as first:
        logger, handler = attached(first.url, token="s3cret")
        logger.info("a")
        first.wait_for(lambda: len(first.requests) >= 3)
        assert handler.counters.queued == 1
        assert not hub.requests
        first.otherwise = status(200)
        assert handler.flush(10)
        handler.close()


def test_values_that_nothing_can_encode_arrive_all_the_same(hub: ScriptedHub) -> None:
    class Odd:
        def __str__(self) -> str:
            raise ValueError("no")

        __repr__ = __str__

    circular: list[object] = []
    circular.append(circular)
    values = [circular, {(1, 2): 3}, 2**80, "\udc80", float("nan"), Odd(), b"\xff", {1, 2}]
    logger, handler = attached(hub.url)

    for value in values:
        logger.info("odd", extra={"value": value})

    logger.info("%d", "no number")
    assert handler.flush(10)
    assert len(hub.stored) == len(values) + 1
    assert handler.lost == 0
    assert all(isinstance(json.loads(line), dict) for line in hub.stored.values())
    handler.close()


def test_best_effort_is_said_once(hub: ScriptedHub, capfd: pytest.CaptureFixture[str]) -> None:
    logger, handler = attached(hub.url)

    for word in ("a", "b"):
        logger.info(word)
        assert handler.flush(10)
        handler.close()  # the thread ends, and another one begins

    wait_until(lambda: handler.counters.acked == 2)
    assert capfd.readouterr().err.count(f"RemoteHandler({hub.url}): best-effort: records wait in memory") == 1


@pytest.mark.parametrize("name", HELD)
def test_lasting_failure_holds_everything_until_it_is_put_right(name: str, capfd: pytest.CaptureFixture[str]) -> None:
    with scripted_hub(otherwise=HELD[name]) as hub:
        logger, handler = attached(hub.url)
        logger.info("a")
        hub.wait_for(lambda: len(hub.requests) >= 2)
        logger.info("b")
        assert handler.counters.holding
        assert handler.counters.queued == 2
        assert handler.counters.circuit in ("open", "half-open")
        assert f'loghub_remote_circuits_open{{url="{hub.url}"}} 1.0' in text()
        hub.otherwise = status(200)
        assert handler.flush(60)
        # A web page is a success to the scripted hub: it stored what the sender did not believe.
        assert set(hub.messages) == {"a", "b"}
        assert handler.counters.holding == ""
        assert handler.counters.circuit == "closed"
        assert "check the address" in capfd.readouterr().err
        handler.close()


@pytest.mark.parametrize("name", TAKEN)
def test_success_is_an_acknowledgement(name: str) -> None:
    with scripted_hub(TAKEN[name], TAKEN[name]) as hub:
        logger, handler = attached(hub.url)
        logger.info("a")
        assert handler.flush(60)
        logger.info("b")
        assert handler.flush(60)
        assert hub.messages == ["a", "b"]
        assert handler.counters.acked == 2
        handler.close()


@pytest.mark.parametrize("code", [400, 422, 413])
def test_one_refused_record_does_not_take_its_batch_along(code: int) -> None:
    def choosy(hub: ScriptedHub, connection: socket.socket, received: Received) -> bool:
        bad = any(b"poison" in line for line in received.lines)
        return status(code if bad else 200)(hub, connection, received)

    with scripted_hub(otherwise=choosy) as hub:
        logger, handler = attached(hub.url, linger="60 s")

        for word in ("a", "b", "poison", "c", "d"):
            logger.info(word)

        assert handler.flush(60)
        assert hub.messages == ["a", "b", "c", "d"]
        assert (handler.counters.acked, handler.counters.dead) == (4, 1)
        handler.close()


def test_records_that_a_success_rejects_are_dead_and_never_sent_again(told: list[str]) -> None:
    def picky(hub: ScriptedHub, connection: socket.socket, received: Received) -> bool:
        first = received.identity.first
        bad = [event_id(received.identity.source, first + n) for n, line in enumerate(received.lines) if b"odd" in line]
        body = json.dumps({"accepted": 3, "rejected": [{"id": name, "error": "odd"} for name in bad]})
        return status(200, body=body.encode())(hub, connection, received)

    with scripted_hub(otherwise=picky) as hub:
        logger, handler = attached(hub.url, linger="60 s")

        for word in ("odd 1", "a", "odd 2", "odd 3", "b"):
            logger.info(word)

        assert handler.flush(60)
        assert (handler.counters.acked, handler.counters.dead) == (2, 3)
        assert len(hub.requests) == 1
        wait_until(lambda: any("rejects 3 of 5 records" in sentence for sentence in told))
        handler.close()


@pytest.mark.parametrize("verify", [False, str(CERTIFICATE)])
def test_certificate_that_is_trusted_or_not_checked_is_no_trouble(*, verify: bool | str) -> None:
    with scripted_hub(certificate=CERTIFICATE) as hub:
        logger, handler = attached(hub.url, verify=verify)
        logger.info("a")
        assert handler.flush(60)
        assert hub.messages == ["a"]
        handler.close()


def test_overflow_is_counted_exactly_and_leaves_the_newest() -> None:
    release = threading.Event()

    with scripted_hub(hang(release)) as hub:
        logger, handler = attached(hub.url, queue=100, batch_records=10, linger=0)
        logger.info("first")
        hub.wait_for(lambda: len(hub.requests) == 1)

        for number in range(1000):
            logger.info("%d", number)

        counts = handler.counters
        assert (counts.appended, counts.queued, counts.dropped) == (1001, 100, 901)
        release.set()
        assert handler.flush(60)
        assert hub.messages == ["first", *(str(number) for number in range(901, 1000))]
        assert balanced(handler)
        assert handler.counters.acked == 100
        handler.close()


def test_nothing_is_lost_or_sent_under_another_key_while_the_hub_is_killed_and_restarted() -> None:
    with scripted_hub() as hub:
        logger, handler = attached(hub.url, batch_records=20, queue=1_000_000)
        done, written = threading.Event(), count()

        def log() -> None:
            while not done.wait(0.001):
                logger.info("%d", next(written))

        writer = threading.Thread(target=log, daemon=True)
        writer.start()

        for _ in range(3):
            seen = len(hub.requests)
            hub.wait_for(lambda seen=seen: len(hub.requests) >= seen + 3)  # type: ignore[misc]
            hub.close()
            wait_until(lambda: handler.counters.queued > 30)
            hub.open()

        done.set()
        writer.join()
        assert handler.flush(60)
        assert hub.messages == [str(number) for number in range(next(written))]
        assert len({identity.source for identity in (request.identity for request in hub.requests)}) == 1
        by_first: dict[int, set[int]] = {}

        for request in hub.requests:
            by_first.setdefault(request.identity.first, set()).add(request.identity.last)

        assert all(len(lasts) == 1 for lasts in by_first.values())
        handler.close()


def test_many_threads_lose_nothing_and_the_account_balances(hub: ScriptedHub) -> None:
    logger, handler = attached(hub.url, batch_records=100)

    def log(thread: int) -> None:
        for number in range(500):
            logger.info("%d", thread * 1000 + number)

    threads = [threading.Thread(target=log, args=(number,)) for number in range(6)]

    for thread in threads:
        thread.start()

    for _ in range(50):
        assert balanced(handler)

    for thread in threads:
        thread.join()

    assert handler.flush(60)
    assert sorted(map(int, hub.messages)) == sorted(t * 1000 + n for t in range(6) for n in range(500))
    assert handler.counters.acked == 3000
    handler.close()


def test_handlers_with_the_same_options_share_an_engine(hub: ScriptedHub) -> None:
    logger, handler = attached(hub.url, queue_bytes="1 MB")
    _, other = attached(hub.url, queue_bytes="1 MB")
    logger.addHandler(other)
    logger.info("x")
    assert handler.flush(60)
    assert handler.counters == other.counters
    assert handler.counters.appended == 2
    assert len({request.identity.source for request in hub.requests}) == 1
    handler.close()
    other.close()


def test_emit_after_close_attaches_again(hub: ScriptedHub) -> None:
    logger, handler = attached(hub.url)
    handler.close()
    handler.close()
    logger.info("late")
    assert handler.flush(60)
    assert hub.messages == ["late"]
    handler.close()


def test_closed_handlers_leave_no_thread_behind(hub: ScriptedHub) -> None:
    logger, handler = attached(hub.url)
    before = {thread for thread in threading.enumerate() if thread.name == "loghub-remote"}
    logger.info("x")
    assert handler.flush(60)
    mine = {thread for thread in threading.enumerate() if thread.name == "loghub-remote"} - before
    assert len(mine) == 1
    handler.close()
    wait_until(lambda: not any(thread.is_alive() for thread in mine))
    logger.info("y")
    assert handler.flush(60)
    assert hub.messages == ["x", "y"]
    handler.close()


def test_a_formatter_that_raises_does_not_reach_the_application(
    hub: ScriptedHub, capfd: pytest.CaptureFixture[str]
) -> None:
    class Broken(JSONFormatter):
        def format_line(self, record: logging.LogRecord) -> bytes:
            raise RuntimeError(record.msg)

    logger, handler = attached(hub.url)
    handler.setFormatter(Broken())
    logger.info("x")
    assert "RuntimeError: x" in capfd.readouterr().err
    assert handler.lost == 1
    handler.close()


def test_a_formatter_that_raises_is_harmless_where_stderr_is_closed(
    hub: ScriptedHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Unspeakable(Exception):  # noqa: N818 (what a user raises)
        def __str__(self) -> str:
            raise self

        __repr__ = __str__

    class Broken(JSONFormatter):
        def format_line(self, _record: logging.LogRecord) -> bytes:
            raise Unspeakable

    logger, handler = attached(hub.url)
    handler.setFormatter(Broken())
    closed = io.StringIO()
    closed.close()
    monkeypatch.setattr(sys, "stderr", closed)
    logger.info("x")
    assert handler.lost == 1
    handler.close()


def test_counters_are_in_the_metrics(hub: ScriptedHub) -> None:
    logger, handler = attached(hub.url)
    logger.info("x")
    assert handler.flush(60)
    written = text()
    assert f'loghub_remote_records_total{{url="{hub.url}"}} 1.0' in written
    assert f'loghub_remote_records{{fate="acked",url="{hub.url}"}} 1.0' in written
    assert f'loghub_remote_retries_total{{url="{hub.url}"}} 0.0' in written
    assert f'loghub_remote_queued_bytes{{url="{hub.url}"}} 0.0' in written
    handler.close()


@pytest.mark.parametrize("waits", ["memory", "spool"])
def test_how_long_the_oldest_record_waits_is_told(waits: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    long_ago = time.time() - 500
    monkeypatch.setattr(incarnation, "_now", lambda: int(long_ago * 1e9))
    release = threading.Event()

    with scripted_hub(hang(release)) as hub:
        logger, handler = attached(hub.url, spool=str(tmp_path) if waits == "spool" else None, timeout="30 s")
        assert (handler.counters.oldest, handler.counters.spool_bytes) == (0, 0)
        handler.handle(logging.makeLogRecord({"msg": "a", "created": long_ago}))
        hub.wait_for(lambda: len(hub.requests) == 1)
        logger.info("b")
        assert 500 <= handler.counters.oldest < 5000  # that one is under way
        assert (handler.counters.spool_bytes >= 256 * 1024) == (waits == "spool")
        assert re.search(rf'loghub_remote_oldest_seconds{{url="{hub.url}"}} 5\d\d', text())
        assert f'loghub_remote_spool_bytes{{url="{hub.url}"}}' in text()
        release.set()
        assert handler.flush(10)
        assert handler.counters.oldest == 0
        handler.close()


def test_how_long_a_record_waits_that_nothing_was_sent_before_is_told(tmp_path: Path) -> None:
    handler = RemoteHandler("http://127.0.0.1:9", spool=str(tmp_path), linger="60 s", exit_deadline=0)
    handler.handle(logging.makeLogRecord({"msg": "a"}))
    wait_until(lambda: 0 < handler.counters.oldest < 1000)
    assert handler.counters.retries == {}
    handler.close()
