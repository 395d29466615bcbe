"""A road to a server of HTTP that counts what is asked, and breaks: before the server acts, or once it has acted.

A *hole* takes each request and answers none, until it is closed.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Final, Literal, Self

Break = Literal["before", "after", "in", "silent", "refused"]
BREAKS: Final[tuple[Break, ...]] = ("before", "after", "in", "silent", "refused")
SILENT: Final = 60.0  # seconds for which nothing is said, unless the road ends
_HOP: Final = frozenset({"connection", "keep-alive", "transfer-encoding", "content-length"})


@dataclass(frozen=True)
class Asked:
    """A request that the server has answered. The names of headers are in small letters."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes
    status: int


class HttpMiddle:
    """``with HttpMiddle(port) as road:`` leads from ``road.port`` to ``port``. ``done`` is told each request."""

    def __init__(self, to: int, done: Callable[[Asked], object] = lambda asked: None, port: int = 0) -> None:
        self._to, self._done = to, done
        self._breaks: dict[str, list[Break]] = {}
        self._meanwhile: dict[str, tuple[Break, Callable[[], object]]] = {}
        self._lock = threading.Lock()
        self._open = threading.Event()
        """Set while no hole is there."""
        self._open.set()
        self._hole = False
        self.swallowed = 0
        self._server = _server(self, port)
        self.port = int(self._server.server_address[1])

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.close_hole()
        self._server.shutdown()
        self._server.server_close()

    def break_at(self, method: str, how: Break) -> None:
        """Let the next request of this method break."""
        with self._lock:
            self._breaks.setdefault(method, []).append(how)

    def meanwhile(self, method: str, when: Break, act: Callable[[], object]) -> None:
        """Do ``act`` at the next request of this method, before or after the server acts; it is answered then."""
        with self._lock:
            self._meanwhile[method] = when, act

    def let_through(self) -> None:
        """Forget what was to happen."""
        with self._lock:
            self._breaks.clear()
            self._meanwhile.clear()

    def open_hole(self) -> None:
        """Take each request from now on, and answer none."""
        self._hole = True
        self._open.clear()

    def close_hole(self) -> None:
        """Hang up on whoever waits, and let all others through."""
        self._hole = False
        self._open.set()

    def serve(self, handler: BaseHTTPRequestHandler) -> None:
        body = handler.rfile.read(int(handler.headers.get("content-length", 0)))
        if self._hole:
            self.swallowed += 1
            self._open.wait(SILENT)
            handler.close_connection = True
            return
        method = handler.command
        with self._lock:
            waiting = self._breaks.get(method)
            how = waiting.pop(0) if waiting else None
            when, act = self._meanwhile.pop(method, (None, None))
        if act is not None and when == "before":
            act()
        if how == "silent":
            self._hang(handler)
        elif how == "refused":
            handler.send_error(503)
        if how in ("before", "silent", "refused"):
            handler.close_connection = True
            return
        status, headers, answer = self._passed_on(handler, body)
        if act is not None and when == "after":
            act()
        if how == "after":
            handler.close_connection = True
            return
        handler.send_response(status)
        for name, value in headers:
            if name.lower() not in _HOP:
                handler.send_header(name, value)
        handler.send_header("Content-Length", str(len(answer)))
        handler.end_headers()
        handler.wfile.write(answer[: len(answer) // 2] if how == "in" else answer)
        handler.close_connection = handler.close_connection or how == "in"

    def _hang(self, handler: BaseHTTPRequestHandler) -> None:
        """Say nothing until the client has given up."""
        handler.connection.settimeout(SILENT)
        with contextlib.suppress(OSError):
            handler.rfile.read(1)

    def _passed_on(self, handler: BaseHTTPRequestHandler, body: bytes) -> tuple[int, list[tuple[str, str]], bytes]:
        headers = {name: value for name, value in handler.headers.items() if name.lower() not in _HOP}
        with contextlib.closing(HTTPConnection("127.0.0.1", self._to, timeout=30)) as far:
            far.request(handler.command, handler.path, body, headers)
            said = far.getresponse()
            answer = said.read()
        small = {name.lower(): value for name, value in headers.items()}
        self._done(Asked(handler.command, handler.path, small, body, said.status))
        return said.status, said.getheaders(), answer


def _server(middle: HttpMiddle, port: int) -> ThreadingHTTPServer:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def _serve(self) -> None:
            try:
                middle.serve(self)
            except OSError:  # the client, or the server, went away
                self.close_connection = True

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
            """Nothing to the terminal."""

        do_GET = do_PUT = do_DELETE = do_REPORT = do_PROPFIND = do_POST = do_PATCH = _serve
        do_OPTIONS = do_MKCALENDAR = _serve

    class Server(ThreadingHTTPServer):
        daemon_threads = True
        allow_reuse_address = True

        def handle_error(self, request: Any, client_address: Any) -> None:
            """A client that went away is no event."""

    return Server(("127.0.0.1", port), Handler)
