"""Invitations by mail: taken into the agenda, told, answered once, changed and cancelled by their organizer alone."""

from __future__ import annotations

from datetime import UTC
from email import message_from_bytes, policy
from pathlib import Path

import pytest

from pepper_tui.clock import ManualClock
from pepper_tui.domains.calendar.agenda import Agenda
from pepper_tui.domains.calendar.objects import ObjectReader
from pepper_tui.domains.invitations.outdated_cards import OutdatedCards
from pepper_tui.domains.mail.content.mime import parse_mail
from pepper_tui.model import EngineError, Priority
from tests.domains.invitations.invited import BEN, CONFIG, HOUR, SAM, Invited, event, invitation
from tests.domains.mail.mails import deliver
from tests.engine.desk import calls
from tests.tools.sink import Sink, Taken

SERIES = ("RRULE:FREQ=DAILY;COUNT=3",)


def replied(taken: Taken) -> tuple[str, list[str]]:
    """The method, and the lines of the calendar part of a mail that went out."""
    mail = message_from_bytes(taken.message, policy=policy.default)
    [part] = [each for each in mail.walk() if each.get_content_type() == "text/calendar"]
    return str(part["Content-Type"].params["method"]), str(part.get_content()).replace("\r\n ", "").splitlines()


async def in_agenda(desk: Invited, start: float, days: int = 5) -> list[tuple[float, str, bool]]:
    """Start (in hours from ``start``), answer and busyness of what the agenda shows."""
    store = desk.engine.store
    agenda = Agenda([], UTC, [SAM], desk.clock, objects=ObjectReader(store))
    found = await agenda.between(start - HOUR, start + days * 24 * HOUR)
    return [((each.start - start) / HOUR, each.answer, each.busy) for each in found]


@pytest.mark.parametrize(
    ("key", "subject", "partstat", "busy"),
    [(1, "Accepted", "ACCEPTED", True), (2, "Tentative", "TENTATIVE", True), (3, "Declined", "DECLINED", False)],
)
async def test_one_is_answered_by_key_and_its_organizer_gets_one_reply(
    tmp_path: Path, clock: ManualClock, key: int, subject: str, partstat: str, busy: bool
) -> None:
    start = clock.now() + 30 * HOUR
    async with Sink() as smtp, Invited(tmp_path, clock, smtp.port) as desk:
        await desk.come(invitation("REQUEST", event(start)))
        card = await desk.invitation()
        assert card.title == "Invitation: Quarterly numbers — Sat 16 Jan 14:00, Room 4"
        assert "When: Sat 16 Jan 14:00–15:00\nFrom: Ben Ort (ben@example.org)\nYou are free then" in card.body
        assert [row["priority"] for row in await desk.rows("signals.mail")] == [Priority.LOG]  # told once
        assert await in_agenda(desk, start) == [(0.0, "needs-action", False)]

        await desk.engine.choose(f"notification:{card.id}", key)
        approval = await desk.card()
        assert smtp.taken == []
        await desk.engine.approve(approval.id)

        async def shown() -> bool:
            return await in_agenda(desk, start) == [(0.0, partstat.lower(), busy)]

        await desk.until(shown)
        [sent] = smtp.taken
        assert (sent.sender, sent.recipients) == (SAM, [BEN])
        assert f"Subject: {subject}: Quarterly numbers".encode() in sent.message
        method, lines = replied(sent)
        assert method == "REPLY"
        wanted = {"METHOD:REPLY", "UID:numbers-1", "SEQUENCE:0", f"ATTENDEE;CN=Sam;PARTSTAT={partstat}:mailto:{SAM}"}
        assert wanted <= {*lines}
        assert len(await desk.told()) == 1, "one's own answer is no news"
        assert await desk.questions() == []


async def test_another_time_is_proposed_in_ones_own_words(tmp_path: Path, clock: ManualClock) -> None:
    start = clock.now() + 30 * HOUR
    async with Sink() as smtp, Invited(tmp_path, clock, smtp.port) as desk:
        await desk.come(invitation("REQUEST", event(start)))
        await desk.engine.answer(f"notification:{(await desk.invitation()).id}", "2027-01-17 10:00")
        approval = await desk.card()
        lines = {line.label: line.value for line in approval.resolved.lines}
        assert (lines["Answer"], lines["Proposed"]) == ("another time", "Sun 17 Jan 2027, 10:00–11:00 (UTC)")
        await desk.engine.edit(approval.id, {"body": "Sunday is better."})
        await desk.engine.approve((await desk.card()).id)
        await desk.until(lambda: bool(smtp.taken))
        method, text = replied(smtp.taken[0])
        assert method == "COUNTER"
        assert {"DTSTART:20270117T100000Z", "DTEND:20270117T110000Z"} <= {*text}
        assert b"Sunday is better." in smtp.taken[0].message


async def test_it_is_moved_and_cancelled_by_its_organizer_alone(tmp_path: Path, clock: ManualClock) -> None:
    start = clock.now() + 30 * HOUR
    async with Invited(tmp_path, clock) as desk:
        await desk.come(invitation("REQUEST", event(start, sequence=1)))
        first = await desk.invitation()
        for number, (method, sender, moved) in enumerate(
            [
                ("REQUEST", "Eve <eve@evil.example>", event(start + HOUR, sequence=2)),
                ("REQUEST", "Eve <eve@evil.example>", event(start + HOUR, sequence=2, organizer="eve@evil.example")),
                ("CANCEL", "Eve <eve@evil.example>", event(start, sequence=2)),
                ("REQUEST", f"Ben <{BEN}>", event(start, sequence=1)),  # the same once more
                ("REQUEST", f"Ben <{BEN}>", event(start + HOUR, sequence=0)),  # an older one that comes late
            ],
            start=2,
        ):
            await desk.come(invitation(method, moved, sender=sender, number=number))
        await desk.until(desk.settled)
        assert await in_agenda(desk, start) == [(0.0, "needs-action", False)]
        doubted = [line for line in await desk.told() if "not its organizer" in line]
        assert len(doubted) == 3

        await desk.come(invitation("REQUEST", event(start + 2 * HOUR, sequence=2), number=8))
        await desk.until_told("Moved: Quarterly numbers — Sat 16 Jan 16:00, Room 4 (was 14:00)")
        assert await in_agenda(desk, start) == [(2.0, "needs-action", False)]

        await desk.come(invitation("CANCEL", event(start + 2 * HOUR, sequence=3), number=9))
        await desk.until_told("Cancelled: Quarterly numbers — Sat 16 Jan 16:00, Room 4")
        assert await in_agenda(desk, start) == []

        async def ended() -> bool:
            return first.id not in {card.id for card in await desk.questions()}

        await desk.until(ended)  # nothing is left to answer


@pytest.mark.parametrize("late", [False, True])
async def test_an_answer_to_what_has_changed_meanwhile_is_not_sent_and_it_asks_again(
    tmp_path: Path, clock: ManualClock, monkeypatch: pytest.MonkeyPatch, *, late: bool
) -> None:
    if late:  # the yes comes before the card is withdrawn
        monkeypatch.setattr(OutdatedCards, "listen", lambda *_: None)
    start = clock.now() + 30 * HOUR
    async with Sink() as smtp, Invited(tmp_path, clock, smtp.port) as desk:
        await desk.come(invitation("REQUEST", event(start)))
        await desk.engine.choose(f"notification:{(await desk.invitation()).id}", 1)
        approval = await desk.card()
        await desk.come(invitation("REQUEST", event(start + HOUR, sequence=1), number=2))
        asks = await desk.invitation()
        assert asks.title.startswith("Moved: Quarterly numbers — Sat 16 Jan 15:00")
        assert len(asks.choices) == 3
        if late:
            await desk.engine.approve(approval.id)
            assert "was changed meanwhile" in (await desk.failed()).error
        else:
            withdrawn = await desk.until(desk.withdrawn)
            assert withdrawn == [(approval.id, "“Quarterly numbers” was changed meanwhile")]
        assert smtp.taken == []
        await desk.engine.choose(f"notification:{asks.id}", 1)

        async def sent() -> bool:
            for card in [row for row in await desk.rows("approval") if row["state"] == "pending"]:
                await desk.engine.approve(card["id"])
            return bool(smtp.taken)

        await desk.until(sent)
        assert "SEQUENCE:1" in replied(smtp.taken[0])[1]

        async def shown() -> bool:
            return await in_agenda(desk, start) == [(1.0, "accepted", True)]

        await desk.until(shown)


async def test_the_calendar_it_goes_into_and_which_of_several_are_chosen(tmp_path: Path, clock: ManualClock) -> None:
    start = clock.now() + 30 * HOUR
    config = CONFIG + '[calendar]\npaths = ["work.ics", "family.ics"]\n'
    async with Sink() as smtp, Invited(tmp_path, clock, smtp.port, config) as desk:
        await desk.come(invitation("REQUEST", event(start)))
        await desk.come(invitation("REQUEST", event(start + 2 * HOUR, "dinner", "Team dinner"), number=2))
        await desk.until(desk.two_were_thought_of, 0.5)
        await desk.says("accept it", calls(("answer_invitation", {"invitation": "", "answer": "accept"})))
        which = await desk.until(desk.which)
        assert [one["words"].partition("”")[0] for one in which.choices] == ["“Quarterly numbers", "“Team dinner"]
        await desk.engine.choose(f"notification:{which.id}", 2)
        card = await desk.card()
        [into] = [line for line in card.resolved.lines if line.label == "Goes into"]
        assert (into.value, into.editable) == ("work.ics", True)
        with pytest.raises(EngineError, match="there are: family, work"):
            await desk.engine.edit(card.id, {"goes into": "garden"})
        await desk.engine.edit(card.id, {"goes into": "family"})
        await desk.engine.approve((await desk.card()).id)
        await desk.until(lambda: bool(smtp.taken))
        assert "Team dinner" in (tmp_path / "family.ics").read_text()
        assert not (tmp_path / "work.ics").exists()


async def test_what_was_asked_and_called_off_while_pepper_was_closed_asks_nothing(
    tmp_path: Path, clock: ManualClock
) -> None:
    start = clock.now() + 30 * HOUR
    async with Invited(tmp_path, clock) as desk:
        await desk.engine.close()
        for number, (method, hours) in enumerate((("REQUEST", 0), ("REQUEST", 1), ("CANCEL", 1))):
            raw = invitation(method, event(start + hours * HOUR, sequence=number), number=number)
            deliver(desk.root, raw, f"{number}.host")
        await desk.open()
        await desk.until_told("Cancelled: Quarterly numbers")
        for _ in range(40):
            await desk.clock.advance(0.5)
        await desk.until(desk.settled)
        await desk.until(desk.asks_nothing)


async def test_what_is_over_asks_no_more(tmp_path: Path, clock: ManualClock) -> None:
    start = clock.now() + HOUR
    async with Invited(tmp_path, clock) as desk:
        await desk.come(invitation("REQUEST", event(start)))
        await desk.invitation()
        await desk.clock.advance(2 * HOUR - 60)
        assert len(await desk.questions()) == 1

        async def nothing_asked() -> bool:
            return not await desk.questions()

        await desk.until(nothing_asked, 10.0)


async def test_single_times_of_a_series_are_moved_and_cancelled(tmp_path: Path, clock: ManualClock) -> None:
    start = clock.now() + 30 * HOUR
    async with Invited(tmp_path, clock) as desk:
        await desk.come(invitation("REQUEST", event(start, more=SERIES)))
        await desk.invitation()
        assert [hours for hours, _, _ in await in_agenda(desk, start)] == [0.0, 24.0, 48.0]
        second, third = (f"RECURRENCE-ID:{each}" for each in ("20270117T140000Z", "20270118T140000Z"))
        await desk.come(invitation("REQUEST", event(start + 26 * HOUR, sequence=1, more=(second,)), number=2))
        await desk.come(invitation("CANCEL", event(start + 48 * HOUR, sequence=2, more=(third,)), number=3))

        async def changed() -> bool:
            return [hours for hours, _, _ in await in_agenda(desk, start)] == [0.0, 26.0]

        await desk.until(changed)


async def test_mails_in_any_order_ask_nothing_that_was_called_off(tmp_path: Path, clock: ManualClock) -> None:
    start = clock.now() + 30 * HOUR
    async with Invited(tmp_path, clock) as desk:
        await desk.come(invitation("CANCEL", event(start, sequence=2), number=3))
        await desk.until_told("Cancelled: Quarterly numbers")
        for number in (1, 0):
            await desk.come(invitation("REQUEST", event(start, sequence=number), number=number))
        await desk.until(desk.settled)
        assert await in_agenda(desk, start) == []
        assert await desk.questions() == []
        await desk.come(invitation("REQUEST", event(start, sequence=3), number=4))  # it takes place after all
        assert (await desk.invitation()).title.startswith("Invitation: Quarterly numbers")


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 1, 0), (1, 2, 0)])
async def test_mails_that_come_at_once_are_taken_one_after_the_other(
    tmp_path: Path, clock: ManualClock, order: tuple[int, ...]
) -> None:
    start = clock.now() + 30 * HOUR
    mails = [invitation("CANCEL" if n == 2 else "REQUEST", event(start, sequence=n), number=n) for n in range(3)]
    async with Invited(tmp_path, clock) as desk:
        await desk.engine.close()
        for place, number in enumerate(order):
            deliver(desk.root, mails[number], f"{place}.host")
        await desk.restart()

        async def all_taken() -> bool:
            return len(await desk.rows("raw.mail")) == 3 and await desk.settled()

        await desk.until(all_taken, 0.5)
        [known] = await desk.rows("calendar.invitation")
        assert (known["sequence"], known["cancelled"]) == (2, True)
        assert await in_agenda(desk, start) == []
        await desk.until_told("Cancelled: Quarterly numbers")

        async def nothing_asked() -> bool:
            return not await desk.questions()

        await desk.until(nothing_asked, 0.5)


@pytest.mark.parametrize(
    ("method", "partstat", "line", "priority"),
    [
        ("REPLY", "ACCEPTED", "Ann accepts: Planning — Sat 16 Jan 14:00", "log"),
        ("REPLY", "TENTATIVE", "Ann may come to: Planning — Sat 16 Jan 14:00", "low"),
        ("REPLY", "DECLINED", "Ann declines: Planning — Sat 16 Jan 14:00 “ill”", "normal"),
        ("COUNTER", "TENTATIVE", "Ann proposes another time: Planning — Sat 16 Jan 14:00", "normal"),
    ],
)
async def test_what_others_answer_is_told(
    tmp_path: Path, clock: ManualClock, method: str, partstat: str, line: str, priority: str
) -> None:
    start = clock.now() + 30 * HOUR
    ann = f"ATTENDEE;PARTSTAT={partstat}:mailto:ann@x.example"
    comment = ("COMMENT:ill",) if partstat == "DECLINED" else ()
    answer = event(start, "own-1", "Planning", attendee=ann, organizer=SAM, more=comment)
    calendar = tmp_path / "own.ics"
    calendar.write_text(
        f"BEGIN:VCALENDAR\r\nVERSION:2.0\r\n{event(start, 'own-1', organizer=SAM)}\r\nEND:VCALENDAR\r\n"
    )

    config = CONFIG + f'[calendar]\npaths = ["{calendar}"]\n'
    async with Invited(tmp_path, clock, config=config) as desk:
        await desk.until(desk.calendar_read)
        await desk.come(invitation(method, answer, sender="Ann <ann@x.example>"))
        await desk.until_told(line)
        row = next(row for row in await desk.rows("signals.calendar") if row["content"] == line)
        assert row["priority"] == priority
        await desk.come(invitation(method, answer, sender="Eve <eve@evil.example>", number=2))
        told = await desk.until_told("Eve ")
        assert "Eve says that ann@x.example" in told or method == "COUNTER"
        strange = event(start, "other-1", "Planning", attendee=ann)
        await desk.come(invitation(method, strange, sender="Ann <ann@x.example>", number=3))
        await desk.until_told("Ann answers about an event that is in none of your calendars: Planning")


async def test_an_answer_by_another_program_ends_the_card(tmp_path: Path, clock: ManualClock) -> None:
    start = clock.now() + 30 * HOUR
    async with Invited(tmp_path, clock) as desk:
        await desk.come(invitation("REQUEST", event(start)))
        await desk.invitation()
        mine = event(start, attendee=f"ATTENDEE;PARTSTAT=ACCEPTED:mailto:{SAM}")
        await desk.come(invitation("REPLY", mine, sender=f"Sam <{SAM}>", number=2))

        async def answered() -> bool:
            return await in_agenda(desk, start) == [(0.0, "accepted", True)] and not await desk.questions()

        await desk.until(answered)


@pytest.mark.parametrize(
    "source",
    [
        "not a calendar",
        event(0.0).replace("DTSTART:", "DTSTART:x"),
        event(0.0).replace("UID:numbers-1", "X:1"),
        "BEGIN:VEVENT\r\nUID:a\r\nDTSTART:20270116T100000Z\r\nRRULE:FREQ=SECONDLY\r\nEND:VEVENT",
    ],
    ids=["no event", "no time", "no UID", "each second"],
)
async def test_one_that_can_not_be_read_is_told_as_such(tmp_path: Path, clock: ManualClock, source: str) -> None:
    async with Invited(tmp_path, clock) as desk:
        await desk.come(invitation("REQUEST", source))
        await desk.until_told("An invitation that can't be read (")


async def test_a_model_answers_only_after_a_yes_and_what_is_over_not_at_all(tmp_path: Path, clock: ManualClock) -> None:
    start = clock.now() + 30 * HOUR
    async with Sink() as smtp, Invited(tmp_path, clock, smtp.port) as desk:
        await desk.come(invitation("REQUEST", event(start)))
        await desk.invitation()
        accept = ("answer_invitation", {"invitation": "ben", "answer": "accept"})
        await desk.says("take it", calls(accept))
        assert (await desk.card()).resolved.payload["told"]["uid"] == "numbers-1"
        assert smtp.taken == []
        await desk.come(invitation("REQUEST", event(start, "other", "Other numbers"), number=2))
        await desk.until_told("Invitation: Other numbers")
        await desk.says("take both", calls(("answer_invitation", {"invitation": "numbers", "answer": "accept"})))
        assert "several invitations wait" in (await desk.failed()).error
        await clock.advance(32 * HOUR)
        await desk.says("late", calls(("answer_invitation", {"invitation": "other", "answer": "accept"})))
        await desk.until(desk.two_failed)


@pytest.mark.parametrize("kind", ["", "file"])
def test_the_calendar_part_is_found(kind: str) -> None:
    mail = parse_mail(invitation("REQUEST", event(0.0), kind=kind))
    assert mail.invitation.startswith("BEGIN:VCALENDAR")
    assert parse_mail(invitation("PUBLISH", event(0.0), kind=kind)).invitation == ""
    long = parse_mail(invitation("REQUEST", event(0.0, more=["X-A:" + "y" * 70] * 3000), kind=kind))
    assert long.invitation == ""
    assert any("invitation is longer" in each for each in long.defects)


async def test_an_alarm_that_comes_with_an_invitation_goes_nowhere(tmp_path: Path, clock: ManualClock) -> None:
    """When the user hears of an event is not for its sender to say, in no calendar of theirs."""
    start = clock.now() + 30 * HOUR
    alarm = ("BEGIN:VALARM", "ACTION:DISPLAY", "TRIGGER:-PT29H", "END:VALARM")
    file = tmp_path / "own.ics"
    config = CONFIG + f'[calendar]\npaths = ["{file}"]\nstarts_soon = 0\n'
    async with Sink() as smtp, Invited(tmp_path, clock, smtp.port, config) as desk:
        await desk.come(invitation("REQUEST", event(start, more=alarm)))
        card = await desk.invitation()
        await desk.engine.choose(f"notification:{card.id}", 1)
        approval = await desk.card()
        await desk.engine.approve(approval.id)
        await desk.until(lambda: file.exists() and len(smtp.taken) == 1)
        assert "VALARM" not in file.read_text()
        assert all("VALARM" not in row["text"] for row in await desk.rows("calendar.object"))
