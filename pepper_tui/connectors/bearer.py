"""Signing in by an access token (OAuth 2.0), which a program of the user's prints: XOAUTH2 and OAUTHBEARER (RFC 7628).

Pepper asks nobody for tokens itself, and keeps none but in memory: the program signs in, refreshes, and keeps what it
needs for that. It runs without a shell, with little of the environment, and is bounded in time and output.
"""

from __future__ import annotations

import base64
import contextlib
import json
import os
import re
import selectors
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from pepper_tui.config import ConfigError
from pepper_tui.text import one_line

LONGEST: Final = 30.0
"""Seconds for the program."""
LARGEST: Final = 20_000
"""Bytes of a token."""
_GLANCE: Final = 0.2
HELD: Final = 300.0
"""Seconds for which a token is taken to be good without asking the program again."""
_PASSED: Final = frozenset(
    {"PATH", "HOME", "USER", "LOGNAME", "SHELL", "LANG", "LANGUAGE", "TZ", "TMPDIR", "XDG_CONFIG_HOME", "XDG_DATA_HOME",
     "XDG_CACHE_HOME", "XDG_STATE_HOME", "XDG_RUNTIME_DIR", "DBUS_SESSION_BUS_ADDRESS", "DISPLAY", "WAYLAND_DISPLAY",
     "GNUPGHOME", "PASSWORD_STORE_DIR"}
)  # fmt: skip
"""Variables that the program gets: a keyring, ``pass`` and a graphical question for a passphrase need these."""
_TOKEN: Final = re.compile(r"[\x21-\x7e]+")
_LIKE_A_TOKEN: Final = re.compile(r"[A-Za-z0-9._~+/=-]{24,}")
_STATUS: Final = re.compile(r"[A-Za-z0-9_]{1,40}")
_SCOPE: Final = re.compile(r"[\x21\x23-\x5b\x5d-\x7e ]{1,200}")


class TokenError(ConfigError):
    """The program gave no token."""


@dataclass(frozen=True, slots=True)
class Bearer:
    """A token. ``renew`` returns the next one, once the server has refused this; it blocks. Raises ``TokenError``."""

    token: str = field(repr=False)
    renew: Callable[[], str] = field(repr=False, compare=False)

    def another(self) -> Bearer | None:
        """Return what to try in its place; ``None`` if the program has nothing newer. Blocking."""
        token = self.renew()
        return None if token == self.token else Bearer(token, self.renew)


Credential = str | Bearer
"""A password, or a token."""


class TokenCommand:
    """The user's program. Calling it returns a token, at most ``HELD`` old. Blocking. Raises ``TokenError``."""

    def __init__(self, command: Sequence[str], key: str, folder: Path, longest: float = LONGEST) -> None:
        """``key`` is where the config names the program; it runs in ``folder``."""
        self._command, self._key, self._folder, self._longest = list(command), key, folder, longest
        self._lock = threading.Lock()
        self._token, self._since = "", 0.0

    def __call__(self) -> Bearer:
        with self._lock:
            if not self._token or time.monotonic() - self._since > HELD:
                self._ask()
            token = self._token
        return Bearer(token, lambda: self._after(token))

    def _after(self, refused: str) -> str:
        with self._lock:
            if self._token == refused:  # nobody else has renewed it meanwhile
                self._ask()
            return self._token

    def _ask(self) -> None:
        self._token = ""
        self._token, self._since = self._printed(), time.monotonic()

    def _printed(self) -> str:
        program = Path(self._command[0]).expanduser()
        environment = {name: value for name, value in os.environ.items() if name in _PASSED or name.startswith("LC_")}
        try:
            process = subprocess.Popen(
                [str(program), *self._command[1:]],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                cwd=self._folder,
                env=environment,
                start_new_session=True,
            )
        except (OSError, ValueError) as error:
            raise self._error(f"can't be started: {getattr(error, 'strerror', None) or error}") from None
        with process:
            try:
                said, complaint = self._read(process)
            finally:
                _end(process)
        if process.returncode:
            last = _LIKE_A_TOKEN.sub("…", complaint.decode("utf-8", "replace").strip().rpartition("\n")[2])
            raise self._error(f"ended with {process.returncode}" + (f": {one_line(last, 200)}" if last else ""))
        token = said.decode("ascii", "replace").strip().partition("\n")[0].strip()
        if not _TOKEN.fullmatch(token):
            raise self._error("printed no access token: its first line has to be one")
        return token

    def _read(self, process: subprocess.Popen[bytes]) -> tuple[bytes, bytes]:
        """Return what the program prints, and the end of what it complains of."""
        assert process.stdout is not None
        assert process.stderr is not None
        said, until = {process.stdout: b"", process.stderr: b""}, time.monotonic() + self._longest
        with selectors.DefaultSelector() as waiting:
            for stream in said:
                waiting.register(stream, selectors.EVENT_READ)
            while waiting.get_map():
                left = until - time.monotonic()
                if left <= 0:
                    raise self._error(f"did not end within {self._longest:g} s")
                ready = waiting.select(min(left, _GLANCE))
                if not ready and process.poll() is not None:
                    break  # what it has started may hold its pipes for long
                for key, _ in ready:
                    stream = process.stdout if key.fileobj is process.stdout else process.stderr
                    piece = os.read(key.fd, 65536)
                    if not piece:
                        waiting.unregister(stream)
                    said[stream] = (said[stream] + piece)[-LARGEST - 1 :]
                    if stream is process.stdout and len(said[stream]) > LARGEST:
                        raise self._error(f"printed more than {LARGEST:,} bytes")
        try:
            process.wait(max(0.1, until - time.monotonic()))
        except subprocess.TimeoutExpired:
            raise self._error(f"did not end within {self._longest:g} s") from None
        return said[process.stdout], said[process.stderr]

    def _error(self, words: str) -> TokenError:
        return TokenError([f"{self._key}: {one_line(self._command[0], 80)} {words}"])


def _end(process: subprocess.Popen[bytes]) -> None:
    """End the program and whatever it has started, unless it has ended."""
    if process.poll() is None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)


def first_words(way: str, user: str, token: str) -> str:
    """Return what is said to the server first. ``way``: ``XOAUTH2`` or ``OAUTHBEARER``."""
    if way == "OAUTHBEARER":
        named = user.replace("=", "=3D").replace(",", "=2C")
        return f"n,a={named},\1auth=Bearer {token}\1\1"
    return f"user={user}\1auth=Bearer {token}\1\1"


def why_refused(challenge: bytes) -> str:
    """Return in words what a server says of a token that it refuses: JSON, in base64 if it is still so."""
    said: object = None
    for each in (challenge, _decoded(challenge)) if len(challenge) <= LARGEST else ():
        try:
            said = json.loads(each)
            break
        except (ValueError, RecursionError):
            continue
    if not isinstance(said, dict):
        return ""
    status, scope = str(said.get("status", "")), said.get("scope", "")
    words = []
    if _STATUS.fullmatch(status):
        known = {"400": "it is not valid any more, or was never", "401": "it is not valid any more, or was never"}
        words.append(known.get(status, status.lower()))
    if isinstance(scope, str) and _SCOPE.fullmatch(scope):
        words.append(f"its scope has to be {one_line(scope, 200)}")
    return "; ".join(words)


def _decoded(challenge: bytes) -> bytes:
    try:
        return base64.b64decode(challenge, validate=True)
    except ValueError:
        return b""
