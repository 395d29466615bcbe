"""Fixtures of the store's own tests."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest


@pytest.fixture
def quick() -> Iterator[Path]:
    """A folder where a sync costs nothing, if this machine has one: what is recovered does not depend on it."""
    memory = Path("/dev/shm")
    with tempfile.TemporaryDirectory(prefix="pepper-cut-", dir=memory if memory.is_dir() else None) as name:
        yield Path(name)
