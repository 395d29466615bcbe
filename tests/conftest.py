"""Fixtures that every room's tests share."""

from __future__ import annotations

import gc
import os
from collections.abc import AsyncIterator
from itertools import groupby
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


SLOW = ("tests/living/", "tests/kill/", "tests/simulation/", "tests/attack/", "tests/install/")
"""Where tests wait more than they work: spread among the first of all others, so that they do not wait alone."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the files of slow tests between the others, where there are many."""
    files = [[*group] for _, group in groupby(items, key=lambda item: item.nodeid.partition("::")[0])]
    slow = [file for file in files if file[0].nodeid.startswith(SLOW)]
    others = [file for file in files if not file[0].nodeid.startswith(SLOW)]
    if not slow or len(others) < 2 * len(slow):
        return
    step, waiting = len(others) // (2 * len(slow)), iter(slow)
    mixed: list[pytest.Item] = []
    for number, file in enumerate(others):
        if number % step == 0:
            mixed += next(waiting, [])
        mixed += file
    items[:] = [*mixed, *(item for file in waiting for item in file)]


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
