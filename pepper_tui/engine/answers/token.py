"""The token of a running engine: who may act through its socket.

The socket's mode lets in every process of the user's. What only looks needs no more; what decides sends what stands in
this file, which an engine makes anew at its start and removes at its end.
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
    """Write a new one into ``home``, whose lock the caller holds; what a crash has left there goes. Blocking.

    No log shows it. Raises ``OSError``.
    """
    path = home / TOKEN_FILE
    path.unlink(missing_ok=True)
    token = secrets.token_urlsafe(_BYTES)  # never by the injected chance, which a seed foretells
    Secrets.given.add(token)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    with os.fdopen(descriptor, "w", encoding="ascii") as file:
        file.write(token)
    return token


def read_token(home: Path) -> str:
    """The token of the engine that runs in ``home``. Blocking.

    Raises ``OSError``, also where the file is a link, another's, or open to others.
    """
    with open_plain(home / TOKEN_FILE, flags=os.O_NOFOLLOW) as file:
        found = os.fstat(file.fileno())
        if found.st_uid != os.getuid() or stat.S_IMODE(found.st_mode) & 0o077:
            raise PermissionError(None, "others can read or write it", str(home / TOKEN_FILE))
        token = file.read(1000).decode("ascii", "replace")
    Secrets.given.add(token)
    return token


def drop_token(home: Path) -> None:
    """Blocking."""
    (home / TOKEN_FILE).unlink(missing_ok=True)
