"""The page on this machine to which the browser comes back, with the answer that only our own request can have.

It is on a free port of the loopback device, and takes any number of requests: what another program asks there, or a
browser for an icon, ends nothing.
"""

from __future__ import annotations

import asyncio
import hmac
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Final
from urllib.parse import parse_qs, urlsplit

from pepper_tui.text.errors import Foreseen, PepperError

DONE: Final = "Pepper has what it needs. You can close this window."
_MOST: Final = 4_000
"""Characters of an address that are read."""


class WrongAddressError(PepperError, Foreseen):
    """An address that does not hold the answer to this sign-in."""


def code_in(address: str, state: str) -> str:
    """Return the code in the address to which the browser came back. Raises ``PepperError``."""
    if len(address) > _MOST:
        raise WrongAddressError("that is no address of a sign-in")
    try:
        said = {name: values[-1] for name, values in parse_qs(urlsplit(address.strip()).query).items()}
    except ValueError:
        said = {}
    if not hmac.compare_digest(said.get("state", "").encode(), state.encode()):
        raise WrongAddressError("that is not the address of this sign-in; copy the whole address of the last page")
    if "error" in said or not said.get("code"):
        raise PepperError("Google was not allowed to give access", "sign in again, and allow what is asked for")
    return said["code"]


class Landing:
    """``answer`` is done once the browser has come back: with the code, or with what went wrong."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self.answer: asyncio.Future[str] = self._loop.create_future()
        self._state = ""
        landing = self

        class Handler(BaseHTTPRequestHandler):
            timeout = 10  # a connection that says nothing

            def do_GET(self) -> None:
                status, words = landing._came(self.path)
                body = f"<!doctype html><meta charset=utf-8><title>Pepper</title><p>{words}".encode()
                self.send_response(status)
                self.send_header("Content-Type", "text/html; charset=utf-8")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
                """Write nothing: the address holds the code."""

        class Server(ThreadingHTTPServer):
            daemon_threads = True

            def handle_error(self, request: Any, client_address: Any) -> None:
                """Say nothing of a browser that went away."""

        self._server = Server(("127.0.0.1", 0), Handler)

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}/"

    def expect(self, state: str) -> None:
        """Serve from now on, for the answer with this ``state``."""
        self._state = state
        threading.Thread(target=self._server.serve_forever, args=(0.1,), name="sign-in", daemon=True).start()

    def close(self) -> None:
        """Blocking, for a moment."""
        if self._state:
            self._server.shutdown()
        self._server.server_close()

    def _came(self, path: str) -> tuple[int, str]:
        try:
            code = code_in(path, self._state)
        except WrongAddressError:
            return 404, "Nothing is here."
        except PepperError as error:
            self._tell(error)
            return 200, "Nothing was allowed. You can close this window."
        self._tell(code)
        return 200, DONE

    def _tell(self, said: str | PepperError) -> None:
        def tell() -> None:
            if self.answer.done():
                return
            if isinstance(said, str):
                self.answer.set_result(said)
            else:
                self.answer.set_exception(said)

        self._loop.call_soon_threadsafe(tell)
