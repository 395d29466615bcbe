"""The process between Pepper and one stdio server: it ends the server with Pepper, and passes only messages.

Run as a script, so it imports nothing of Pepper's: ``python -I -S reaper.py LOG -- COMMAND ARGUMENTS…``. It leads the
process group that Pepper made for it. When its standard input is closed, by Pepper or by Pepper's death however sudden,
the server has a moment to end by itself; then the whole group is ended. Lines of the server's output that can't be
messages (no ``{`` at the start, longer than ``LONGEST``, or of more parts than ``MOST_PARTS``) go to the log instead,
as all of its error output does. If one of these answers a request, which its first or last bytes tell, an error is sent
in its place, so that nobody waits for it. The log keeps its newest part: at most twice ``KEPT`` bytes, the older half
as ``LOG.old``.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import select
import signal
import subprocess
import sys
import threading
from typing import BinaryIO, Final

LONGEST: Final = 16 * 1024 * 1024
MOST_PARTS: Final = 150_000  # of one message: Pepper makes objects of them on its loop, in a tenth of a second
KEPT: Final = 256 * 1024
GRACE: Final = 1.0  # seconds from the end of the input to SIGTERM, and from there to SIGKILL
_CHUNK: Final = 65536
AN_END: Final = 512  # bytes that show which request a line answers
_DROPPED: Final = -32000
_TOO_LONG: Final = f"more than {LONGEST} bytes"
_TOO_MANY: Final = f"more than {MOST_PARTS} parts"
_VERSION: Final = rb'"jsonrpc"\s*:\s*"2\.0"\s*'
_ID: Final = rb'"id"\s*:\s*(?P<id>0|[1-9]\d{0,14}|"[\w-]{1,64}")\s*'
_ANSWERS: Final = re.compile(
    rb"\s*\{\s*(?:" + _VERSION + rb",\s*)?" + _ID + rb",\s*(?:" + _VERSION + rb',\s*)?"(?:result|error)"\s*:'
)
_BEGINS_ANSWER: Final = re.compile(rb"\s*\{\s*(?:" + _VERSION + rb',\s*)?"(?:result|error)"\s*:')
_ENDS_ANSWER: Final = re.compile(rb",\s*" + _ID + rb"(?:,\s*" + _VERSION + rb")?\}\s*$")


class Log:
    """The file with the newest output of the server that was not messages."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._lock = threading.Lock()
        self._file = self._opened()

    def _opened(self) -> BinaryIO:
        return os.fdopen(os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600), "ab", buffering=0)

    def write(self, data: bytes) -> None:
        with self._lock, contextlib.suppress(OSError):  # a full disk must not stop the server
            if self._file.tell() + len(data) > KEPT:
                self._file.close()
                os.replace(self._path, self._path + ".old")  # noqa: PTH105
                self._file = self._opened()
            self._file.write(data[-KEPT:])


class Line:
    """A line as it arrives: whole up to ``LONGEST`` bytes; of a longer one only its two ends."""

    def __init__(self) -> None:
        self._pieces: list[bytes] = []
        self.size = 0
        self.begin = self.end = b""
        self.refused = False  # whether the request that it answers has already got an error

    def add(self, piece: bytes) -> None:
        self.size += len(piece)
        if len(self.begin) < AN_END:
            self.begin = (self.begin + piece)[:AN_END]
        self.end = (self.end + piece)[-AN_END:]
        if self.too_long:
            self._pieces.clear()
        else:
            self._pieces.append(piece)

    @property
    def too_long(self) -> bool:
        return self.size > LONGEST

    @property
    def whole(self) -> bytes:
        return b"".join(self._pieces)


def pass_messages(source: BinaryIO, sink: int, log: Log) -> None:
    """Copy lines that may be messages to ``sink``, until either end is closed."""
    line = Line()
    while chunk := os.read(source.fileno(), _CHUNK):
        *ended, rest = chunk.split(b"\n")
        for piece in ended:
            line.add(piece)
            if not _passed(line, sink, log):
                return
            line = Line()
        line.add(rest)
        if line.too_long and not line.refused:  # its end may be far away, or never come
            line.refused = _refused(answered(line.begin), _TOO_LONG, sink)


def _passed(line: Line, sink: int, log: Log) -> bool:
    """Pass on or log a completed line; return whether ``sink`` is still open."""
    whole = line.whole
    why = _TOO_LONG if line.too_long else _TOO_MANY if parts(whole) > MOST_PARTS else ""
    if why:
        refused = line.refused or _refused(answered(line.begin, line.end), why, sink)
        unknown = "" if refused else "; if it was an answer, nobody knows to what"
        log.write(f"[reaper] a line of {why} was dropped{unknown}\n".encode())
    elif whole.lstrip()[:1] == b"{":
        return _written(sink, whole + b"\n")
    elif whole.strip():
        log.write(b"[stdout] " + whole[:2000] + b"\n")
    return True


def answered(begin: bytes, end: bytes = b"") -> str | int | None:
    """Return the id of the request that a message answers, by its beginning and end; ``None`` if they do not tell."""
    found = _ANSWERS.match(begin) or (_BEGINS_ANSWER.match(begin) and _ENDS_ANSWER.search(end))
    if not found:
        return None
    ident: str | int = json.loads(found["id"])
    return ident


def _refused(ident: str | int | None, why: str, sink: int) -> bool:
    """Send an error in place of the answer to ``ident``; return false if that is unknown."""
    if ident is None:
        return False
    error = {"code": _DROPPED, "message": f"its answer was dropped: it is one of {why}"}
    _written(sink, json.dumps({"jsonrpc": "2.0", "id": ident, "error": error}).encode() + b"\n")
    return True


def parts(data: bytes) -> int:
    """Estimate how many parts a message has; an object or list counts as five."""
    return 5 * (data.count(b"{") + data.count(b"[")) + data.count(b",")


def _written(sink: int, data: bytes) -> bool:
    view = memoryview(data)
    while view:
        try:
            view = view[os.write(sink, view) :]
        except OSError:
            return False
    return True


def pass_errors(source: BinaryIO, log: Log) -> None:
    """Copy error output to the log."""
    while chunk := os.read(source.fileno(), _CHUNK):
        log.write(chunk)


def end_group(server: subprocess.Popen[bytes]) -> None:
    """End the server and everything that it started: first politely, then by force."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(0, number)
        with contextlib.suppress(subprocess.TimeoutExpired):
            server.wait(GRACE)


def _on_child_ended() -> int:
    """Return a descriptor that becomes readable once a child has ended."""
    reading, writing = os.pipe()
    os.set_blocking(writing, False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    signal.set_wakeup_fd(writing, warn_on_full_buffer=False)
    return reading


def keep(log: Log, command: list[str]) -> int:
    """Run ``command`` until it ends or the standard input is closed; return its exit code."""
    if os.getpgrp() != os.getpid():
        os.setsid()  # it ends its own group, never that of its parent
    # handlers, not SIG_IGN, which the server would inherit: the group's SIGTERM is for the server, not for its reaper
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, lambda *_: None)
    ended = _on_child_ended()
    messages = os.dup(1)
    try:
        server = subprocess.Popen(command, stdin=0, stdout=subprocess.PIPE, stderr=subprocess.PIPE, bufsize=0)
    except OSError as error:
        log.write(f"[reaper] {command[0]}: {error.strerror}\n".encode())
        return 127
    closed = os.open(os.devnull, os.O_RDWR)
    os.dup2(closed, 1)
    assert server.stdout is not None
    assert server.stderr is not None
    copiers = [
        threading.Thread(target=pass_messages, args=(server.stdout, messages, log), daemon=True),
        threading.Thread(target=pass_errors, args=(server.stderr, log), daemon=True),
    ]
    for copier in copiers:
        copier.start()
    watched = select.poll()
    watched.register(0, 0)  # only POLLHUP and POLLERR: the input is for the server to read
    watched.register(ended, select.POLLIN)
    while server.poll() is None:
        if any(descriptor == 0 for descriptor, _ in watched.poll()):
            with contextlib.suppress(subprocess.TimeoutExpired):
                server.wait(GRACE)
                break
            end_group(server)
    for copier in copiers:
        copier.join(GRACE / 2)  # a child of the server's may hold them open
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(0, signal.SIGTERM)  # what the server left behind
    return server.returncode


if __name__ == "__main__":
    cut = sys.argv.index("--")
    os._exit(keep(Log(sys.argv[1]), sys.argv[cut + 1 :]) & 0xFF)
