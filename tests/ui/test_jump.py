"""Jumping: one key shows labels, the next goes there; it is never text and never an act."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pepper_tui.ui.screen.chat.composer import Composer
from pepper_tui.ui.screen.filtering import Narrowed
from pepper_tui.ui.screen.inbox.inbox_list import Inbox
from pepper_tui.ui.screen.jump import labels_for
from pepper_tui.ui.screen.lists.live_list import LiveList
from pepper_tui.ui.screen.status import TabStrip
from tests.ui.fake_engine import fill
from tests.ui.seat import acts, press, seat, until


@settings(deadline=None)
@given(st.integers(0, 600))
def test_no_label_is_the_beginning_of_another(count: int) -> None:
    labels = labels_for(count)
    assert len(set(labels)) == count
    assert not any(a != b and b.startswith(a) for a in labels for b in labels)


async def test_a_label_leads_to_its_row_and_types_nothing() -> None:
    async with seat(fill) as (app, pilot, engine, _):
        await press(pilot, "h", "i", "ctrl+o")
        signals = app.query_one("#signals", LiveList)
        wanted = signals.rows_in_view()[1]
        moved = {pane.id: pane.region for pane in app.query(Narrowed)}
        await press(pilot, *signals.labels[wanted])
        await until(lambda: signals.has_focus and signals.selected == wanted, pilot)
        assert {pane.id: pane.region for pane in app.query(Narrowed)} == moved
        assert not any(pane.labels for pane in app.query(Narrowed))
        assert app.query_one(Composer).text == "hi"
        assert not acts(engine, "approve", "reject", "edit", "dismiss", "say")


async def test_a_number_leads_to_its_pane_and_0_back() -> None:
    async with seat(fill) as (app, pilot, _, _):
        await press(pilot, "ctrl+o", "2")
        await until(lambda: app.query_one(Inbox).has_focus, pilot)
        await press(pilot, "ctrl+o", "0")
        await until(lambda: app.query_one(Composer).has_focus, pilot)


@pytest.mark.parametrize("key", ["escape", "ctrl+o", "exclamation_mark", "f2", "y"])
async def test_any_other_key_only_takes_the_labels_away(key: str) -> None:
    async with seat(None) as (app, pilot, engine, clock):
        await clock.advance(1)
        await press(pilot, "ctrl+t", "ctrl+o", key)
        assert not app.jumping
        assert app.query_one(Inbox).has_focus
        assert not acts(engine, "approve", "undo", "stop_reply")


async def test_on_a_small_screen_the_tabs_have_the_numbers() -> None:
    async with seat(fill, (80, 24)) as (app, pilot, _, _):
        await press(pilot, "ctrl+o")
        assert app.query_one(TabStrip).numbered
        await press(pilot, "4")
        await until(lambda: app.query_one("#calls").has_focus, pilot)
        assert not app.query_one(TabStrip).numbered
