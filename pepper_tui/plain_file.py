"""Reading a file of the home: only a plain one. A pipe in its place would hold up the start for good."""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path


def plain_bytes(path: Path) -> bytes:
    """What the plain file ``path`` holds; a link to one will do. Blocking. Raises ``OSError``."""
    with os.fdopen(os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC), "rb") as file:
        must_be_plain(file.fileno(), path)
        return file.read()


def plain_text(path: Path) -> str:
    """``plain_bytes`` as UTF-8, each line ending in ``\\n``. Raises ``UnicodeDecodeError``, too."""
    return plain_bytes(path).decode("utf-8").replace("\r\n", "\n").replace("\r", "\n")


def must_be_plain(descriptor: int, path: Path) -> None:
    """Raise ``OSError`` unless what is open is a plain file."""
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        raise OSError(errno.EINVAL, "it is no plain file", str(path))
