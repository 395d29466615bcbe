"""Fixtures of the store's own tests."""

from __future__ import annotations

import os
import subprocess
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


@pytest.fixture
def small_disk() -> Iterator[Path]:
    """A disk of two megabytes, where one can be mounted."""
    folder = Path(tempfile.mkdtemp(prefix="pepper-disk-"))
    mounted = (
        os.geteuid() == 0
        and not subprocess.run(
            ["mount", "-t", "tmpfs", "-o", "size=2m", "none", str(folder)], check=False, capture_output=True
        ).returncode
    )
    if not mounted:
        folder.rmdir()
        pytest.skip("no disk can be mounted here")
    try:
        yield folder
    finally:
        subprocess.run(["umount", str(folder)], check=True)
        folder.rmdir()
