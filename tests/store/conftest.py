"""Fixtures of the store's own tests."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.store.disks import mounted


@pytest.fixture
def quick() -> Iterator[Path]:
    """A folder where a sync costs nothing, if this machine has one: what is recovered does not depend on it."""
    memory = Path("/dev/shm")
    with tempfile.TemporaryDirectory(prefix="pepper-cut-", dir=memory if memory.is_dir() else None) as name:
        yield Path(name)


@pytest.fixture
def small_disk() -> Iterator[Path]:
    """A disk of two megabytes, where one can be mounted."""
    with mounted() as folder:
        yield folder
