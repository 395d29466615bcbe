"""Themes: each is drawn with its own colours, and the ANSI one with none but the terminal's sixteen."""

from __future__ import annotations

import pytest
from rich.color import ColorType

from pepper_tui.config import Ui
from pepper_tui.ui.screen.themes import THEMES
from tests.ui.fake_engine import fill
from tests.ui.seat import press, seat

OWN = {ColorType.DEFAULT, ColorType.STANDARD}


def test_the_config_knows_each_theme() -> None:
    for theme in THEMES:
        assert Ui.model_validate({"theme": theme.name}).theme == theme.name


@pytest.mark.parametrize("keys", [(), ("ctrl+t",), ("ctrl+o",), ("f12",), ("ctrl+t", "e"), ("ctrl+3", "slash", "a")])
@pytest.mark.parametrize("size", [(80, 24), (120, 40)])
async def test_the_ansi_theme_leaves_the_palette_to_the_terminal(keys: tuple[str, ...], size: tuple[int, int]) -> None:
    async with seat(fill, size) as (app, pilot, _, clock):
        app.theme = "pepper-ansi"
        await clock.advance(1)
        await press(pilot, *keys)
        await pilot.pause(0.1)
        segments = [s for strip in app.screen._compositor.render_strips() for s in strip if s.style]
        colours = {c for s in segments if s.style for c in (s.style.color, s.style.bgcolor) if c is not None}
        assert colours
        assert {colour.type for colour in colours} <= OWN, [c for c in colours if c.type not in OWN]
