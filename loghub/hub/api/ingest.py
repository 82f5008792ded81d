"""`POST /api/v1/ingest`: lines come in, and are acknowledged when they are on disk."""

import asyncio
import errno

from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from loghub.hub.answers import JSONAnswer, refusal
from loghub.hub.api.parameters import now_us
from loghub.hub.api.parts import Parts
from loghub.hub.ingest import Reading, check_digest, check_headers, identify, read_body, unpack_whole
from loghub.hub.refused import IngestError
from loghub.hub.room import NoRoomError, Share
from loghub.hub.store.protocol import Appended
from loghub.hub.unpack import unpack
from loghub.hub.writer import Writer
from loghub.wire.batch import KEY_HEADER, Identity
from loghub.wire.report import DIGEST_HEADER, REPORT_HEADER, read_report

_RETRY_BUSY = {"Retry-After": "1"}
_RETRY_DISK = {"Retry-After": "5"}
_AT_ONCE = 8_192  # bytes of a body that are read in less time than it takes to wake a thread for them and to be woken
_BUSY = (errno.EBUSY, errno.ENOMEM)  # the store has too much to do; the disk is well


async def take_in(parts: Parts, writer: Writer, request: Request) -> Response:
    """Take the events of a body."""
    began_us = now_us()

    with Share(parts.room) as share:
        try:
            reading = await _read(parts, request, share)
            identity = identify(request.headers.get(KEY_HEADER), reading)
        except ClientDisconnect:
            return refusal(400, "gone", "the body broke off")  # nobody hears it; nothing of it was stored
        except NoRoomError:
            return refusal(429, "busy", "too many requests wait for the disk", headers=_RETRY_BUSY)

        if identity is not None:
            reading = reading.told(read_report(request.headers.get(REPORT_HEADER)), began_us)

        try:
            appended = await _append(writer, reading, identity)
        except OSError as error:
            return _refused(error)

    parts.counters.accepted.inc(appended.accepted)
    parts.counters.duplicate.inc(appended.duplicate)
    parts.counters.quarantined.inc(len(reading.bad))
    return _acknowledge(appended, reading, identity)


def _refused(error: OSError) -> Response:
    reason = f"nothing was stored: {error.strerror or error}"

    if error.errno in _BUSY:
        return refusal(503, "busy", reason, headers=_RETRY_BUSY)

    return refusal(507, "disk", reason, headers=_RETRY_DISK)


async def _read(parts: Parts, request: Request, share: Share) -> Reading:
    """Read the body.

    Raises:
        IngestError: it cannot be taken.
        NoRoomError: there is no room for it now.
    """
    limits = parts.settings.limits
    encoding = check_headers(request.headers.get("content-type", ""), request.headers.get("content-encoding", ""))
    body = await _receive(request, share, limits.body)
    told, key = request.headers.get(DIGEST_HEADER), request.headers.get(KEY_HEADER)

    def read() -> Reading:
        whole = body

        if encoding:
            whole = (unpack_whole if told else unpack)(body, encoding, limits.unpacked)
            share.grow(len(whole))

        check_digest(told, key, whole)
        return read_body(whole, limits=limits, now_us=now_us())

    return read() if len(body) <= _AT_ONCE and not encoding else await parts.threads.call(read)


async def _receive(request: Request, share: Share, limit: int) -> bytes:
    announced = request.headers.get("content-length", "0")

    # Refused by its own word, a body need not be sent first.
    if announced.isdigit() and int(announced) > limit:
        raise _too_large(limit)

    chunks: list[bytes] = []
    size = 0

    async for chunk in request.stream():
        size += len(chunk)

        if size > limit:
            raise _too_large(limit)

        share.grow(len(chunk))
        chunks.append(chunk)

    return b"".join(chunks)


def _too_large(limit: int) -> IngestError:
    return IngestError(413, "too_large", f"the body is larger than {limit} bytes: send less at once")


async def _append(writer: Writer, reading: Reading, identity: Identity | None) -> Appended:
    if not reading.size:
        return Appended(0, 0)

    return await asyncio.wrap_future(writer.submit(reading, identity))


def _acknowledge(appended: Appended, reading: Reading, identity: Identity | None) -> JSONAnswer:
    quarantined = [
        {
            "line": line.number,
            "id": f"{identity.source}-{identity.first + line.index:016x}" if identity else None,
            "error": line.error,
        }
        for line in reading.bad
    ]
    return JSONAnswer({"accepted": appended.accepted, "duplicate": appended.duplicate, "quarantined": quarantined})
