"""A double of Google on a clock that time is made to pass on, and accounts there."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from pepper_tui.clock import ManualClock
from pepper_tui.store import ContextStore
from tests.connectors.gmail.account import ALEX, Accounts, allow, said
from tests.google import Google

Make = Callable[..., Accounts]


@pytest.fixture
def google(clock: ManualClock) -> Iterator[Google]:
    with Google(ALEX, "alex@work.example", now=clock.now) as running:
        yield running


@pytest.fixture
async def accounts(store: ContextStore, clock: ManualClock, tmp_path: Path, google: Google) -> AsyncIterator[Make]:
    """Make accounts that are signed in; what was begun is ended after the test."""
    made: list[Accounts] = []

    def make(*others: dict[str, Any], scopes: tuple[str, ...] = (), signed_in: bool = True, **more: Any) -> Accounts:
        each = Accounts(store, clock, tmp_path, said(google.url, **more), *others)
        for settings in each.settings.values() if signed_in else ():
            allow(google, settings, tmp_path, *scopes)
        made.append(each)
        return each

    yield make
    for each in made:
        await each.stop()
