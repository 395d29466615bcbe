"""A double of Google on a clock that a test moves."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from pepper_tui.clock import ManualClock
from pepper_tui.store import ContextStore
from tests.connectors.google_calendar.account import ALEX, Copy
from tests.domains.calendar.conftest import patient  # noqa: F401
from tests.google import Google


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(1_799_000_000.0)  # 2027-01-03T14:53:20Z


@pytest.fixture
def google(clock: ManualClock) -> Iterator[Google]:
    with Google(ALEX, "alex@work.example", now=clock.now) as running:
        yield running


@pytest.fixture
def copy(google: Google, store: ContextStore, clock: ManualClock, tmp_path: Path) -> Copy:
    return Copy(google, store, clock, tmp_path)
