"""A road to a server that hides some of what it can do, and ends at a command: before it comes, or once it is done."""

from __future__ import annotations

import contextlib
import re
import socket
import threading
from collections.abc import Callable
from typing import Final, Literal

from tests.connectors.imap.listening import Listening

Cut = Literal["before", "after"]
CUTS: Final[tuple[Cut, ...]] = ("before", "after")


class Middle(Listening):
    """``with Middle(port, without) as road:``. ``asked``: the commands. ``cut_at`` ends the next connection there."""

    def __init__(self, to: int, without: tuple[str, ...] = ()) -> None:
        super().__init__()
        self._to, self._without = to, without
        self._cuts: list[tuple[str, Cut]] = []
        self._before: dict[str, Callable[[], None]] = {}
        self.asked: list[str] = []

    def cut_at(self, command: str, cut: Cut) -> None:
        self._cuts.append((command, cut))

    def meanwhile(self, command: str, act: Callable[[], None]) -> None:
        """Do ``act`` right before the next ``command`` goes on to the server."""
        self._before[command] = act

    def let_through(self) -> None:
        """Forget what was to happen."""
        self._cuts.clear()
        self._before.clear()

    def serve(self, near: socket.socket) -> None:
        far = socket.create_connection(("127.0.0.1", self._to))
        waits: list[bytes] = []  # the tag whose answer ends the connection
        with contextlib.suppress(OSError):
            threading.Thread(target=self._answers, args=(far, near, waits), daemon=True).start()
            for line in near.makefile("rb"):
                tag, _, rest = line.strip().partition(b" ")
                name = re.sub(r"^UID ", "", rest.decode("latin-1").upper()).partition(" ")[0]
                self.asked.append(name)
                if act := self._before.pop(name, None):
                    act()
                if self._cuts and self._cuts[0][0] == name:
                    cut = self._cuts.pop(0)[1]
                    if cut == "before":
                        break
                    waits.append(tag)
                far.sendall(line)
        _end(near, far)

    def _answers(self, far: socket.socket, near: socket.socket, waits: list[bytes]) -> None:
        with contextlib.suppress(OSError):
            for line in far.makefile("rb"):
                if waits:
                    if line.startswith(waits[0] + b" "):
                        break
                    continue
                near.sendall(self._hidden(line))
        _end(near, far)

    def _hidden(self, line: bytes) -> bytes:
        if b"CAPABILITY" not in line:
            return line
        for each in self._without:
            line = re.sub(rb" %b(?=[ \]\r])" % each.encode(), b"", line)
        return line


def _end(*sockets: socket.socket) -> None:
    for each in sockets:
        with contextlib.suppress(OSError):
            each.shutdown(socket.SHUT_RDWR)
        each.close()
