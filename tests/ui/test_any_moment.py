"""Whatever comes while whatever key is pressed, the screen stands and takes the next key."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import replace

import pytest

from pepper_tui.model import (
    Approval,
    ApprovalState,
    AssistantMessage,
    CallState,
    Health,
    Namespace,
    Notification,
    NotificationState,
    Priority,
    RunState,
    WorkerRun,
)
from pepper_tui.ui.screen.chat.composer import Composer
from pepper_tui.ui.shared.keys import KEYS
from tests.ui.fake_engine import (
    T0,
    FakeEngine,
    approval,
    call,
    fill,
    follow_up,
    note,
    outgoing,
    reminder,
    report,
    signal,
)
from tests.ui.seat import press, seat

LEAVE = {"pepper.quit", "pepper.cancel", "pepper.suspend", "composer.editor", "form.editor", "chat.export"}
STROKES = sorted({key for entry in KEYS if entry.id not in LEAVE for key in entry.keys.split(",")} - {"ctrl+g", "s"})
OFTEN = ["ctrl+t", "y", "u", "x", "z", "e", "enter", "escape"]
SIZES = [(80, 24), (120, 40), (200, 60), (46, 10), (20, 5)]


def world(engine: FakeEngine, dice: random.Random) -> None:
    """Something happens outside."""
    n = dice.randrange(6)
    at = T0 + dice.randrange(10_000)
    matter = dice.choice(["", "", "mail:t1", "mail:t2"])
    priority = dice.choice([Priority.LOW, Priority.NORMAL, Priority.HIGH, Priority.URGENT])

    def move_a_card() -> None:
        cards = [c for c in engine.contexts.values() if c.namespace == Namespace.APPROVAL]
        if cards:
            card = Approval.of(dice.choice(cards))
            card.state = dice.choice([*ApprovalState])
            card.acts_at = at if card.state is ApprovalState.APPROVED else None
            engine.put(Namespace.APPROVAL, card)

    def move_a_notice() -> None:
        found = [c for c in engine.contexts.values() if c.namespace == Namespace.NOTIFICATION]
        if found:
            item = Notification.of(dice.choice(found))
            item.state = dice.choice([*NotificationState])
            engine.put(Namespace.NOTIFICATION, item)

    happens: list[Callable[[], None]] = [
        lambda: engine.put(Namespace.APPROVAL, replace(approval(f"a{n}", at=at), matter=matter)),
        lambda: engine.put(
            Namespace.NOTIFICATION, note(f"n{n}", f"Notice {n}", created_at=at, matter=matter, priority=priority)
        ),
        move_a_card,
        move_a_notice,
        lambda: engine.put("signals.mail", signal(f"s{n}", f"Mail {n}", priority, at)),
        lambda: engine.put(Namespace.TOOL_CALL, call(f"k{n}", state=dice.choice([*CallState]))),
        lambda: engine.put(Namespace.TOOL_CALL, outgoing(f"a{n}", dice.choice([*CallState]))),
        lambda: engine.put(
            Namespace.RUN,
            WorkerRun(f"r{n}", f"k{n}", "researcher", "stateful", "Look", at, state=dice.choice([*RunState])),
        ),
        lambda: engine.put(Namespace.REMINDER, reminder(f"rem{n}")),
        lambda: engine.put(Namespace.FOLLOW_UP, follow_up(f"f{n}")),
        lambda: engine.put(
            Namespace.HEALTH, Health(f"feed.{n}", dice.choice(["ok", "trouble"]), "words", "fix it", at), f"feed.{n}"
        ),
        lambda: engine.put(
            Namespace.ASSISTANT_MESSAGE, AssistantMessage(f"p{n}", f"So **{n}**\n\n- one", at, "step_1")
        ),
        lambda: engine.delta(
            f"d{n}", dice.choice(["word ", "- item\n", "```\n", "| a | b |\n"]), done=dice.random() < 0.2
        ),
        lambda: engine._updates.put_nowait([]),  # some updates were missed
    ]
    dice.choice(happens)()


@pytest.mark.parametrize("seed", range(1))
async def test_whatever_comes_while_whatever_is_pressed(seed: int) -> None:
    dice = random.Random(seed)

    def prepare(engine: FakeEngine) -> None:
        fill(engine)
        engine.window = 10.0
        engine.reports["quotes"] = report()

    async with seat(prepare, size=dice.choice(SIZES)) as (app, pilot, engine, clock):
        for _ in range(150):
            for _ in range(dice.randrange(3)):
                world(engine, dice)
            stroke = dice.choice(STROKES if dice.random() < 0.6 else OFTEN)
            await press(pilot, stroke) if dice.random() < 0.2 else await pilot.press(stroke)
            if dice.random() < 0.05:
                await pilot.resize_terminal(*dice.choice(SIZES))
            if dice.random() < 0.1:
                await clock.advance(dice.choice([1, 15, 600]))
            assert app.return_code is None
        await pilot.resize_terminal(120, 40)
        for _ in range(6):
            await press(pilot, "escape")
        composer = app.query_one(Composer)
        composer.focus()
        composer.text = ""
        await press(pilot, "h", "i")
        assert composer.text == "hi"
