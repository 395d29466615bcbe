"""Pictures of the mail: the list, and a thread, where there is room for one or for both."""

from __future__ import annotations

from typing import Any

import pytest
from textual.pilot import Pilot

from pepper_tui.clock import ManualClock
from pepper_tui.ui.screen.app import PepperApp
from pepper_tui.ui.screen.mail.mail_list import MailList
from pepper_tui.ui.screen.mail.mail_reader import MailReader
from tests.ui.fake_engine import T0, FakeEngine
from tests.ui.mail_box import full_box
from tests.ui.seat import until


@pytest.mark.parametrize(
    ("size", "keys", "theme"),
    [
        ((80, 24), (), "pepper"),
        ((80, 24), ("enter",), "pepper"),
        ((120, 40), ("x", "x"), "pepper"),
        ((120, 40), ("j", "enter"), "pepper-ansi"),
        ((200, 60), ("slash", *"is:unread"), "pepper-contrast"),
    ],
    ids=["80-list", "80-read", "120-selected", "120-doubts", "200-filter"],
)
def test_mail(snap_compare: Any, size: tuple[int, int], keys: tuple[str, ...], theme: str) -> None:
    async def factory() -> FakeEngine:
        engine = FakeEngine()
        full_box(engine.mail)
        return engine

    app = PepperApp(factory, clock=ManualClock(T0), theme=theme)

    async def settle(pilot: Pilot[str]) -> None:
        await until(lambda: app.link.engine is not None, pilot)
        await pilot.press("f11")
        await until(lambda: bool(app.query(MailList)) and bool(app.query_one(MailList).selected), pilot)
        for key in keys:
            await pilot.press(key)
            await pilot.pause(0.05)
        both = size[0] >= 104
        await until(lambda: not both or bool(app.query_one(MailReader).mails), pilot)
        await pilot.pause(0.5)

    assert snap_compare(app, terminal_size=size, run_before=settle)
