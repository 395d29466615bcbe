"""A server on loopback with a thread for each connection."""

from __future__ import annotations

import contextlib
import socket
import threading
from typing import Self


class Listening:
    """``with`` a subclass of it: ``serve`` is called in a thread for each connection to ``port``."""

    def __init__(self) -> None:
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listening.getsockname()[1]
        self.connections = 0

    def __enter__(self) -> Self:
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        with contextlib.suppress(OSError):
            self._listening.shutdown(socket.SHUT_RDWR)  # else it goes on for as long as somebody waits in it
        self._listening.close()

    def serve(self, near: socket.socket) -> None:
        raise NotImplementedError

    def _accept(self) -> None:
        while True:
            try:
                near, _ = self._listening.accept()
            except OSError:
                return
            self.connections += 1
            threading.Thread(target=self.serve, args=(near,), daemon=True).start()
