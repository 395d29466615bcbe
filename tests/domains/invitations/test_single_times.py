"""Single times of a series that one is invited to: answered by themselves, all others as they were."""

from __future__ import annotations

import contextlib
from pathlib import Path

from pepper_tui.clock import ManualClock
from pepper_tui.model import EngineError
from tests.domains.invitations.invited import CONFIG, HOUR, Invited, event, invitation
from tests.domains.invitations.test_invitations import SERIES, in_agenda, replied
from tests.engine.desk import calls
from tests.tools.sink import Sink

SECOND, THIRD = "2027-01-17", "2027-01-18"  # the series begins on the 16th, at 14:00


async def answer(desk: Invited, said: str, day: str = "", **more: str) -> None:
    """Have the tool called, and say yes."""
    call = ("answer_invitation", {"invitation": "numbers", "answer": said, "day": day, **more})
    await desk.says(f"{said} {day}", calls(call))
    await desk.engine.approve((await desk.card()).id)


async def test_one_time_is_declined_alone_and_frees_its_own_time(tmp_path: Path, clock: ManualClock) -> None:
    start = clock.now() + 30 * HOUR
    async with Sink() as smtp, Invited(tmp_path, clock, smtp.port) as desk:
        await desk.come(invitation("REQUEST", event(start, more=SERIES)))
        await desk.engine.choose(f"notification:{(await desk.invitation()).id}", 1)
        card = await desk.card()
        assert {line.label: line.value for line in card.resolved.lines}["Which"] == "all its times"
        await desk.engine.approve(card.id)
        await desk.until(lambda: len(smtp.taken) == 1)
        await desk.says("not sunday", calls(("answer_invitation", {
            "invitation": "numbers", "answer": "decline", "day": SECOND, "note": "on leave",
        })))  # fmt: skip
        card = await desk.card()
        shown = {line.label: line.value for line in card.resolved.lines}
        assert (shown["Event"], shown["Which"]) == (
            "Quarterly numbers, Sun 17 Jan 2027, 14:00–15:00 (UTC)", "only this time",
        )  # fmt: skip

        async def edited() -> bool:
            with contextlib.suppress(EngineError):  # the step that proposed it may still be noting that
                return bool(await desk.engine.edit(card.id, {"body": "On leave."}))
            return False

        await desk.until(edited)
        await desk.engine.approve((await desk.card()).id)
        await answer(desk, "tentative", THIRD, propose="2027-01-18 16:00")

        async def answered() -> bool:
            return await in_agenda(desk, start) == [
                (0.0, "accepted", True), (24.0, "declined", False), (48.0, "tentative", True),
            ]  # fmt: skip

        await desk.until(lambda: len(smtp.taken) == 3)
        await desk.until(answered)
        by_method = dict(replied(each) for each in smtp.taken[1:])
        text = by_method["REPLY"]
        single = {"RECURRENCE-ID:20270117T140000Z", "DTSTART:20270117T140000Z", "DTEND:20270117T150000Z"}
        assert single <= {*text}
        assert (text.count("BEGIN:VEVENT"), [line for line in text if line.startswith("RRULE")]) == (1, [])
        other = {"RECURRENCE-ID:20270118T140000Z", "DTSTART:20270118T160000Z", "DTEND:20270118T170000Z"}
        assert other <= {*by_method["COUNTER"]}
        await desk.until(desk.settled)
        loud = [row for row in await desk.rows("signals.calendar") if row["priority"] != "log"]
        assert len(loud) == 1, "one's own answers are no news"

        second = ("RECURRENCE-ID:20270117T140000Z",)
        await desk.come(invitation("REQUEST", event(start + 26 * HOUR, sequence=1, more=second), number=2))

        async def asks() -> str:
            begin = "Moved: Quarterly numbers — Sun 17 Jan 16:00"
            return next((each.id for each in await desk.questions() if each.title.startswith(begin)), "")

        await desk.engine.choose(f"notification:{await desk.until(asks, 0.5)}", 1)
        await desk.engine.approve((await desk.card()).id)

        async def accepted() -> bool:
            return await in_agenda(desk, start) == [
                (0.0, "accepted", True), (26.0, "accepted", True), (48.0, "tentative", True),
            ]  # fmt: skip

        await desk.until(lambda: len(smtp.taken) == 4)
        await desk.until(accepted)
        assert "RECURRENCE-ID:20270117T140000Z" in replied(smtp.taken[3])[1]


async def test_two_times_that_are_answered_at_once_are_both_kept(tmp_path: Path, clock: ManualClock) -> None:
    start = clock.now() + 30 * HOUR
    async with Sink() as smtp, Invited(tmp_path, clock, smtp.port) as desk:
        await desk.come(invitation("REQUEST", event(start, more=SERIES)))
        await desk.invitation()
        both = [{"invitation": "numbers", "answer": "accept", "day": day} for day in (SECOND, THIRD)]
        await desk.says("take two", calls(*(("answer_invitation", one) for one in both)))

        async def cards() -> list[str]:
            found = [row["id"] for row in await desk.rows("approval") if row["state"] == "pending"]
            return found if len(found) == 2 else []

        for card in await desk.until(cards):
            await desk.engine.approve(card)

        async def answered() -> bool:
            return await in_agenda(desk, start) == [
                (0.0, "needs-action", False), (24.0, "accepted", True), (48.0, "accepted", True),
            ]  # fmt: skip

        await desk.until(lambda: len(smtp.taken) == 2)
        await desk.until(answered)
        assert len(await desk.questions()) == 1, "the series still waits for its answer"


async def test_a_file_gets_an_exception_and_days_without_it_are_told(tmp_path: Path, clock: ManualClock) -> None:
    start = clock.now() + 30 * HOUR
    config = CONFIG + '[calendar]\npaths = ["work.ics"]\n'
    async with Sink() as smtp, Invited(tmp_path, clock, smtp.port, config) as desk:
        await desk.come(invitation("REQUEST", event(start, more=SERIES)))
        await desk.invitation()
        await answer(desk, "accept")

        async def there() -> bool:
            return any(row["calendar"] == "work" for row in await desk.rows("raw.calendar"))

        await desk.until(lambda: len(smtp.taken) == 1)
        await desk.until(there, 0.5)
        await answer(desk, "decline", SECOND)

        def written() -> bool:
            return (tmp_path / "work.ics").read_text().count("BEGIN:VEVENT") == 2

        await desk.until(written)
        master, _, one = (tmp_path / "work.ics").read_text().rpartition("BEGIN:VEVENT")
        assert ("PARTSTAT=ACCEPTED" in master, "PARTSTAT=DECLINED" in one) == (True, True)
        assert "RECURRENCE-ID:20270117T140000Z" in one
        await desk.says("not then", calls(("answer_invitation", {
            "invitation": "numbers", "answer": "decline", "day": "2027-01-20",
        })))  # fmt: skip
        assert "“Quarterly numbers” is not on Wed 20 Jan 2027" in (await desk.failed()).error


async def test_a_reply_of_another_program_to_one_time_leaves_the_others(tmp_path: Path, clock: ManualClock) -> None:
    start = clock.now() + 30 * HOUR
    async with Invited(tmp_path, clock) as desk:
        await desk.come(invitation("REQUEST", event(start, more=SERIES)))
        await desk.invitation()
        mine = "ATTENDEE;PARTSTAT=DECLINED:mailto:sam@home.example"
        one = event(start + 24 * HOUR, attendee=mine, more=("RECURRENCE-ID:20270117T140000Z",))
        await desk.come(invitation("REPLY", one, sender="Sam <sam@home.example>", number=2))

        async def answered() -> bool:
            return [each for _, each, _ in await in_agenda(desk, start)] == ["needs-action", "declined", "needs-action"]

        await desk.until(answered)
