"""What lies in a folder that the config allows: by its real path, so that no link and no ``..`` leads out.

It is opened part by part from that folder, no part of it a link: what is decided on is what is read and written.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path


def inside(given: Path, folders: Iterable[Path]) -> Iterator[tuple[Path, Path]]:
    """The real paths of a folder and of ``given``, for each folder that holds it; a relative one begins there."""
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
    """A descriptor of what lies at ``parts`` below ``base``, reached without following a link. Raises ``OSError``.

    ``kind`` are further flags of the last part. ``check`` is given each descriptor on the way, and may refuse it.
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
