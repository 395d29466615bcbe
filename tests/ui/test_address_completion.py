"""Addresses completed while they are typed: from the people that the user has written to, and nobody else."""

from __future__ import annotations

import pytest

from pepper_tui.model import Context, Namespace
from pepper_tui.ui.screen.chat.clean_fields import CleanInput
from pepper_tui.ui.screen.inbox.form import Form
from pepper_tui.ui.screen.mail.address_completion import completed
from pepper_tui.ui.screen.mail.mail_list import MailList
from tests.ui.fake_engine import T0, FakeEngine
from tests.ui.mail_box import full_box
from tests.ui.seat import press, seat, until

PEOPLE = [("marta@example.com", "Marta Ruiz"), ("m.stone@example.org", "Marius Stone"), ("bob@example.org", "")]


@pytest.mark.parametrize(
    ("typed", "whole"),
    [
        ("mart", "marta@example.com"),
        ("MART", "MARTa@example.com"),
        ("mari", "marius Stone <m.stone@example.org>"),
        ("bob@example.org, ma", "bob@example.org, marta@example.com"),
        ("marta@example.com, ma", "marta@example.com, marius Stone <m.stone@example.org>"),
        ("m", None),
        ("bob@example.org", None),
        ("eve", None),
        ("bob,", None),
    ],
)
def test_the_last_recipient_is_completed(typed: str, whole: str | None) -> None:
    assert completed(typed, PEOPLE) == whole


@pytest.mark.parametrize("key", ["n", "f"])
async def test_the_right_arrow_takes_it_in_a_new_mail_and_in_one_that_is_sent_on(key: str) -> None:
    def known(engine: FakeEngine) -> None:
        full_box(engine.mail)
        for seq, (address, name) in enumerate(PEOPLE, 1):
            data = {"id": address, "name": name}
            written = Context(address, Namespace.WRITTEN, data, version=1, seq=seq, created_at=T0, updated_at=T0)
            engine.contexts[Namespace.WRITTEN, address] = written

    async with seat(known) as (app, pilot, _, _):
        await press(pilot, "f11")
        await until(lambda: bool(app.query(MailList)) and bool(app.query_one(MailList).selected), pilot)
        await press(pilot, key)
        await until(lambda: bool(app.query(Form)) and isinstance(app.focused, CleanInput), pilot)
        field = app.query_one(Form).query(CleanInput).first()
        field.focus()
        await press(pilot, *"bob")
        await until(lambda: "bob@example.org" in str(field.render_line(0).text), pilot)
        await press(pilot, "right")
        assert field.value == "bob@example.org"
        await press(pilot, *", alice")  # who wrote, and was never answered
        await pilot.pause()
        assert field.value == "bob@example.org, alice"
        await press(pilot, "right")
        assert field.value == "bob@example.org, alice"
