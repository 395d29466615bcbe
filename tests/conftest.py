"""Fixtures that every room's tests share."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from pepper_tui.clock import ManualClock
from pepper_tui.store import ContextStore


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
