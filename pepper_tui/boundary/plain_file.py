"""Opening a file only if it is a plain one. A pipe or a device in its place would hold up its reader for good."""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path
from typing import BinaryIO


class NotPlainError(OSError):
    """What lies at the path is a pipe, a device, a socket or a folder."""


def open_plain(path: Path | str, *, flags: int = 0, folder: int | None = None) -> BinaryIO:
    """Open the plain file ``path`` to read it; a link to one will do, unless ``flags`` (of ``os.open``) say otherwise.

    ``folder`` is the descriptor that a relative path begins at. Blocking. Raises ``OSError``.
    """
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC | flags, dir_fd=folder)
    try:
        must_be_plain(descriptor, path)
        return os.fdopen(descriptor, "rb")
    except BaseException:
        os.close(descriptor)
        raise


def plain_bytes(path: Path) -> bytes:
    """What the plain file ``path`` holds; a link to one will do. Blocking. Raises ``OSError``."""
    with open_plain(path) as file:
        return file.read()


def plain_text(path: Path) -> str:
    """``plain_bytes`` as UTF-8, each line ending in ``\\n``. Raises ``UnicodeDecodeError``, too."""
    return plain_bytes(path).decode("utf-8").replace("\r\n", "\n").replace("\r", "\n")


def must_be_plain(descriptor: int, path: Path | str) -> None:
    """Raise ``NotPlainError`` unless what is open is a plain file."""
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        raise NotPlainError(errno.EINVAL, "it is no plain file", str(path))
