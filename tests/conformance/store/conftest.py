"""``store`` is each store that there is, in turn."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from pepper_tui.clock import ManualClock
from tests.conformance.store.opening import KINDS, OpenStore, open_store


@pytest.fixture(params=KINDS)
async def store(request: pytest.FixtureRequest, tmp_path: Path, clock: ManualClock) -> AsyncIterator[OpenStore]:
    opened = await open_store(request.param, tmp_path, clock)
    try:
        yield opened
    finally:
        await opened.close()
