"""The keys that file the mail of a card: in the inbox, from the palette, and the folder that is asked for."""

from __future__ import annotations

import pytest

from pepper_tui.model import Namespace, Notification
from pepper_tui.ui.screen.inbox.card_view import CardView
from pepper_tui.ui.screen.inbox.form import Prompt
from pepper_tui.ui.screen.status import StatusLine
from pepper_tui.ui.shared.keys import KEYS as KEY_TABLE
from tests.ui.fake_engine import FakeEngine, note
from tests.ui.seat import acts, press, seat, until

KEYS = {"a": "archive", "E": "archive", "number_sign": "trash", "delete": "trash", "exclamation_mark": "junk",
        "J": "junk", "s": "flag", "i": "read"}  # fmt: skip


def mail(engine: FakeEngine) -> None:
    engine.put(Namespace.NOTIFICATION, of_mail("n1"))


def of_mail(ident: str, source: str = "signals.mail:s1") -> Notification:
    return note(ident, "Ann: Lunch", source=source)


@pytest.mark.parametrize("key", KEYS)
async def test_a_key_files_the_mail_of_the_card(key: str) -> None:
    async with seat(mail) as (app, pilot, engine, clock):
        await press(pilot, "ctrl+t")
        assert "archive" in str(app.query_one(CardView).border_title)
        await clock.advance(1)
        await press(pilot, key)
        await until(lambda: acts(engine, "file") == [("file", ("notification:n1",), KEYS[key], "")], pilot)


async def test_the_folder_is_asked_for_with_those_that_there_are() -> None:
    async with seat(mail) as (app, pilot, engine, clock):
        await press(pilot, "ctrl+t")
        await clock.advance(1)
        await press(pilot, "v")
        await until(lambda: any(prompt.field.has_focus for prompt in app.query(Prompt)), pilot)
        await press(pilot, "2", "0", "2", "6")
        await press(pilot, "enter")
        await until(lambda: ("file", ("notification:n1",), "move", "Work/2026") in acts(engine, "file"), pilot)


async def test_a_card_without_mail_says_so() -> None:
    def other(engine: FakeEngine) -> None:
        engine.put(Namespace.NOTIFICATION, of_mail("n1", "reminder:r1"))

    async with seat(other) as (app, pilot, _, clock):
        await press(pilot, "ctrl+t")
        assert "archive" not in str(app.query_one(CardView).border_title)
        await clock.advance(1)
        await press(pilot, "a")
        await until(lambda: "no mail" in app.query_one(StatusLine).facts.words, pilot)


async def test_a_key_drafts_a_reminder_where_no_answer_came() -> None:
    def unanswered(engine: FakeEngine) -> None:
        engine.put(Namespace.NOTIFICATION, of_mail("n1", "signals.follow_up:signal_f1"))

    async with seat(unanswered) as (app, pilot, engine, clock):
        await press(pilot, "ctrl+t")
        assert "remind them" in str(app.query_one(CardView).border_title)
        await clock.advance(1)
        await press(pilot, "r")
        await until(lambda: acts(engine, "write_mail") == [("write_mail", "nudge", "notification:n1", {})], pilot)
    async with seat(mail) as (app, pilot, engine, clock):
        await press(pilot, "ctrl+t")
        await clock.advance(1)
        await press(pilot, "r")
        await until(lambda: "does not fit" in app.query_one(StatusLine).facts.words, pilot)
        assert not acts(engine, "write_mail")


async def test_the_palette_files_too() -> None:
    async with seat(mail) as (app, pilot, engine, clock):
        await clock.advance(1)
        await app.run_action(next(key for key in KEY_TABLE if key.id == "inbox.archive").action_anywhere)
        await until(lambda: acts(engine, "file") == [("file", ("notification:n1",), "archive", "")], pilot)
