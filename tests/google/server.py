"""The double on loopback: ``Google`` serves a ``Service`` in threads, and can stop and start again on its port."""

from __future__ import annotations

import contextlib
import json
import pickle
import socket
import threading
import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from tests.google import service
from tests.google.calendar.book import Book
from tests.google.exchange import Answer, Request
from tests.google.faults import Dropped, Fault
from tests.google.gmail.mailbox import Mailbox
from tests.google.service import Asked
from tests.google.sign_in import CLIENT

CONTROL = "/control"
"""Where ``GoogleProcess`` reaches in; served only if ``control`` says what to do."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: _Server

    def setup(self) -> None:
        super().setup()
        self.server.open.add(self.connection)

    def finish(self) -> None:
        self.server.open.discard(self.connection)
        with contextlib.suppress(OSError):
            super().finish()

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        """Nothing to the terminal."""

    def _serve(self) -> None:
        content = self.rfile.read(int(self.headers.get("content-length", 0)))
        headers = {name.lower(): value for name, value in self.headers.items()}
        request = Request(self.command, self.path, headers, content)
        try:
            answer = self.server.answer(request)
        except Dropped as dropped:
            self._part_of(dropped)
            return
        with contextlib.suppress(OSError):
            self.wfile.write(answer.text())

    def _part_of(self, dropped: Dropped) -> None:
        """So much of the answer as got out, and the end of the connection."""
        if dropped.args:
            answer = dropped.args[0]
            empty = len(answer.text()) - 5  # cut off within its first line
            cut = len(answer.content) // 2 + 1 if answer.content else empty
            with contextlib.suppress(OSError):
                self.wfile.write(answer.text()[:-cut])
        self.close_connection = True

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = _serve


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    allow_reuse_address = True

    def __init__(self, port: int, answer: Callable[[Request], Answer]) -> None:
        self.answer = answer
        self.open: set[socket.socket] = set()
        super().__init__(("127.0.0.1", port), _Handler)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that went away is no event."""

    def hang_up(self) -> None:
        for connection in list(self.open):
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)


class Google:
    """``mailbox`` is that of the first address. ``stop`` hangs up on everyone, and forgets nothing."""

    def __init__(
        self,
        *addresses: str,
        now: Callable[[], float] = time.time,
        port: int = 0,
        state: service.Service | None = None,
        control: Callable[[bytes], bytes] | None = None,
        answered: Callable[[], object] = lambda: None,
    ) -> None:
        self.service = state or service.new(addresses, now)
        self._control, self._answered = control, answered
        self._server: _Server | None = None
        self.port = port

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def mailbox(self) -> Mailbox:
        return next(iter(self.service.mailboxes.values()))

    @property
    def book(self) -> Book:
        """The calendars of the first address."""
        return next(iter(self.service.books.values()))

    @property
    def log(self) -> list[Asked]:
        return self.service.log

    @property
    def violations(self) -> list[str]:
        return self.service.violations

    def asked(self, command: str) -> list[Asked]:
        return [asked for asked in self.log if asked.command == command]

    def fault(self, command: str, **fault: Any) -> Fault:
        """Arm what ``faults`` tells of, for commands of the pattern (``gmail.*``, ``oauth.token``, ``batch``)."""
        armed = Fault(command, **fault)
        with self.service.lock:
            self.service.faults.append(armed)
        return armed

    def allow(self, *scopes: str, user: str | None = None) -> dict[str, Any]:
        """A sign-in that took place: what ``Credentials`` takes.

        (``Credentials.from_authorized_user_info`` would turn to the real token endpoint.)
        """
        with self.service.lock:
            return {
                **self.service.sign_in.allow(user or self.mailbox.address, list(scopes)),
                "token_uri": f"{self.url}{service.TOKEN}",
            }

    def client_config(self) -> dict[str, Any]:
        """What ``InstalledAppFlow.from_client_config`` takes, in place of the file that one downloads."""
        places = {"auth_uri": f"{self.url}{service.AUTHORIZE}", "token_uri": f"{self.url}{service.TOKEN}"}
        return {"installed": {**CLIENT, **places, "redirect_uris": ["http://localhost"]}}

    def start(self) -> Google:
        self.service.ending.clear()
        self._server = _Server(self.port, self._answer)
        self.port = int(self._server.server_address[1])
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def stop(self) -> None:
        if self._server is not None:
            self.service.ending.set()
            self._server.shutdown()
            self._server.server_close()
            self._server.hang_up()
            self._server = None

    def __enter__(self) -> Google:
        return self.start()

    def __exit__(self, kind: object, *_: object) -> None:
        self.stop()
        if kind is None:
            assert not self.violations, json.dumps(self.violations, indent=1)

    def _answer(self, request: Request) -> Answer:
        if request.path == CONTROL and self._control is not None:
            return Answer(200, self._control(request.content))
        try:
            return self.service.answer(request)
        finally:
            self._answered()


def reach(google: Google, order: bytes) -> bytes:
    """Do what a pickled order says: a dotted path from ``google`` on, and the arguments if it is to be called."""
    path, arguments, named = pickle.loads(order)
    found: Any = google
    for name in path.split("."):
        found = getattr(found, name)
    return pickle.dumps(found(*arguments, **named) if callable(found) else found)
