"""What all tests of the calendar need."""

from __future__ import annotations

import pytest

from pepper_tui.domains.calendar import agenda


@pytest.fixture(autouse=True)
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a look take as long as this machine needs: on a busy one the rest would be left for the next look."""
    monkeypatch.setattr(agenda, "DEADLINE", 600.0)
