"""Opens a file only if it is a regular one: a pipe or a device in its place would block the reader for good."""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path
from typing import BinaryIO


class NotPlainError(OSError):
    """The path names a pipe, a device, a socket or a folder."""


def open_plain(path: Path | str, *, flags: int = 0, folder: int | None = None) -> BinaryIO:
    """Open the regular file ``path`` for reading, following links unless ``flags`` (of ``os.open``) say otherwise.

    A relative path starts at the descriptor ``folder``. Blocking. Raises ``OSError``.
    """
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC | flags, dir_fd=folder)
    try:
        must_be_plain(descriptor, path)
        return os.fdopen(descriptor, "rb")
    except BaseException:
        os.close(descriptor)
        raise


def plain_bytes(path: Path) -> bytes:
    """Read the regular file ``path``, following links. Blocking. Raises ``OSError``."""
    with open_plain(path) as file:
        return file.read()


def plain_text(path: Path) -> str:
    """Read ``plain_bytes`` as UTF-8, with each line ending as ``\\n``. Also raises ``UnicodeDecodeError``."""
    return plain_bytes(path).decode("utf-8").replace("\r\n", "\n").replace("\r", "\n")


def must_be_plain(descriptor: int, path: Path | str) -> None:
    """Raise ``NotPlainError`` unless the descriptor is a regular file."""
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        raise NotPlainError(errno.EINVAL, "it is not a regular file", str(path))
