"""The stages, one after the other."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from pepper_tui.clock import ManualClock
from tests.conformance.engine.stages import STAGES, Stage


@pytest.fixture(params=list(STAGES))
async def stage(request: pytest.FixtureRequest, tmp_path: Path, clock: ManualClock) -> AsyncIterator[Stage]:
    async with STAGES[request.param](tmp_path, clock) as one:
        yield one
