"""Proxies as they stand in companies: without WebSockets, with buffers, with a prefix of their own, and broken."""

import http.client
import http.server
import re
import socket
import socketserver
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

_HOP = {"connection", "transfer-encoding", "content-length", "keep-alive"}


@contextmanager
def proxy(port: int, *, buffers: bool) -> Iterator[str]:
    """Stand between a browser and a hub; give the address.

    Args:
        port: the hub's.
        buffers: whether an answer is held until it is whole, as buffering proxies do.
    """

    class Proxy(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            if self.headers.get("Upgrade"):
                self.send_error(502, "no upgrades here")
                return

            hub = http.client.HTTPConnection("127.0.0.1", port)

            try:
                headers = {name: value for name, value in self.headers.items() if name.lower() not in _HOP}
                hub.request("GET", self.path, headers=headers)
                answer = hub.getresponse()
                self._pass_on(answer, answer.read() if buffers else None)
            except OSError:
                self.close_connection = True
            finally:
                hub.close()

        def _pass_on(self, answer: http.client.HTTPResponse, body: bytes | None) -> None:
            self.send_response(answer.status)

            for name, value in answer.getheaders():
                if name.lower() not in _HOP:
                    self.send_header(name, value)

            self.end_headers()

            while piece := (body or answer.read1(65536)):
                self.wfile.write(piece)
                self.wfile.flush()

                if body:
                    return

        def log_message(self, format: str, *_: object) -> None:  # noqa: A002 (the parent's name)
            pass

    with _running(http.server.ThreadingHTTPServer(("127.0.0.1", 0), Proxy)) as url:
        yield url


@contextmanager
def prefixed(
    port: int, prefix: str, *, strips: bool, lets_through: Callable[[bytes, int], bool] = lambda _path, _bytes: True
) -> Iterator[str]:
    """Put a hub below a prefix, WebSockets and all; give its address there. Nothing else is answered but by 404.

    Args:
        port: the hub's.
        prefix: as "/logs".
        strips: whether the prefix is taken off on the way.
        lets_through: asked before each piece of an answer, with the path and the bytes that went through before; it
            may take its time, and breaks the connection by False.
    """

    class Proxy(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            head, rest = _head(self.request)
            found = re.match(rb"([A-Z]+) %b(/[^ ]*)? " % re.escape(prefix.encode()), head)

            if found is None:
                self.request.sendall(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
                return

            path = found[2] or b""
            way = path if strips else prefix.encode() + path
            head = b"%b %b %b" % (found[1], way or b"/", head[found.end() :])

            if b"\r\nupgrade:" not in head.lower():
                head = re.sub(rb"(?i)\r\nconnection:[^\r]*", b"", head) + b"\r\nConnection: close"

            with socket.create_connection(("127.0.0.1", port)) as hub, suppress(OSError):
                hub.sendall(head + b"\r\n\r\n" + rest)
                asking = threading.Thread(target=_pump, args=(self.request, hub, lambda _: True))
                asking.start()
                _pump(hub, self.request, lambda passed: lets_through(path, passed))
                asking.join()

    class Server(socketserver.ThreadingTCPServer):
        daemon_threads = True
        request_queue_size = 64

    with _running(Server(("127.0.0.1", 0), Proxy)) as url:
        yield f"{url}{prefix}/"


def _head(client: socket.socket) -> tuple[bytes, bytes]:
    """Read a request up to its body."""
    read = b""

    while b"\r\n\r\n" not in read:
        piece = client.recv(65536)

        if not piece:
            return b"", b""

        read += piece

    head, _, rest = read.partition(b"\r\n\r\n")
    return head, rest


def _pump(source: socket.socket, target: socket.socket, goes_on: Callable[[int], bool]) -> None:
    """Pass bytes on until one side ends; then end both."""
    passed = 0

    with suppress(OSError):
        while (piece := source.recv(65536)) and goes_on(passed):
            target.sendall(piece)
            passed += len(piece)

    for end in (source, target):
        with suppress(OSError):
            end.shutdown(socket.SHUT_RDWR)


@contextmanager
def _running(server: socketserver.ThreadingTCPServer | http.server.ThreadingHTTPServer) -> Iterator[str]:
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever)
    thread.start()

    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
