"""What lies in a folder that the config allows: by its real path, so that no link and no ``..`` leads out."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
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
