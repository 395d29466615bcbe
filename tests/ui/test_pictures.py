"""Pictures of the screen at three sizes, on a still clock. ``pytest --snapshot-update`` accepts new ones."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from textual.pilot import Pilot

from pepper_tui.clock import ManualClock
from pepper_tui.llm.endpoint.local_servers import LocalServer
from pepper_tui.model import ApprovalState, Namespace
from pepper_tui.setup.first_start import Calendars, Found, Key, Mails
from pepper_tui.ui.screen.app import PepperApp
from pepper_tui.ui.welcome.welcome import WelcomeApp
from tests.ui.fake_engine import T0, FakeEngine, approval, fill
from tests.ui.seat import press

SIZES = pytest.mark.parametrize("size", [(80, 24), (120, 40), (200, 60)], ids=lambda s: f"{s[0]}x{s[1]}")
HOME = Path("/home/alex")
FOUND = Found(
    [Mails(HOME / "Mail/work/INBOX", 812), Mails(HOME / "Mail/home/INBOX", 2034)],
    [Calendars(HOME / ".calendars", 41)],
    [LocalServer("Ollama", "http://127.0.0.1:11434/v1", ("qwen3:8b", "llama3.2:3b"))],
    [Key("OpenAI", "OPENAI_API_KEY", "", "gpt-5-mini")],
    "Alex Rivera",
    "alex@example.com",
)


def lively() -> FakeEngine:
    engine = FakeEngine()
    fill(engine)
    for key, state, note in (("e1", ApprovalState.EXPIRED, ""), ("e2", ApprovalState.REJECTED, "I do not know them")):
        card = approval(key, to=f"{key}@example.com", at=T0 - 5000)
        card.state, card.decided_at, card.decision_note = state, T0 - 4000, note
        engine.put(Namespace.APPROVAL, card)
    return engine


@SIZES
@pytest.mark.parametrize("keys", [(), ("ctrl+t",)], ids=["typing", "inbox"])
def test_picture(snap_compare: Any, size: tuple[int, int], keys: tuple[str, ...]) -> None:
    async def factory() -> FakeEngine:
        engine = FakeEngine()
        fill(engine)
        return engine

    async def settle(pilot: Pilot[str]) -> None:
        await pilot.pause(0.4)
        await pilot.press(*keys)
        await pilot.pause(0.3)

    assert snap_compare(PepperApp(factory, clock=ManualClock(T0)), terminal_size=size, run_before=settle)


@SIZES
@pytest.mark.parametrize(
    ("keys", "theme"),
    [
        (("ctrl+o",), "pepper"),
        (("f12",), "pepper"),
        (("ctrl+3", "slash", *"marta"), "pepper"),
        (("ctrl+t",), "pepper-ansi"),
        (("ctrl+t",), "pepper-contrast"),
    ],
    ids=["jump", "effects", "filter", "ansi", "contrast"],
)
def test_new_views(snap_compare: Any, size: tuple[int, int], keys: tuple[str, ...], theme: str) -> None:
    async def factory() -> FakeEngine:
        return lively()

    async def settle(pilot: Pilot[str]) -> None:
        await pilot.pause(0.4)
        for key in keys:
            await pilot.press(key)
            await pilot.pause(0.05)
        await pilot.pause(0.4)

    app = PepperApp(factory, clock=ManualClock(T0), theme=theme)
    assert snap_compare(app, terminal_size=size, run_before=settle)


@pytest.mark.parametrize("size", [(80, 24), (120, 40)], ids=lambda s: f"{s[0]}x{s[1]}")
@pytest.mark.parametrize(
    "keys",
    [(), ("enter", "down", "x"), ("enter",) * 3, ("enter",) * 4, ("enter",) * 6],
    ids=["0", "1", "3", "4", "6"],
)
def test_the_first_start(snap_compare: Any, size: tuple[int, int], keys: tuple[str, ...]) -> None:
    async def settle(pilot: Pilot[str]) -> None:
        await pilot.pause(0.5)
        await press(pilot, *keys)
        await pilot.pause(0.2)

    assert snap_compare(WelcomeApp(HOME / ".local/share/pepper", HOME, FOUND), terminal_size=size, run_before=settle)
