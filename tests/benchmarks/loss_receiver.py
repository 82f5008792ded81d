"""A receiver that writes each message down before it answers.

Arguments: what it speaks (http, logstash, otlp), the port, the file.
"""

import gzip
import json
import os
import socketserver
import sys
from collections.abc import Callable, Iterable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib import import_module
from typing import Any, ClassVar
from urllib.parse import parse_qs

Read = Callable[[bytes], Iterable[str]]


def form(body: bytes) -> Iterable[str]:
    """Read what the standard library's HTTPHandler posts."""
    return parse_qs(body.decode())["msg"]


def otlp(body: bytes) -> Iterable[str]:
    """Read OTLP's protobuf."""
    service: Any = import_module("opentelemetry.proto.collector.logs.v1.logs_service_pb2")
    request = service.ExportLogsServiceRequest.FromString(body)
    scopes = (scope for resource in request.resource_logs for scope in resource.scope_logs)
    return [record.body.string_value for scope in scopes for record in scope.log_records]


class Post(BaseHTTPRequestHandler):
    """Takes what is posted."""

    protocol_version = "HTTP/1.1"
    read: ClassVar[Read]
    taken: ClassVar[int]

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))

        if self.headers.get("Content-Encoding") == "gzip":
            body = gzip.decompress(body)

        write(self.taken, type(self).read(body))
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Say nothing."""


class Lines(socketserver.StreamRequestHandler):
    """Takes JSON lines."""

    taken: ClassVar[int]

    def handle(self) -> None:
        for line in self.rfile:
            if line.endswith(b"\n"):
                write(self.taken, [json.loads(line)["message"]])


class LineServer(socketserver.ThreadingTCPServer):
    """A server that comes back on its port."""

    allow_reuse_address = True
    daemon_threads = True


def write(taken: int, messages: Iterable[str]) -> None:
    """Write messages down; a write survives the kill of the process."""
    os.write(taken, "".join(f"{message}\n" for message in messages).encode())


def main(kind: str, port: int, path: str) -> None:
    """Serve until killed."""
    taken = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND)

    if kind == "logstash":
        Lines.taken = taken
        LineServer(("127.0.0.1", port), Lines).serve_forever()
        return

    Post.taken = taken
    Post.read = staticmethod({"http": form, "otlp": otlp}[kind])
    ThreadingHTTPServer(("127.0.0.1", port), Post).serve_forever()


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), sys.argv[3])
