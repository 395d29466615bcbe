"""The way to a server: it is lost before, in and after a command, silent, slow, closed for a while; or Pepper is killed
in the midst of one. And the sockets at this end of it, by which the real client libraries go.

Nothing here waits: a blocking call that has to wait notes so as the ``lag`` of the loop, which gives its result as
much later.
"""

from __future__ import annotations

import asyncio
import random
import socket
from collections.abc import Callable
from io import BytesIO
from typing import Any, Final

from tests.simulation.loop import Ended, SimulatedLoop
from tests.simulation.mail.imap_talk import Talk

FATES: Final = ("before", "before", "in", "in", "after", "after", "reset", "silent", "slow")
"""What becomes of a command that meets a fault."""
WAITS: Final = 20.0
"""Seconds after which a silent server counts as such, as the accounts are set."""


def running() -> SimulatedLoop:
    loop = asyncio.get_running_loop()
    assert isinstance(loop, SimulatedLoop)
    return loop


class Road:
    """``lost`` is the share of commands that fail. ``kill`` ends Pepper; ``changing`` tells by its name whether a
    command changes something. ``decides``: what the name of that command ends with by which a mail goes or is kept."""

    def __init__(
        self, chance: random.Random, kill: Callable[[], None], changing: Callable[[str], bool], decides: str
    ) -> None:
        self.chance = chance
        self._kill, self._changing, self._decides = kill, changing, decides
        self.doubts = chance.choice((0, 1, 1, 2))  # the first decisive commands whose answer is lost
        self.lost = chance.choice((0.0, 0.02, 0.08))
        self.lost_changes = chance.choice((0.0, 0.3, 0.5))
        self.kills = [chance.choice((0, 0, 1, 2, 4)), chance.choice((0, 0, 0, 10, 40))]  # at such a change, or command
        self.closed_until = 0.0  # virtual time
        self.closed_silently = False
        self.commands: dict[str, int] = {}

    def calm(self) -> None:
        self.lost = self.lost_changes = 0.0
        self.doubts = 0
        self.kills = [0, 0]
        self.closed_until = 0.0

    def open(self) -> None:
        """Let a client connect, or not."""
        loop = running()
        if loop.time() >= self.closed_until:
            return
        if self.closed_silently:
            loop.lag += WAITS
            raise TimeoutError("timed out")
        raise ConnectionRefusedError(111, "Connection refused")

    def fate(self, name: str) -> str:
        """Return what becomes of a command: empty, ``slow``, or a way to fail."""
        self.commands[name] = self.commands.get(name, 0) + 1
        changes = self._changing(name)
        if running().time() < self.closed_until:
            return "silent" if self.closed_silently else "before"
        for which, counts in enumerate((changes, True)):
            if counts and self.kills[which]:
                self.kills[which] -= 1
                if not self.kills[which]:
                    self._kill()
                    if self.chance.random() < 0.3:
                        raise Ended
                    return "kill"
        if self.doubts and name.endswith(self._decides):
            self.doubts -= 1
            if self.chance.random() < 0.75:  # nor can it be asked after at once
                self.closed_until = running().time() + self.chance.choice((30.0, 90.0))
            return "after"
        if self.chance.random() >= (self.lost_changes if changes else self.lost):
            return ""
        found = self.chance.choice(FATES)
        if found == "reset":
            raise ConnectionResetError(104, "Connection reset by peer")
        if found == "slow":
            running().lag += self.chance.choice((2.0, 15.0, 40.0))
        return found


class _Socket(socket.socket):
    """A socket without a descriptor: nothing of it reaches the system."""

    def __init__(self) -> None:
        """Open nothing."""

    def settimeout(self, value: float | None) -> None:
        pass

    def shutdown(self, how: int) -> None:
        pass

    def close(self) -> None:
        pass


class ImapSocket(_Socket):
    """The client's end of a connection to an IMAP server."""

    def __init__(self, talk: Talk, number: int) -> None:
        self.talk, self._number = talk, number
        running().sockets[number] = lambda: bool(talk.out) or talk.over

    def fileno(self) -> int:
        return self._number

    def makefile(self, *given: Any, **more: Any) -> Any:
        return BytesIO()

    def sendall(self, data: Any, flags: int = 0) -> None:
        if self.talk.over:
            raise BrokenPipeError(32, "Broken pipe")
        self.talk.feed(bytes(data))

    def recv(self, size: int, flags: int = 0) -> bytes:
        if self.talk.out:
            piece = bytes(self.talk.out[:size])
            del self.talk.out[:size]
            return piece
        if not self.talk.over:
            self.talk.over = True
            running().lag += WAITS
            raise TimeoutError("timed out")
        return b""


class HttpSocket(_Socket):
    """The client's end of a connection for one request."""

    def __init__(self, answer: Callable[[bytes], bytes]) -> None:
        self._answer = answer
        self._asked = b""

    def setsockopt(self, *given: Any) -> None:
        pass

    def sendall(self, data: Any, flags: int = 0) -> None:
        self._asked += bytes(data)

    def makefile(self, *given: Any, **more: Any) -> Any:
        asked, self._asked = self._asked, b""
        return BytesIO(self._answer(asked))
