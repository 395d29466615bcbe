from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from pepper_tui.clock import Looks, ManualClock, SystemClock
from pepper_tui.domains.mail.parts import MailParts
from pepper_tui.domains.mail.writing.accounts import MailAccounts
from pepper_tui.engine.building.builtin_tools import ToolParts
from tests.tools.bench import Bench, FakeMailbox, World, bench_config, outbox
from tests.tools.sink import Sink


@pytest.fixture
async def sink() -> AsyncIterator[Sink]:
    async with Sink() as opened:
        yield opened


@pytest.fixture
async def bench(tmp_path: Path, sink: Sink) -> AsyncIterator[Bench]:
    parts = ToolParts(MailParts(Looks(SystemClock()), FakeMailbox(), MailAccounts.of(outbox(sink.port))))
    opened = Bench(tmp_path / "pepper.db", ManualClock(), bench_config(), parts, World(), [])
    await opened.open()
    try:
        yield opened
    finally:
        await opened.close()
