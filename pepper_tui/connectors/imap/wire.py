"""The connection under the client library: what a server may send is bounded here, before anything is parsed.

All that answers one command has a most, in bytes and in lines. What the library reads through are the methods that
``imaplib`` leaves to be overridden.
"""

from __future__ import annotations

import contextlib
import imaplib
import socket
import ssl
from typing import Any, Final

LONGEST_LINE: Final = 10_000_000
"""Bytes: the UIDs of a million mails stand in one line."""
MOST_LINES: Final = 20_000
"""Lines of one answer: each costs time, however short it is."""
_PIECE: Final = 1 << 16


class TooMuchError(Exception):
    """The server sends more than it may. The connection is of no use any more.

    It is no error of ``imaplib``, which would put another in its place.
    """


class Wire(imaplib.IMAP4):
    """Over TLS where ``tls`` is given."""

    def __init__(self, host: str, port: int, tls: ssl.SSLContext | None, timeout: float) -> None:
        self._tls = tls
        self._held = bytearray()
        self._of: socket.socket | None = None  # the socket that it came by
        self._room, self._lines = LONGEST_LINE, MOST_LINES
        self.moved = 0
        super().__init__(host, port, timeout)

    def _create_socket(self, timeout: float | None) -> socket.socket:
        plain = socket.create_connection((self.host, self.port), timeout)
        if self._tls is None:
            return plain
        try:
            return self._tls.wrap_socket(plain, server_hostname=self.host)
        except BaseException:
            plain.close()
            raise

    def allow(self, size: int, lines: int = MOST_LINES) -> None:
        """Let the server send so many bytes and lines from here on."""
        self._room, self._lines = size, lines

    @property
    def waiting(self) -> bool:
        """Whether something has come that was not read yet, and of which the socket itself knows nothing."""
        return bool(self._held) or (isinstance(self.sock, ssl.SSLSocket) and self.sock.pending() > 0)

    def cut(self) -> None:
        """End the connection from another thread: whoever reads wakes with an error."""
        with contextlib.suppress(OSError):
            socket.socket.shutdown(self.sock, socket.SHUT_RDWR)  # not TLS's own, which the other thread is in

    def read(self, size: int) -> bytes:
        self._only_of_this()
        while len(self._held) < size and self._more():
            pass
        return self._given(size)

    def readline(self) -> bytes:
        self._only_of_this()
        looked = 0
        while (end := self._held.find(b"\n", looked)) < 0:
            looked = len(self._held)
            if not self._more():
                break
        self._lines -= 1
        if self._lines < 0:
            raise TooMuchError("more lines than it may")
        return self._given(end + 1 if end >= 0 else len(self._held))

    def send(self, data: Any) -> None:
        sent = memoryview(bytes(data))
        for at in range(0, len(sent), _PIECE):  # a time limit is that of one piece
            super().send(sent[at : at + _PIECE])
            self.moved += len(sent[at : at + _PIECE])

    def _more(self) -> bool:
        piece = self.sock.recv(_PIECE)
        self.moved += len(piece)
        self._room -= len(piece)
        if self._room < 0:
            raise TooMuchError("more than was asked for")
        self._held += piece
        return bool(piece)

    def _only_of_this(self) -> None:
        """Drop what came before the connection was made safe: anyone may have written it."""
        if self.sock is not self._of:
            self._held.clear()
            self._of = self.sock

    def _given(self, size: int) -> bytes:
        given = bytes(self._held[:size])
        del self._held[:size]
        return given
