"""The user's days: what is on them, and what is ordered there."""

from __future__ import annotations

import pytest

from pepper_tui.engine.protocol import EngineError
from pepper_tui.model import Namespace, Reminder, Written
from tests.conformance.engine.stages import Stage
from tests.ui.fake_engine import T0


async def test_reminders_are_on_their_days(stage: Stage) -> None:
    due = (T0 + 3600, T0 + 86_400 + 3600)
    await stage.put(Namespace.REMINDER, *(Reminder(f"r{n}", f"call {n}", at, "UTC", T0) for n, at in enumerate(due)))

    async def there() -> bool:
        return len((await stage.engine.days("today", 2)).entries) == 2

    await stage.until(there)
    page = await stage.engine.days("today", 1)
    [entry] = page.entries
    assert (page.first, page.days) == (entry.day, 1)
    assert (entry.kind, entry.ref, entry.title, entry.start, entry.notes) == (
        "reminder", "r0", "call 0", due[0], ["reminder"],
    )  # fmt: skip
    after = await stage.engine.days(page.first, 2)
    assert [each.ref for each in after.entries] == ["r0", "r1"]


async def test_what_is_not_known_is_refused(stage: Stage) -> None:
    with pytest.raises(EngineError, match="names no day that I know"):
        await stage.engine.days("whenever you like", 1)
    with pytest.raises(EngineError, match="nothing that can be done with an event"):
        await stage.engine.order_event("explode", "uid", "2027-01-15", Written(""))
    assert await stage.engine.order_event("cancel", "uid", "2027-01-15", Written(""))
