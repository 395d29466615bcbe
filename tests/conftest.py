"""Fixtures that every room's tests share."""

from __future__ import annotations

import gc
import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from pepper_tui.clock import ManualClock
from pepper_tui.engine.interpreter import COLLECT
from pepper_tui.store import ContextStore

# no test reads or writes the keyring of whoever runs it
os.environ["PYTHON_KEYRING_BACKEND"] = "keyring.backends.null.Keyring"
# how long an example takes says how busy the machine is, and nothing about the code
settings.register_profile("pepper", max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("pepper")
# as in the program (``engine/interpreter.py``): thousands of tests are collected, and each app is large
gc.set_threshold(*COLLECT)


def pytest_collection_finish() -> None:
    """Keep what was collected out of the garbage collector's way: it is there to the end."""
    gc.collect()
    gc.freeze()


@pytest.fixture
def clock() -> ManualClock:
    """A clock that stands still until ``await clock.advance(seconds)``."""
    return ManualClock()


@pytest.fixture
async def store(tmp_path: Path, clock: ManualClock) -> AsyncIterator[ContextStore]:
    """An open, empty store on disk, on the manual clock."""
    opened = await ContextStore.open(tmp_path / "pepper.db", clock)
    try:
        yield opened
    finally:
        await opened.close()
