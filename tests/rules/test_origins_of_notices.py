"""Who is behind a notice is kept with it, whatever act of a rule tells it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from pepper_tui.model import Namespace, Notification, Priority, Signal
from pepper_tui.rules.acting.origin import origin_of
from pepper_tui.ui.shared.matters import MORE, NOTICES_SHOWN, inbox_items
from tests.rules.house import House


@pytest.mark.parametrize(
    ("source", "facts", "origin"),
    [
        ("mail", {"sender": "Eve@y.org"}, "sender:eve@y.org"),
        ("mail", {}, "sender:"),
        ("calendar", {"calendar": "shared"}, "calendar:shared"),
        ("tickets", {"sender": "eve@y.org"}, "feed:tickets"),
        ("clock", {}, ""),
        ("follow_up", {"sender": "eve@y.org"}, ""),
        ("follow", {}, ""),
    ],
)
def test_the_origin_of_a_signal(source: str, facts: dict[str, Any], origin: str) -> None:
    assert origin_of(Signal("s", "c", 0.0, Priority.NORMAL, source, "r", "m", facts)) == origin


async def test_a_flood_of_one_sender_leaves_the_inbox_to_others(tmp_path: Path) -> None:
    async with House(tmp_path, '[[rule]]\nname = "offers"\nwords = ["offer"]\nnotify = true\n') as house:
        for number in range(12):
            house.mail(sender="Eve <eve@y.org>", subject=f"Offer {number}", text="An offer.")
        house.mail(sender="Bob <bob@x.org>", subject="My offer", text="The offer.")
        await house.calm()
        notices = [Notification.of(each) for each in await house.facts(Namespace.NOTIFICATION)]
        found = inbox_items({}, notices, {}, [], [], [], house.clock.now())
        assert len([item for item in found if item.kind != MORE]) == NOTICES_SHOWN + 1
        [more] = [item for item in found if item.kind == MORE]
        assert {notice.sender for notice in more.notices} == {"eve@y.org"}
        assert len(more.notices) == 12 - NOTICES_SHOWN
