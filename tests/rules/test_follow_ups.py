"""A follow-up is a timer and a subscription: hundreds at a time, for weeks, ended by an answer, or told when due."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from pepper_tui.model import Namespace
from tests.rules.house import House
from tests.tools.sink import Sink

FOLLOW = """
[[rule]]
name = "quotes"
words = ["quote"]
follow_up = 48
nudge = "nudge"

[[rule]]
name = "lost customers"
after = "quotes"
remind = "tomorrow 9am"
"""
HOUR = 3600.0


async def waiting(house: House) -> list[str]:
    return [each["state"] for each in await house.facts(Namespace.FOLLOW_UP)]


async def asked(house: House) -> None:
    house.mail(sender="Dana <dana@example.com>", subject="A quote", number=1)
    await house.calm()
    assert await waiting(house) == ["open"]


async def test_it_is_due_after_its_hours_and_not_before(tmp_path: Path) -> None:
    async with House(tmp_path, FOLLOW) as house:
        await asked(house)
        await house.clock.advance(47 * HOUR)
        await house.calm()
        assert await waiting(house) == ["open"]
        await house.clock.advance(HOUR)
        await house.until(lambda: house.facts("signals.follow_up"))
        await house.calm()
        assert await waiting(house) == ["due"]
        [notice] = [each for each in await house.notices() if each["source"].startswith("signals.follow_up")]
        assert notice["title"].startswith("No answer from Dana: A quote")
        assert notice["matter"] == "mail:<m1@example.com>"
        [card] = await house.cards()
        assert card["effect"]["payload"]["fields"]["body"] == "Hi Dana, any news on A quote?\n"
        assert len(await house.facts(Namespace.REMINDER)) == 1  # by the rule for its end


async def test_an_answer_ends_it_and_is_told_once(tmp_path: Path) -> None:
    async with House(tmp_path, FOLLOW) as house:
        await asked(house)
        house.mail(
            sender="Dana <DANA@example.com>", subject="Re: A quote", text="Here it is.", In_Reply_To="<m1@example.com>"
        )
        await house.calm()
        assert "answered" in await waiting(house)
        told = [each for each in await house.notices() if "Re: A quote" in each["title"] and "wrote" in each["title"]]
        assert [each["title"] for each in told] == ["Dana wrote again: Re: A quote"]


def own_mail(house: House, to: str = "dana@example.com") -> None:
    """A mail of the user's own, written now."""
    now = int((house.clock.now() - 1_790_000_000) / 60)  # a number is a date, see ``mails.mail``
    house.mail(sender="Alex <me@example.org>", to=to, subject="Re: A note", In_Reply_To="<m1@example.com>", number=now)


async def test_with_an_answer_of_mine_the_time_begins_anew(tmp_path: Path) -> None:
    async with House(tmp_path, FOLLOW) as house:
        await asked(house)
        await house.clock.advance(47 * HOUR)
        own_mail(house)
        await house.calm()
        await house.restart()
        await house.clock.advance(46 * HOUR)
        await house.calm()
        assert await waiting(house) == ["open"]
        await house.clock.advance(2 * HOUR)
        await house.until(lambda: house.facts("signals.follow_up"))
        assert await waiting(house) == ["due"]


async def test_an_answer_of_mine_while_a_late_one_waits_for_mail(tmp_path: Path) -> None:
    """It is due, and put off because nothing ran when it fell due: what I write then moves it all the same."""
    async with House(tmp_path, FOLLOW) as house:
        await asked(house)
        await house.restart(48 * HOUR + 60)
        own_mail(house)
        await house.calm()
        assert await waiting(house) == ["open"]
        await house.clock.advance(47 * HOUR)
        await house.calm()
        assert await waiting(house) == ["open"]
        await house.clock.advance(2 * HOUR)
        await house.until(lambda: house.facts("signals.follow_up"))


async def test_an_answer_of_mine_before_the_look_back_for_theirs(tmp_path: Path) -> None:
    """What is given late, or again, shows a follow-up as it was when it was made."""
    async with House(tmp_path, FOLLOW) as house:
        store, torn = house.engine.store, {"thread": "<m1@example.com>"}
        await store.store(torn, namespace="raw.mail", context_id="torn", tags={"message:<m1@example.com>"})
        await asked(house)
        await house.until(store.dead, step=30.0)
        await store.delete("torn", namespace="raw.mail")
        await house.clock.advance(10 * HOUR)
        own_mail(house)
        await house.calm()
        assert await store.redrive("rules.look_back") == 1
        house.mail(sender="Carol <carol@example.net>", subject="Another quote", number=2)
        await house.calm()
        await house.clock.advance(39 * HOUR)
        await house.calm()
        assert await waiting(house) == ["open", "open"]
        await house.clock.advance(10 * HOUR)
        await house.until(lambda: house.facts("signals.follow_up"))


async def test_my_mail_to_somebody_else_moves_nothing(tmp_path: Path) -> None:
    async with House(tmp_path, FOLLOW) as house:
        await asked(house)
        [before] = await house.facts(Namespace.FOLLOW_UP)
        await house.clock.advance(HOUR)
        own_mail(house, to="carol@example.net")
        await house.calm()
        assert await house.facts(Namespace.FOLLOW_UP) == [before]


async def test_what_answers_me_begins_no_new_wait(tmp_path: Path) -> None:
    async with House(tmp_path, FOLLOW.replace('words = ["quote"]', 'sender = ["dana@example.com"]')) as house:
        await asked(house)
        await house.clock.advance(HOUR)
        own_mail(house)
        await house.calm()
        house.mail(sender="Dana <dana@example.com>", subject="Re: A note", In_Reply_To="<m1@example.com>", number=2)
        await house.calm()
        assert await waiting(house) == ["answered"]
        assert "Dana answered: Re: A note" in [each["title"] for each in await house.notices()]
        withdrawn = [act["detail"] for act in await house.acts("follow_up") if act["state"] == "withdrawn"]
        assert withdrawn == ["this mail is the answer that was waited for"]


@pytest.mark.parametrize(
    "headers",
    [
        {"sender": "Dana <dana@example.com>", "Auto_Submitted": "auto-replied"},
        {"sender": "Dana <dana@example.com>", "X_Autoreply": "yes"},
        {"sender": "MAILER-DAEMON@example.com"},
        {"sender": "me@example.org"},
        {"sender": "Mallory <mallory@evil.example>"},
    ],
    ids=["out of office", "older out of office", "bounce", "copy of mine", "stranger"],
)
async def test_what_is_no_answer_ends_nothing(tmp_path: Path, headers: dict[str, Any]) -> None:
    async with House(tmp_path, FOLLOW) as house:
        await asked(house)
        house.mail(
            subject="Re: A note", text="x", In_Reply_To="<m1@example.com>", References="<m1@example.com>", **headers
        )
        await house.calm()
        assert await waiting(house) == ["open"]


async def test_it_lives_over_restarts_and_a_long_sleep(tmp_path: Path) -> None:
    async with House(tmp_path, FOLLOW) as house:
        await asked(house)
        await house.restart(20 * HOUR)
        assert await waiting(house) == ["open"]
        await house.restart(40 * HOUR)
        await house.until(lambda: house.facts("signals.follow_up"))
        await house.calm()
        assert await waiting(house) == ["due"]
        assert len(await house.facts("signals.follow_up")) == 1


async def test_the_answer_that_comes_with_the_question(tmp_path: Path) -> None:
    async with House(tmp_path, FOLLOW) as house:
        house.mail(sender="Dana <dana@example.com>", subject="A quote", number=1)
        house.mail(
            sender="Dana <dana@example.com>", subject="Re: Found it", text="Solved.", References="<m1@example.com>"
        )
        await house.calm()
        assert "open" not in await waiting(house)


async def test_an_answer_that_came_while_nothing_ran_is_taken_in_first(tmp_path: Path) -> None:
    async with House(tmp_path, FOLLOW) as house:
        await asked(house)
        await house.engine.close()
        house.mail(sender="Dana <dana@example.com>", subject="Re: A note", In_Reply_To="<m1@example.com>")
        await house.reopen(60 * HOUR)
        await house.calm()
        await house.clock.advance(120)
        await house.calm()
        assert await waiting(house) == ["answered"]
        assert await house.facts("signals.follow_up") == []


async def test_in_a_burst_an_answer_is_known_by_the_mail_that_it_names(tmp_path: Path) -> None:
    """Not only by the root of the thread, which a short answer leaves out; and several at once end it once."""
    async with House(tmp_path, FOLLOW) as house:
        house.mail(sender="Someone <some@example.com>", subject="Hello", number=1)
        house.mail(sender="Dana <dana@example.com>", subject="A quote", References="<m1@example.com>", number=2)
        for _ in range(2):
            house.mail(sender="Dana <dana@example.com>", subject="Re: A note", In_Reply_To="<m2@example.com>")
        await house.calm()
        assert await waiting(house) == ["answered"]
        assert await house.engine.dead_letters() == []


@pytest.mark.parametrize("begun", [True, False])
async def test_in_a_burst_an_absence_is_noted_and_the_answer_after_it_ends_it(tmp_path: Path, begun: bool) -> None:
    async with House(tmp_path, FOLLOW) as house:
        if begun:
            await asked(house)
        else:
            house.mail(sender="Dana <dana@example.com>", subject="A quote", number=1)
        to: dict[str, Any] = {"sender": "Dana <dana@example.com>", "In_Reply_To": "<m1@example.com>"}
        house.mail(subject="Automatic reply: A note", text="I am away.", Auto_Submitted="auto-replied", **to)
        house.mail(subject="Re: A note", **to)
        await house.calm()
        assert await waiting(house) == ["answered"]
        assert await house.engine.dead_letters() == []


async def test_in_a_burst_an_answer_is_known_where_the_question_has_lost_the_root_of_its_thread(tmp_path: Path) -> None:
    async with House(tmp_path, FOLLOW) as house:
        house.mail(sender="Someone <some@example.com>", subject="Hello", number=1)
        house.mail(sender="Someone <some@example.com>", subject="Re: Hello", References="<m1@example.com>", number=2)
        house.mail(sender="Dana <dana@example.com>", subject="A quote", In_Reply_To="<m2@example.com>", number=3)
        whole = "<m1@example.com> <m2@example.com>"
        house.mail(sender="Dana <dana@example.com>", subject="Re: Hello, a note", References=whole, number=4)
        await house.calm()
        assert await waiting(house) == ["answered"]


async def test_it_falls_due_though_nothing_could_be_written_at_its_time(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with House(tmp_path, FOLLOW) as house:
        await asked(house)
        with closing(sqlite3.connect(house.engine.store.path, isolation_level=None)) as beside:
            beside.execute("CREATE TRIGGER full BEFORE INSERT ON updates BEGIN SELECT RAISE(FAIL, 'disk is full'); END")
            await house.clock.advance(48 * HOUR)
            await house.until(lambda: "timer follow-ups failed" in caplog.text)
            beside.execute("DROP TRIGGER full")
        await house.until(lambda: house.facts("signals.follow_up"), step=1.0)
        assert await waiting(house) == ["due"]


async def test_hundreds_cost_no_run_and_no_call(tmp_path: Path) -> None:
    async with House(tmp_path, FOLLOW) as house:
        for number in range(300):
            house.mail(sender=f"D{number} <d{number}@example.com>", subject=f"A quote {number}")
        await house.calm()
        assert (await waiting(house)).count("open") == 300
        assert await house.facts(Namespace.RUN) == []
        assert await house.facts(Namespace.TOOL_CALL) == []
        house.mail(sender="D7 <d7@example.com>", subject="Re: A note 7", In_Reply_To="<m8@example.com>")
        await house.calm()
        assert (await waiting(house)).count("open") == 299


async def due(house: House) -> None:
    """A card says that Dana has not answered, and a rule's draft would remind her."""
    await asked(house)
    await house.clock.advance(48 * HOUR)
    await house.until(lambda: house.facts("signals.follow_up"))
    await house.calm()
    assert await house.until(house.cards)


async def silences(house: House) -> list[str]:
    notices = await house.facts(Namespace.NOTIFICATION)
    return [each["state"] for each in notices if each["source"].startswith("signals.follow_up")]


async def test_a_late_answer_ends_the_card_that_there_was_none_and_its_draft(tmp_path: Path) -> None:
    async with House(tmp_path, FOLLOW) as house:
        await due(house)
        house.mail(sender="Dana <dana@example.com>", subject="Re: A quote", Auto_Submitted="auto-replied",
                   In_Reply_To="<m1@example.com>", References="<m1@example.com>", number=8)  # fmt: skip
        await house.calm()
        assert await silences(house) == ["new"]  # an absence is no answer
        house.mail(sender="Eve <eve@example.net>", subject="Re: A quote", In_Reply_To="<m1@example.com>",
                   References="<m1@example.com>", number=9)  # fmt: skip
        await house.calm()
        assert await silences(house) == ["new"]  # nor is a stranger's mail
        house.mail(sender="Dana <dana@example.com>", subject="Re: A quote", In_Reply_To="<m1@example.com>",
                   References="<m1@example.com>", number=10)  # fmt: skip
        await house.calm()
        assert await silences(house) == ["done"]
        assert await house.cards() == []
        [card] = await house.cards("withdrawn")
        assert card["decision_note"] == "dana@example.com has answered"


async def test_a_reminder_that_is_sent_ends_the_card_that_there_was_no_answer(tmp_path: Path) -> None:
    async with Sink() as sink, House(tmp_path, "", port=sink.port) as house:
        house.mail(sender="me@example.org", to="dana@example.com", subject="The gate", text="Could you paint it?")
        await house.calm()
        assert await waiting(house) == ["open"]
        await house.clock.advance(96 * HOUR)
        [notice] = await house.until(house.notices)
        await house.engine.write_mail("nudge", f"notification:{notice['id']}", {})
        [card] = await house.until(house.cards)
        await house.engine.approve(card["id"])

        async def ended() -> bool:
            return await silences(house) == ["done"]

        await house.until(ended)
        assert len(sink.taken) == 1


async def test_a_card_that_ends_in_two_ways_at_once_ends_once(tmp_path: Path) -> None:
    async with Sink() as sink, House(tmp_path, FOLLOW, port=sink.port) as house:
        await due(house)
        [card] = await house.cards()
        await house.engine.approve(card["id"])  # it goes to the writer of the mail, whose silence the card tells

        async def ended() -> bool:
            return await silences(house) == ["done"]

        await house.until(ended)
        await house.engine.undo()
        assert await silences(house) == ["new"]
