"""Reading a file of the home that must be a plain one: who puts a pipe there would be waited for without end."""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path


def plain_text(path: Path) -> str:
    """The text of the plain file at ``path``. Raises ``OSError``, also for what is none, and ``UnicodeDecodeError``."""
    with os.fdopen(os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC), "rb") as file:
        if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
            raise OSError(errno.EINVAL, "it is no plain file", str(path))
        return file.read().decode("utf-8")
