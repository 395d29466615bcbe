"""Which fields of the mail form were typed: what is pasted, in whatever way, has no authority."""

from __future__ import annotations

import pytest
from textual import events
from textual.pilot import Pilot

from pepper_tui.ui.screen.app import PepperApp
from pepper_tui.ui.screen.chat.clean_fields import CleanArea, CleanInput
from pepper_tui.ui.screen.inbox.form import Form
from tests.ui.seat import press, seat, until
from tests.ui.test_origins import by_hand, keys

EVE = "eve@evil.example"


async def filled(app: PepperApp, pilot: Pilot[str], how: str, field: CleanInput | CleanArea, text: str) -> None:
    match how:
        case "typed":
            await by_hand(app, pilot, text)
        case "as keys":
            await keys(app, pilot, text, 0.001)
        case "pasted":
            field.post_message(events.Paste(text))
        case "then typed":
            field.post_message(events.Paste(text[:-1]))
            await pilot.pause(0.05)
            await by_hand(app, pilot, text[-1])
        case "by key":
            app.copy_to_clipboard(text)
            field.action_paste()
    await until(lambda: text in (field.value if isinstance(field, CleanInput) else field.text), pilot)


@pytest.mark.parametrize("how", ["typed", "as keys", "pasted", "then typed", "by key"])
async def test_a_field_is_the_users_only_if_all_of_it_was_typed(how: str) -> None:
    async with seat() as (app, pilot, engine, _):
        await press(pilot, "f11", "n")
        await until(lambda: bool(app.query(Form)) and bool(app.query(CleanArea)), pilot)
        inputs, area = [*app.query_one(Form).query(CleanInput)], app.query_one(CleanArea)
        await filled(app, pilot, how, inputs[0], EVE)
        await press(pilot, "tab", "tab", "tab")
        await until(lambda: area.has_focus, pilot)
        await filled(app, pilot, how, area, "Look there.")
        await press(pilot, "ctrl+s")
        await until(lambda: bool(engine.mail.written), pilot)
        assert engine.mail.written == [("new", "", {"to": EVE, "body": "Look there."})]
        assert engine.mail.typed == ([EVE, "Look there."] if how == "typed" else [])
