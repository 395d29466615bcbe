"""Invitations, and calendars at Google: answered there by the user's own entry alone, and by a mail, each once."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from pepper_tui.clock import ManualClock
from pepper_tui.model import Approval, CallState
from tests.connectors.caldav.test_account import CalendarDesk
from tests.connectors.google_calendar.account import ALEX, allow, config_of, settings_of
from tests.domains.invitations.invited import BEN, HOUR, event, invitation
from tests.domains.invitations.test_invitations import replied
from tests.domains.mail.mails import deliver, make_maildir
from tests.engine.desk import calls
from tests.google import Google
from tests.google.sign_in import CLIENT
from tests.tools.sink import Sink

MAIL = """
[[account]]
id = "mail"
kind = "maildir"
paths = "mail"
address = "alex@example.com"
smtp = {{ host = "127.0.0.1", port = {port}, security = "none" }}
"""
PATCH = "calendar.events.patch"
ANN = {"email": "ann@example.com", "responseStatus": "declined", "comment": "on leave", "additionalGuests": 2}
MINE = {"email": ALEX, "self": True, "responseStatus": "needsAction"}
MORE: dict[str, Any] = {
    "organizer": {"email": BEN, "displayName": "Ben Ort"},
    "attendees": [{"email": BEN, "organizer": True, "responseStatus": "accepted"}, MINE, ANN],
    "conferenceData": {"conferenceId": "abc", "entryPoints": [{"entryPointType": "video", "uri": "https://meet.x/a"}]},
    "reminders": {"useDefault": False, "overrides": [{"method": "popup", "minutes": 3}]},
}


class Invited(CalendarDesk):
    """An engine with an account at Google and one of mail, at whose calendar Ben's events lie."""

    def __init__(self, home: Path, clock: ManualClock, google: Google, smtp: Sink) -> None:
        allow(google, settings_of(google), home)
        self.root, self.smtp = make_maildir(home / "mail"), smtp
        secret = f"client = '{CLIENT['client_secret']}'"
        super().__init__(home, clock, config_of(google) + MAIL.format(port=smtp.port), secret)

    async def accepts(self, what: str) -> Approval:
        await self.says("accept it", calls(("answer_invitation", {"invitation": what, "answer": "accept"})))
        card: Approval = await self.card()
        return card

    async def ended(self) -> CallState:
        async def over() -> CallState | None:
            call = (await self.calls("answer_invitation"))[-1]
            return call.state if call.state in (CallState.SUCCEEDED, CallState.FAILED, CallState.UNKNOWN) else None

        found: CallState = await self.until(over, step=1.0)
        return found

    async def sent(self) -> bool:
        return len(self.smtp.taken) == 1


@pytest.fixture
async def desk(tmp_path: Path, clock: ManualClock, google: Google) -> AsyncIterator[Invited]:
    own, team = google.book.calendar("primary"), google.book.add("team@example.com", "Team", "writer")
    own.put("Quarterly numbers", "2027-01-05T13:00:00", "2027-01-05T14:00:00", "numbers0", **MORE)
    own.put("Weekly", "2027-01-12T09:00:00", "2027-01-12T10:00:00", "series0", recurrence=["RRULE:FREQ=WEEKLY"], **MORE)
    own.change("series0_20270119T080000Z", summary="Weekly, longer")
    guests = [{"email": "team@example.com", "self": True, "responseStatus": "needsAction"}, {"email": ALEX}]
    team.put("Roundtable", "2027-01-07T13:00:00", "2027-01-07T14:00:00", "round0", **{**MORE, "attendees": guests})
    async with Sink() as smtp, Invited(tmp_path, clock, google, smtp) as one:

        async def looked() -> bool:
            found = [await one.health(f"feed.{part}") for part in ("me", "mail")]
            read = {row["summary"] for row in await one.rows("raw.calendar")}
            return (
                all(each.startswith("ok") for each in found) and {"Quarterly numbers", "Weekly", "Roundtable"} <= read
            )

        await one.until(looked, 2.0)
        yield one


def answers(google: Google, ident: str) -> dict[str, str]:
    found = google.book.calendar("primary").event(ident)
    return {each["email"]: each["responseStatus"] for each in found["attendees"]}


@pytest.mark.parametrize("lost", [False, True])
async def test_the_users_own_entry_is_changed_alone_and_a_mail_tells_the_organizer(
    desk: Invited, google: Google, lost: bool
) -> None:
    card = await desk.accepts("numbers")
    assert {line.label: line.value for line in card.resolved.lines}["Calendar"] == "me/alex-example-com"
    own = google.book.calendar("primary")
    if lost:
        google.fault(PATCH, drop=True, when="after")
    await desk.engine.approve(card.id)
    if lost:
        await desk.clock.advance(30)
        again: Approval = await desk.card()
        assert "once more does no harm" in again.problem
        assert desk.smtp.taken == []
        await desk.engine.approve(again.id)
    await desk.until(desk.sent, 1.0)
    assert desk.smtp.taken[0].recipients == [BEN]
    [asked] = google.asked(PATCH)
    assert set(asked.body) == {"attendees"}
    assert asked.query["sendUpdates"] == ["none"]
    now = own.event("numbers0")
    others = [each for each in MORE["attendees"] if each is not MINE]
    assert now["attendees"] == [others[0], {**MINE, "responseStatus": "accepted"}, others[1]]
    assert {name: now[name] for name in MORE if name != "attendees"} == {
        name: MORE[name] for name in MORE if name != "attendees"
    }
    assert own.invitations == []


async def test_what_others_answered_since_the_copy_is_kept(desk: Invited, google: Google) -> None:
    own = google.book.calendar("primary")
    card = await desk.accepts("numbers")
    own.change("numbers0", attendees=[MINE, {**ANN, "responseStatus": "accepted"}])
    await desk.engine.approve(card.id)
    assert await desk.ended() is CallState.FAILED
    assert answers(google, "numbers0") == {ALEX: "needsAction", "ann@example.com": "accepted"}
    assert desk.smtp.taken == []


async def test_a_series_is_answered_with_its_changed_times(desk: Invited, google: Google) -> None:
    card = await desk.accepts("weekly")
    google.fault(PATCH, drop=True, when="after", skip=1)
    await desk.engine.approve(card.id)
    await desk.clock.advance(30)
    again: Approval = await desk.card()
    assert "once more does no harm" in again.problem
    await desk.engine.approve(again.id)
    await desk.until(desk.sent, 1.0)
    assert {answers(google, each)[ALEX] for each in ("series0", "series0_20270119T080000Z")} == {"accepted"}
    assert len(google.asked(PATCH)) == 2


async def test_one_time_of_a_series_is_declined_alone(desk: Invited, google: Google) -> None:
    await desk.says(
        "decline weekly on the 26th",
        calls(("answer_invitation", {"invitation": "weekly", "answer": "decline", "day": "2027-01-26"})),
    )
    card: Approval = await desk.card()
    assert "Tue 26 Jan 2027, 08:00–09:00" in {line.label: line.value for line in card.resolved.lines}["Event"]
    await desk.engine.approve(card.id)
    await desk.until(desk.sent, 1.0)
    assert "RECURRENCE-ID:20270126T080000Z" in replied(desk.smtp.taken[0])[1]
    [asked] = google.asked(PATCH)
    assert (asked.path.rpartition("/")[2], set(asked.body)) == ("series0_20270126T080000Z", {"attendees"})
    told = {each: answers(google, each)[ALEX] for each in ("series0", "series0_20270126T080000Z")}
    assert told == {"series0": "needsAction", "series0_20270126T080000Z": "declined"}


async def test_whom_google_does_not_hold_as_invited_is_not_made_so(desk: Invited, google: Google) -> None:
    card = await desk.accepts("roundtable")
    await desk.engine.approve(card.id)
    await desk.clock.advance(30)
    again: Approval = await desk.card()
    assert "answer it at Google" in again.problem
    assert google.asked(PATCH) == []
    assert desk.smtp.taken == []


async def test_guests_that_google_does_not_tell_stay_invited(desk: Invited, google: Google) -> None:
    google.book.calendar("primary").most_guests = 2
    card = await desk.accepts("numbers")
    await desk.engine.approve(card.id)
    await desk.until(desk.sent, 1.0)
    assert answers(google, "numbers0") == {BEN: "accepted", ALEX: "accepted", "ann@example.com": "declined"}


async def test_what_came_by_mail_alone_is_never_made_an_event_of_the_users(desk: Invited, google: Google) -> None:
    asked = event(1_799_000_000.0 + 30 * HOUR, "by-mail", "Budget", attendee=f"ATTENDEE;RSVP=TRUE:mailto:{ALEX}")
    deliver(desk.root, invitation("REQUEST", asked), "1.host")

    async def told() -> bool:
        return any("Invitation: Budget" in each for each in await desk.signals())

    await desk.until(told, 0.5)
    card = await desk.accepts("budget")
    assert "Calendar" not in {line.label for line in card.resolved.lines}
    await desk.engine.approve(card.id)
    await desk.until(desk.sent, 1.0)
    assert [each.method for each in google.service.log if "/events" in each.path and each.method != "GET"] == []
