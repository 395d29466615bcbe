"""A server whose answers are longer than any should be: by their length, without one, or once unpacked."""

from __future__ import annotations

import contextlib
import threading
import zlib
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any

from pepper_tui.connectors.google_account.wire import MOST

PIECE = b"a" * 1_000_000


class Flood:
    """``asked`` counts the requests, ``sent`` the bytes."""

    def __init__(self, how: str) -> None:
        self.asked = self.sent = 0
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self.rfile.read(int(self.headers.get("content-length", 0)))
                outer.asked += 1
                packed = outer._packed() if how == "packed" else b""
                self.send_response(200)
                if how == "told":
                    self.send_header("content-length", str(3 * MOST))
                if packed:
                    self.send_header("content-encoding", "gzip")
                    self.send_header("content-length", str(len(packed)))
                self.end_headers()
                with contextlib.suppress(OSError):
                    self.wfile.write(packed)
                    while not packed and outer.sent < 3 * MOST:
                        self.wfile.write(PIECE)
                        outer.sent += len(PIECE)

            do_POST = do_GET

            def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
                """Nothing to the terminal."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}"

    @staticmethod
    def _packed() -> bytes:
        squeeze = zlib.compressobj(wbits=31)
        return b"".join(squeeze.compress(PIECE) for _ in range(3 * MOST // len(PIECE))) + squeeze.flush()

    def __enter__(self) -> Flood:
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._server.shutdown()
        self._server.server_close()
