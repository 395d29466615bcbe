"""Access to files in folders that the config allows.

A path is resolved first, so that no link and no ``..`` leads out. Each part is then opened from that folder without
following links: the file that was checked is the file that is read or written.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path


def inside(given: Path, folders: Iterable[Path]) -> Iterator[tuple[Path, Path]]:
    """Yield, for each folder that holds ``given``, the real paths of that folder and of ``given``.

    A relative path is taken from the folder.
    """
    for folder in folders:
        base = folder.resolve()
        try:
            real = (base / given).resolve(strict=True)
        except (OSError, RuntimeError):
            continue
        if real.is_relative_to(base):
            yield base, real


@contextlib.contextmanager
def opened(
    base: Path, parts: Sequence[str], kind: int = 0, check: Callable[[int], object] = lambda _: None
) -> Iterator[int]:
    """Open the file at ``parts`` below ``base`` without following any link, and yield its descriptor.

    ``kind`` adds flags for the last part. ``check`` receives each descriptor on the way and may raise to refuse it.
    Raises ``OSError``.
    """
    flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
    here = -1
    try:
        here = os.open(base, flags | os.O_DIRECTORY)
        for number, part in enumerate(parts):
            last = number == len(parts) - 1
            deeper = os.open(part, flags | (kind if last else os.O_DIRECTORY), dir_fd=here)
            os.close(here)
            here = deeper
            check(here)
        yield here
    finally:
        if here >= 0:
            os.close(here)
