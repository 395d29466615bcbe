"""A home of an earlier version, whose stored events know neither links nor alarms, nor any to-do."""

from __future__ import annotations

from pathlib import Path

from pepper_tui.clock import ManualClock
from pepper_tui.model import ContextFilter
from pepper_tui.store import ContextStore
from tests.domains.calendar.followed import ME, Followed, calendar, component
from tests.domains.calendar.one_file import at

NEW = ("link", "alarms")
TODO = component("VTODO", "UID:t", "SUMMARY:Tax", "DUE;VALUE=DATE:20270110")


def event(answer: str) -> str:
    return component(
        "VEVENT", "UID:a", "SUMMARY:Call", "DTSTART:20270118T090000Z", "LOCATION:https://zoom.us/j/1",
        "ORGANIZER:mailto:ben@example.com", f"ATTENDEE;PARTSTAT={answer}:mailto:{ME}",
        component("VALARM", "ACTION:DISPLAY", "TRIGGER:-PT15M"),
    )  # fmt: skip


async def test_an_upgrade_announces_nothing(store: ContextStore, clock: ManualClock, tmp_path: Path) -> None:
    path = tmp_path / "c.ics"
    path.write_text(calendar(event("TENTATIVE")), newline="")
    async with Followed(store, clock, path) as desk:
        await desk.looked()
    wanted = ContextFilter(namespaces=["raw.calendar"], types=["event"])
    [one] = [each for each in await store.query(wanted) if each.data["uid"] == "a"]
    old = {name: value for name, value in one.data.items() if name not in NEW}
    await store.store(old, namespace="raw.calendar", context_id=one.context_id, type="event", tags=one.tags)
    async with Followed(store, clock, path) as desk:
        desk.write(event("TENTATIVE"), TODO)
        await desk.looked()
        now = await store.get(one.context_id, namespace="raw.calendar")
        assert now is not None
        assert now.version == one.version + 1, "no other than that of the test"
        assert await desk.told("soon", "due") == []
        desk.write(event("ACCEPTED"), TODO)
        await desk.looked()
        own = (await desk.told("changed"))[-1]
        assert (own["priority"], own["reason"]) == ("log", "only your own answer has changed")
        await desk.pass_to(at(18, 9, 46))
        assert await desk.words("soon") == ["Starts 10:00: Call — Mon 18 Jan, join at zoom.us"]
