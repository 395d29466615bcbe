"""``[scheduler] priority``: the user's own function ranks signals, and can do no harm to what the rules say."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from pepper_tui.clock import ManualClock
from pepper_tui.config import Config
from pepper_tui.engine.engine import Engine
from pepper_tui.model import Context, Priority
from pepper_tui.scheduler.own_priority import OwnPriority
from pepper_tui.store import ContextStore
from tests.scheduler.scripted import ScriptedModel, Stage
from tests.waiting import until

OF_THE_SEED = '''
def determine_priority(event_data):
    """Custom priority logic"""
    if "urgent" in event_data.get("content", "").lower():
        return 1  # Highest priority
    elif event_data.get("source") == "email":
        return 2
    elif event_data.get("source") == "calendar":
        return 3
    else:
        return 4  # Lowest priority
'''


def own(tmp_path: Path, text: str) -> OwnPriority:
    file = tmp_path / "priority.py"
    file.write_text(text)
    made = OwnPriority(file)
    made.load()
    return made


def signal(**data: Any) -> Context:
    return Context("s", "signals.x", {"content": "hm", "source": "x", "metadata": {}, **data})


@pytest.mark.parametrize(
    ("data", "given", "wanted"),
    [
        ({"content": "URGENT: call"}, "low", "urgent"),
        ({"source": "email"}, "low", "high"),
        ({"source": "processed", "metadata": {"source": "email"}}, "low", "high"),
        ({"source": "calendar"}, "urgent", "normal"),
        ({}, "urgent", "low"),
        ({}, "log", "log"),
        ({"content": "urgent"}, "log", "log"),
        ({"metadata": {"rules": [{"rule": "r"}]}}, "high", "high"),
        ({"metadata": {"rules": [{"acts": []}]}}, "high", "high"),
        ({"content": "urgent", "metadata": {"rules": [{"rule": "r"}]}}, "high", "urgent"),
        ({"metadata": "odd"}, "high", "low"),
    ],
)
def test_the_function_of_the_seed(tmp_path: Path, data: dict[str, Any], given: str, wanted: str) -> None:
    made = own(tmp_path, OF_THE_SEED)
    kept = signal(**data)
    before = repr(kept)
    assert made.of(kept, Priority(given)) == wanted
    assert repr(kept) == before


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ("return 1 / 0", "priority.py:2: ZeroDivisionError"),
        ("return 5", "answered 5; it may answer 1 (highest) to 4"),
        ("return True", "answered True"),
        ("return 'log'", "answered 'log'"),
        ("raise SystemExit(3)", "priority.py:2: SystemExit: 3"),
    ],
)
async def test_an_error_or_nonsense_is_told_and_changes_nothing(
    store: ContextStore, clock: ManualClock, tmp_path: Path, body: str, words: str
) -> None:
    file = tmp_path / "priority.py"
    file.write_text(f"def determine_priority(event_data):\n    {body}\n")
    async with Stage(store, clock, ScriptedModel(), priority=file) as stage:
        await health(store, "ok")
        await stage.signal("one")
        told = await health(store, "trouble")
        assert words in told["detail"]
        assert "fix" in told["remedy"]
        await until(lambda: len(stage.model.requests) == 1)  # its own rank brought it all the same


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("1 / 0", "priority.py:1: ZeroDivisionError"),
        ("x = 1", "no `def determine_priority"),
        ("def (", "priority.py:1:"),
    ],
)
async def test_a_file_that_cant_be_used(
    store: ContextStore, clock: ManualClock, tmp_path: Path, text: str, words: str
) -> None:
    file = tmp_path / "priority.py"
    file.write_text(text)
    async with Stage(store, clock, ScriptedModel(), priority=file) as stage:
        assert words in (await health(store, "trouble"))["detail"]
        await stage.signal("one")
        await until(lambda: len(stage.model.requests) == 1)


def test_a_slow_answer_is_told(tmp_path: Path) -> None:
    file = tmp_path / "priority.py"
    file.write_text("def determine_priority(event_data):\n    return 'high'\n")
    times = iter([0.0, 2.0])
    made = OwnPriority(file, timer=lambda: next(times))
    made.load()
    assert made.of(signal(), Priority.LOW) is Priority.HIGH
    assert "an answer took 2.0 s" in made.words


async def test_it_decides_which_signal_goes_first(store: ContextStore, clock: ManualClock, tmp_path: Path) -> None:
    file = tmp_path / "priority.py"
    file.write_text(OF_THE_SEED)
    model = ScriptedModel()
    model.held = lambda _: True
    model.gate.clear()
    async with Stage(store, clock, model, priority=file, batch_size=1) as stage:
        await stage.signal("first")
        await until(lambda: len(model.requests) == 1)
        await stage.signal("plain", Priority.HIGH)
        await stage.signal("so urgent", Priority.LOW)
        model.gate.set()
        await until(lambda: len(model.requests) == 3)
    assert ["so urgent" in request.entries[0].text for request in model.requests] == [False, True, False]


async def test_the_config_names_it_from_the_home(tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir()
    (home / "config.toml").write_text('[scheduler]\npriority = "rank.py"\n')
    (home / "rank.py").write_text(OF_THE_SEED)
    from pepper_tui.config import load_config

    config = load_config(home)
    assert config.scheduler.priority == home / "rank.py"
    engine = await Engine.open(home, config, ManualClock())
    await engine.start()
    assert (await health(engine.store, "ok"))["detail"] == str(home / "rank.py")
    await engine.close()
    engine = await Engine.open(home, Config(), ManualClock())
    await engine.start()
    assert await engine.store.get("priority", namespace="health") is None  # what is named no more is told no more
    await engine.close()


async def health(store: ContextStore, state: str) -> dict[str, Any]:
    found: dict[str, Any] = {}

    async def reached() -> bool:
        nonlocal found
        context = await store.get("priority", namespace="health")
        found = context.data if context else {}
        return found.get("state") == state

    await until(reached, 10, f"health {state}")
    return found
