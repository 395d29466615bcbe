"""The road to a server, with its faults: ended, reset, or dead without a word. Also TLS, for a server that has none."""

from __future__ import annotations

import contextlib
import socket
import ssl
import struct
import threading
from typing import Final, Literal

from tests.connectors.imap.listening import Listening

Fault = Literal["ended", "reset", "silent"]
FAULTS: Final[tuple[Fault, ...]] = ("ended", "reset", "silent")


class Proxy(Listening):
    """``with Proxy(port) as road:``; ``road.port`` leads to ``port``. ``connections`` counts those that were made."""

    def __init__(self, to: int, tls: ssl.SSLContext | None = None) -> None:
        super().__init__()
        self._to, self._tls = to, tls
        self._open: list[_Pair] = []
        self._all: list[_Pair] = []

    @property
    def brought(self) -> int:
        """The bytes that came from the server."""
        return sum(pair.brought for pair in self._all)

    def __exit__(self, *how: object) -> None:
        super().__exit__(*how)
        self.fail("ended")

    def fail(self, fault: Fault) -> None:
        """Let this become of all connections that are open; later ones are well."""
        for pair in self._open:
            pair.fail(fault)
        self._open = []

    def serve(self, near: socket.socket) -> None:
        with contextlib.suppress(OSError):
            safe = self._tls.wrap_socket(near, server_side=True) if self._tls else near
            pair = _Pair(safe, socket.create_connection(("127.0.0.1", self._to)))
            self._all.append(pair)
            self._open.append(pair)
            pair.run()


class _Pair:
    def __init__(self, near: socket.socket, far: socket.socket) -> None:
        self._near, self._far = near, far
        self._silent = False
        self.brought = 0

    def run(self) -> None:
        back = threading.Thread(target=self._pump, args=(self._far, self._near), daemon=True)
        back.start()
        self._pump(self._near, self._far)

    def fail(self, fault: Fault) -> None:
        if fault == "silent":
            self._silent = True
            return
        if fault == "reset":
            self._near.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        else:
            with contextlib.suppress(OSError):
                self._near.shutdown(socket.SHUT_WR)
        for each in (self._near, self._far):
            with contextlib.suppress(OSError):
                each.shutdown(socket.SHUT_RD) if fault == "reset" else each.shutdown(socket.SHUT_RDWR)
            each.close()

    def _pump(self, here: socket.socket, there: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while piece := here.recv(1 << 16):
                if not self._silent:
                    there.sendall(piece)
                    self.brought += len(piece) if here is self._far else 0
        if not self._silent:
            with contextlib.suppress(OSError):
                there.shutdown(socket.SHUT_RDWR)
