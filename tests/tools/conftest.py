from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from pepper_tui.clock import ManualClock
from pepper_tui.tools import Services
from tests.tools.bench import Bench, FakeMailbox, World, bench_config, outbox
from tests.tools.sink import Sink


@pytest.fixture
async def sink() -> AsyncIterator[Sink]:
    async with Sink() as opened:
        yield opened


@pytest.fixture
async def bench(tmp_path: Path, sink: Sink) -> AsyncIterator[Bench]:
    services = Services(mailbox=FakeMailbox(), outbox=outbox(sink.port))
    opened = Bench(tmp_path / "pepper.db", ManualClock(), bench_config(), services, World(), [])
    await opened.open()
    try:
        yield opened
    finally:
        await opened.close()
