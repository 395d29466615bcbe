"""The folders of a Maildir: the root itself and what lies below it, at any depth, as ``.Name`` or plain. It blocks.

A link to a folder of mail counts as that folder, unless it is in the tree anyway; what lies below it is not looked at,
so that no link leads out of the tree or round in it.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Final

MOST_FOLDERS: Final = 20_000
"""With more, the root is hardly a Maildir; a look at each of them would take seconds."""
PARTS: Final = ("new", "cur")
_PARTS: Final = frozenset((*PARTS, "tmp"))


def mail_folders(root: Path) -> Iterator[Path]:
    """Yield the folders that have a ``cur`` or a ``new``. Raises ``OSError``, also for more than ``MOST_FOLDERS``."""
    stack, links, seen = [root], list[Path](), set[tuple[int, int]]()
    count = 0
    while stack:
        folder = stack.pop()
        if (count := count + 1) > MOST_FOLDERS:
            raise OSError(errno.EFBIG, f"more than {MOST_FOLDERS:,} folders below it; is this a Maildir?", str(root))
        parts: set[str] = set()
        try:
            with os.scandir(folder) as entries:
                for entry in entries:
                    if entry.name in _PARTS:
                        parts.add(entry.name)
                    elif entry.is_dir(follow_symlinks=False):
                        stack.append(Path(entry.path))
                    elif entry.is_symlink():
                        links.append(Path(entry.path))
        except FileNotFoundError:
            if folder == root:
                raise
            continue  # removed meanwhile
        if parts.intersection(PARTS):
            seen.add(_identity(folder))
            yield folder
    for link in sorted(links):
        if any((link / part).is_dir() for part in PARTS) and (who := _identity(link)) not in seen:
            seen.add(who)
            yield link


def _identity(folder: Path) -> tuple[int, int]:
    status = folder.stat()
    return status.st_dev, status.st_ino
