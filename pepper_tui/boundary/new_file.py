"""Writes a new file for the user: whole or not at all, readable by its owner only, never over an existing file.

The text is written under a random name in the same folder, and linked to its own name once it is on disk. A full disk,
a crash or a link in the way leaves nothing behind, and never removes another program's file.
"""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import IO


@contextlib.contextmanager
def new_file(target: Path) -> Iterator[IO[str]]:
    """Open the new file ``target`` for text in UTF-8. Blocking.

    Raises ``FileExistsError`` if anything has that name, even a link. Any other ``OSError`` has ``target`` as its
    ``filename``.
    """
    part = None
    try:
        if os.path.lexists(target):
            raise FileExistsError(None, "already exists", str(target))
        handle, part = tempfile.mkstemp(prefix=".pepper-", suffix=".part", dir=target.parent)  # mode 0600
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        _name(Path(part), target)
    except FileExistsError:
        raise
    except OSError as error:
        raise OSError(error.errno, error.strerror or str(error), str(target)) from error
    finally:
        if part is not None:
            with contextlib.suppress(OSError):
                os.unlink(part)  # noqa: PTH108


def _name(part: Path, target: Path) -> None:
    try:
        os.link(part, target)  # unlike a rename, a link never replaces a file that was created meanwhile
    except FileExistsError:
        raise
    except OSError as error:  # the file system has no hard links
        if os.path.lexists(target):
            raise FileExistsError(None, "already exists", str(target)) from error
        part.rename(target)
    folder = os.open(target.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
