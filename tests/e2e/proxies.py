"""Proxies as they stand in companies: without WebSockets, and with buffers."""

import http.client
import http.server
import threading
from collections.abc import Iterator
from contextlib import contextmanager

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

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Proxy)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever)
    thread.start()

    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
