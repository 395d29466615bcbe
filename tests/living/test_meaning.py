"""Search by meaning in a whole engine: a question in other words than the mail's, and nothing left behind."""

from __future__ import annotations

import asyncio
from pathlib import Path

from pepper_tui.config import Config, Search
from pepper_tui.engine.engine import Engine
from pepper_tui.model import ContextFilter, Namespace
from tests.waiting import until

MAIL = "Appointment on Monday\nDr. Weiss\nYour teeth cleaning is on Monday at 8:30. Please be there early."


async def answer(home: Path, config: Config, question: str) -> str:
    """What a new engine says to the question."""
    engine = await Engine.open(home, config)
    try:
        await engine.start(feeds=False)
        await engine.store.store({"subject": "Appointment"}, namespace="raw.mail", context_id="dentist", text=MAIL)
        await engine.say(question)

        async def told() -> bool:
            return any("Found:" in text for text in await said(engine))

        await until(told, 20)
        return "\n".join(await said(engine))
    finally:
        await engine.close()


async def said(engine: Engine) -> list[str]:
    replies = await engine.recall(ContextFilter(namespaces=[Namespace.ASSISTANT_MESSAGE]))
    return [reply.text for reply in replies]


def children() -> str:
    """The processes that this one has started and that are still there, where this system tells it."""
    return "".join(path.read_text() for path in Path("/proc/self/task").glob("*/children"))


async def test_a_question_in_other_words(tmp_path: Path) -> None:
    before = await asyncio.to_thread(children)
    found = await answer(tmp_path / "on", Config(), "find dental checkup")
    assert "teeth cleaning is on Monday at 8:30" in found
    assert "(found by meaning)" in found
    assert await asyncio.to_thread(children) == before


async def test_turned_off_it_goes_by_words_alone(tmp_path: Path) -> None:
    found = await answer(tmp_path / "off", Config(search=Search(meaning=False)), "find dental checkup")
    assert "teeth" not in found
    assert "found by" not in found
