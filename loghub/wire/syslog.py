"""Lines → syslog messages (RFC 5424), framed by octet counting (RFC 6587 §3.4.1, RFC 5425 §4.3).

Rules:
1. The header is in the RFC's bounds for any event: names are printable ASCII without blanks, cut to 255 (host), 48
   (application), 128 (process) and 32 (message id) characters; what is missing is "-".
2. Either the whole line is the message, as JSON ("syslog"), or the event's message is, with the other fields as
   structured data ("syslog-structured"). Names there have 32 characters at most and none of `= ] "` and blank;
   two names that become alike are numbered.
3. `[meta sequenceId]` is the record's number, from 1 to 2147483647 and over again. Its id stands in
   `loghub@32473 id`, so that a receiver can tell a repeated message. (32473 is the number that RFC 5612 sets aside
   for examples: loghub has none of its own.)
4. No byte order mark stands before the message: it is optional where the encoding is told otherwise, and JSON
   must not have one (RFC 8259 §8.1).
"""

import re
from collections.abc import Callable, Iterator, Mapping

from loghub.event.encode import decode, encode
from loghub.event.model import JSONValue
from loghub.wire.batch import Batch
from loghub.wire.rejection import event_id

_USER = 1 * 8  # facility "user-level messages"
_SEVERITIES = {"CRITICAL": 2, "ERROR": 3, "WARNING": 4, "INFO": 6, "DEBUG": 7}
_BY_NUMBER = ((50, 2), (40, 3), (30, 4), (20, 6))
_NIL = "-"
_MAX_SEQUENCE = 2_147_483_647
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,6})?(?:Z|[+-]\d\d:\d\d)")
_UNPRINTABLE = re.compile(r"[^\x21-\x7e]")
_NOT_IN_NAMES = re.compile(r'[^\x21-\x7e]|[="\]]')
_ESCAPED = re.compile(r'(["\\\]])')
_HEADER = ("timestamp", "level", "levelno", "hostname", "message")


def frame(message: bytes) -> bytes:
    """Put the number of its bytes before a message."""
    return b"%d %s" % (len(message), message)


def messages(batch: Batch, *, structured: bool = False) -> Iterator[bytes]:
    """Give a syslog message for each line of a batch.

    Args:
        batch: the lines.
        structured: whether fields are structured data; otherwise the message is the line itself.
    """
    for seq, line in enumerate(batch.lines, batch.first):
        yield _message(line.rstrip(b"\r\n"), event_id(batch.source, seq), seq, structured=structured)


def _message(line: bytes, name: str, seq: int, *, structured: bool) -> bytes:
    try:
        fields = decode(line)
    except ValueError:  # what is no event is sent as it is
        fields, structured = {}, False

    meta = f'[meta sequenceId="{(seq - 1) % _MAX_SEQUENCE + 1}"][loghub@32473 id="{name}"'
    parameters = "".join(_parameters(fields)) if structured else ""
    text = _text(fields.get("message", "")).encode("utf-8", "backslashreplace") if structured else line
    return f"{_header(fields)} {meta}{parameters}] ".encode("utf-8", "backslashreplace") + text


def _header(fields: Mapping[str, JSONValue]) -> str:
    time = fields.get("timestamp")
    return " ".join(
        (
            f"<{_USER + _severity(fields)}>1",
            time if isinstance(time, str) and _TIME.fullmatch(time) else _NIL,
            _name(fields.get("hostname"), 255),
            _name(fields.get("service"), 48),
            _name(fields.get("process"), 128),
            _name(fields.get("logger"), 32),
        )
    )


def _severity(fields: Mapping[str, JSONValue]) -> int:
    number = fields.get("levelno")

    if isinstance(number, int | float):
        return next((severity for least, severity in _BY_NUMBER if number >= least), 7)

    return _SEVERITIES.get(str(fields.get("level")), 6)


def _name(value: JSONValue, size: int) -> str:
    if value is None or isinstance(value, dict | list):
        return _NIL

    return _UNPRINTABLE.sub("_", str(value))[:size] or _NIL


def _parameters(fields: Mapping[str, JSONValue]) -> Iterator[str]:
    seen = {"id"}

    for key, value in fields.items():
        if key in _HEADER:
            continue

        name = _unused(_NOT_IN_NAMES.sub("_", key)[:32] or "_", seen)
        seen.add(name)
        escaped = _ESCAPED.sub(r"\\\1", _text(value))
        yield f' {name}="{escaped}"'


def _unused(name: str, seen: set[str]) -> str:
    number, found = 2, name

    while found in seen:
        found = f"{name[: 31 - len(str(number))]}~{number}"
        number += 1

    return found


def _text(value: JSONValue) -> str:
    return value if isinstance(value, str) else encode({"": value})[4:-2].decode("utf-8", "replace")


def ndjson_body(batch: Batch) -> bytes:
    """Give the lines as they are."""
    return b"".join(batch.lines)


def syslog_body(batch: Batch) -> bytes:
    """Give framed messages whose text is the line."""
    return b"".join(map(frame, messages(batch)))


def structured_body(batch: Batch) -> bytes:
    """Give framed messages with the fields as structured data."""
    return b"".join(frame(message) for message in messages(batch, structured=True))


BODIES: dict[str, Callable[[Batch], bytes]] = {
    "ndjson": ndjson_body,
    "syslog": syslog_body,
    "syslog-structured": structured_body,
}
"""What a stream of bytes carries, by protocol."""
