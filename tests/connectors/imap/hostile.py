"""A server that keeps to no bounds: what it says in place of an answer, by the command that it is asked."""

from __future__ import annotations

import contextlib
import re
import socket
import threading
from collections.abc import Callable, Iterator, Mapping
from typing import Final

from tests.connectors.imap.listening import Listening

PIECE: Final = b"a" * 65536
Say = Callable[[bytes], Iterator[bytes]]
"""A command's tag -> the pieces that are said."""


def line(_: bytes) -> Iterator[bytes]:
    yield b"* OK "
    while True:
        yield PIECE


def literal(_: bytes) -> Iterator[bytes]:
    yield b'* LIST () "/" {999999999999}\r\n* 1 FETCH (UID 1 BODY[]<0> {999999999999}\r\n'
    while True:
        yield PIECE


def body(_: bytes) -> Iterator[bytes]:
    yield b"* 1 FETCH (UID 1 BODY[]<0> {999999999999}\r\n"
    while True:
        yield PIECE


def garbage(tag: bytes) -> Iterator[bytes]:
    yield b"\xff\x00 !!! ((( {5}\r\n((\r\n" * 100 + tag + b" OK done\r\n"


def nested(tag: bytes) -> Iterator[bytes]:
    yield b"* LIST " + b"(" * 400_000 + b"\r\n* 1 FETCH " + b"(" * 400_000 + b"\r\n" + tag + b" OK done\r\n"


def folders(tag: bytes) -> Iterator[bytes]:
    for at in range(0, 1_000_000, 1000):
        yield b"".join(b'* LIST (\\Noselect) "/" "folder %d"\r\n' % number for number in range(at, at + 1000))
    yield tag + b" OK done\r\n"


def flood(_: bytes) -> Iterator[bytes]:
    while True:
        yield b"* 1 EXISTS\r\n" * 5000


def drip(_: bytes) -> Iterator[bytes]:
    while True:
        yield b"a"
        threading.Event().wait(0.2)


def end(_: bytes) -> Iterator[bytes]:
    yield b""
    raise ConnectionError


class Hostile(Listening):
    """``with Hostile({"LIST": folders}) as server:``; all else is answered as a small mailbox would."""

    def __init__(self, says: Mapping[str, Say], more: bytes = b"") -> None:
        super().__init__()
        self._says, self._more = says, more
        self.asked: list[str] = []
        self.commands: list[bytes] = []

    def serve(self, near: socket.socket) -> None:
        with contextlib.suppress(OSError), near, near.makefile("rb") as heard:
            if say := self._says.get("GREETING"):
                for piece in say(b"*"):
                    near.sendall(piece)
            near.sendall(b"* OK ready\r\n")
            for asked in heard:
                tag, _, rest = asked.strip().partition(b" ")
                name = re.sub(r"^UID ", "", rest.decode("latin-1").upper()).partition(" ")[0]
                self.asked.append(name)
                self.commands.append(rest)
                if say := self._says.get(name):
                    for piece in say(tag):
                        near.sendall(piece)
                else:
                    near.sendall(self._answer(name, tag, rest))

    def _answer(self, name: str, tag: bytes, rest: bytes) -> bytes:
        said = {
            "CAPABILITY": b"* CAPABILITY IMAP4rev1 IDLE\r\n",
            "LIST": b'* LIST () "/" "INBOX"\r\n',
            "EXAMINE": b"* 1 EXISTS\r\n* OK [UIDVALIDITY 7] x\r\n* OK [UIDNEXT 2] x\r\n",
            "STATUS": b"* STATUS INBOX (UIDVALIDITY 7 UIDNEXT 2 MESSAGES 1)\r\n",
            "SEARCH": b"* SEARCH 1\r\n",
            "FETCH": b"* 1 FETCH (UID 1 RFC822.SIZE 20 BODY[]<0> {12}\r\nSubject: x\r\n)\r\n"
            if b"BODY" in rest
            else b"* 1 FETCH (UID 1 RFC822.SIZE 20)\r\n",
        }.get(name, b"")
        if name == "IDLE":
            return b"+ idling\r\n"
        return self._more + said + tag + b" OK done\r\n"
