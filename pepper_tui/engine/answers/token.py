"""The token of a running engine: it decides who may act through the socket.

The socket's mode admits every process of the user. Queries need no more; acts must send the content of this file, which
an engine creates when it starts and removes when it stops.
"""

from __future__ import annotations

import os
import secrets
import stat
from pathlib import Path
from typing import Final

from pepper_tui.boundary.plain_file import open_plain
from pepper_tui.config import Secrets

TOKEN_FILE: Final = "front.token"
_BYTES: Final = 32


def make_token(home: Path) -> str:
    """Write a new token into ``home`` and return it; a leftover of a crash is replaced. Blocking.

    The caller holds the home's lock. The token is kept out of all logs. Raises ``OSError``.
    """
    path = home / TOKEN_FILE
    path.unlink(missing_ok=True)
    token = secrets.token_urlsafe(_BYTES)  # never from the injected randomness, which a seed makes predictable
    Secrets.given.add(token)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    with os.fdopen(descriptor, "w", encoding="ascii") as file:
        file.write(token)
    return token


def read_token(home: Path) -> str:
    """Return the token of the engine that runs in ``home``. Blocking.

    Raises ``OSError``, also if the file is a link, another user's, or accessible to others.
    """
    with open_plain(home / TOKEN_FILE, flags=os.O_NOFOLLOW) as file:
        found = os.fstat(file.fileno())
        if found.st_uid != os.getuid() or stat.S_IMODE(found.st_mode) & 0o077:
            raise PermissionError(None, "others can read or write it", str(home / TOKEN_FILE))
        token = file.read(1000).decode("ascii", "replace")
    Secrets.given.add(token)
    return token


def drop_token(home: Path) -> None:
    """Remove the token. Blocking."""
    (home / TOKEN_FILE).unlink(missing_ok=True)
