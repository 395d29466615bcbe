"""The connection under the client library: it limits what a server may send, before anything is parsed.

The whole answer to one command is limited, in bytes and in lines. The library reads through the methods that
``imaplib`` allows to be overridden.
"""

from __future__ import annotations

import contextlib
import imaplib
import socket
import ssl
from typing import Any, Final

LONGEST_LINE: Final = 10_000_000
"""Bytes: the UIDs of a million mails are sent in one line."""
MOST_LINES: Final = 20_000
"""Lines of one answer: each costs time, however short it is."""
_PIECE: Final = 1 << 16


class TooMuchError(Exception):
    """The server sends more than it may. The connection is no longer usable.

    It is not an error of ``imaplib``, which would replace it by another.
    """


class Wire(imaplib.IMAP4):
    """A bounded connection, over TLS if ``tls`` is given."""

    def __init__(self, host: str, port: int, tls: ssl.SSLContext | None, timeout: float) -> None:
        self._tls = tls
        self._held = bytearray()
        self._of: socket.socket | None = None  # the socket from which it came
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
        """Let the server send that many bytes and lines from now on."""
        self._room, self._lines = size, lines

    @property
    def waiting(self) -> bool:
        """Whether something has arrived that was not read yet, even if the socket itself does not know of it."""
        return bool(self._held) or (isinstance(self.sock, ssl.SSLSocket) and self.sock.pending() > 0)

    def cut(self) -> None:
        """End the connection from another thread: a thread that is reading gets an error."""
        with contextlib.suppress(OSError):
            socket.socket.shutdown(self.sock, socket.SHUT_RDWR)  # not TLS's own, which the other thread is using

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
        for at in range(0, len(sent), _PIECE):  # the timeout applies to each piece
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
        """Drop what arrived before the connection was secured: anyone may have written it."""
        if self.sock is not self._of:
            self._held.clear()
            self._of = self.sock

    def _given(self, size: int) -> bytes:
        given = bytes(self._held[:size])
        del self._held[:size]
        return given
