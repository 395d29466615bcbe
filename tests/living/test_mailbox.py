"""A Maildir of some hundred varied messages and a calendar: taken in without a word to the model, then lived with."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

from pepper_tui.model import Json
from tests.domains.mail.mails import deliver, varied
from tests.living.world import WAIT, Terminal, World, last_entry, newest_mail, unanswered
from tests.llm.server import Reply

OLD = 400
CALENDAR = """BEGIN:VCALENDAR
VERSION:2.0
PRODID:-//test//EN
BEGIN:VEVENT
UID:standup
DTSTAMP:20200101T000000Z
DTSTART;TZID=Europe/Berlin:20200106T093000
DTEND;TZID=Europe/Berlin:20200106T100000
RRULE:FREQ=WEEKLY;BYDAY={day}
SUMMARY:Standup
END:VEVENT
BEGIN:VEVENT
UID:party
DTSTAMP:20200101T000000Z
DTSTART;VALUE=DATE:20200501
SUMMARY:Party long over
END:VEVENT
END:VCALENDAR
"""


def attentive(log: str) -> Reply:
    """Answers the user; of a mail that asks for it, tells the user and drafts an answer; all else is silence."""
    said = unanswered(log)
    if said:
        return {"text": f"pong {said}"}
    kind, text = last_entry(log)
    if kind == "signal" and "Please answer" in text:
        notice = {"title": "Lunch wants an answer", "body": "By Friday.", "reason": "asked", "source": "signals.mail"}
        reply = {"message_id": newest_mail(log), "body": "Gladly, on Friday.", "reason": "it asks for an answer"}
        return {"calls": [{"name": "notify", "arguments": notice}, {"name": "draft_reply", "arguments": reply}]}
    return WAIT


def test_old_mail_is_quiet_and_new_mail_is_worked_on_once(tmp_path: Path) -> None:
    calendar = tmp_path / "own.ics"
    far = f"{datetime.now(UTC) + timedelta(days=3):%a}"[:2].upper()  # no standup starts while this runs
    calendar.write_text(CALENDAR.format(day=far).replace("\n", "\r\n"))
    with World(tmp_path, attentive, f'[calendar]\npaths = ["{calendar}"]') as world:
        for number in range(OLD):
            deliver(world.maildir, varied(number), f"{number}.old.test")
        with world.screen() as screen:
            screen.wait_for(world.watching, 30)
            assert len(world.facts("raw.mail")) == OLD
            screen.wait_for(lambda: len(world.facts("signals.mail")) == OLD)
            assert {signal["priority"] for signal in world.facts("signals.mail")} == {"log"}
            assert world.mind.requests == []
            screen.type("are you there?\r")
            screen.wait_for("pong are you there?")
            assert len(world.mind.requests) == 1
            world.deliver(subject="Lunch?")
            screen.wait_for("Gladly, on Friday.")
            screen.wait_for("inbox 1")  # one card: the draft, and what it was told
            [card] = world.facts("approval")
            assert card["state"] == "pending"
            assert world.smtp.taken == []
            screen.wait_for(lambda: world.approve(screen))
            screen.wait_for(lambda: len(world.smtp.taken) == 1)
            screen.wait_for(lambda: "succeeded" in [call["state"] for call in world.facts("tool.call")[-1:]])
            screen.wait_for(lambda: [n["state"] for n in _notices(world)] == ["done"])  # the mail is answered
            settled = _settled(screen, world)
            screen.press("ctrl+q")
            assert screen.wait_dead() == 0
        with world.screen() as screen:
            screen.wait_for("pong are you there?")
            screen.wait_for(world.watching)
            screen.pump(2.0)
            assert len(world.mind.requests) == settled
            assert len(world.facts("raw.mail")) == OLD + 1
            assert len(_notices(world)) == 1
            assert len(world.facts("approval")) == 1
            screen.type("once more\r")
            screen.wait_for("pong once more")
            assert len(world.mind.requests) == settled + 1
            screen.press("ctrl+q")
            assert screen.wait_dead() == 0
        assert len(world.smtp.taken) == 1
        assert b"Gladly, on Friday." in world.smtp.taken[0]


def _notices(world: World) -> list[Json]:
    return [each for each in world.facts("notification") if each["kind"] == "notice"]


def _settled(screen: Terminal, world: World) -> int:
    """The number of model calls once a second has brought no other."""
    count = -1
    while count != len(world.mind.requests):
        count = len(world.mind.requests)
        screen.pump(1.0)
    return count
