"""What can't be done is refused in words, and a closed engine does nothing."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from pepper_tui.engine.client import RemoteEngine
from pepper_tui.engine.engine import Engine as RealEngine
from pepper_tui.engine.protocol import Engine, EngineError
from pepper_tui.model import ContextFilter, Written
from tests.conformance.engine.stages import Stage
from tests.ui.fake_engine import FakeEngine

CALLS: dict[str, Callable[[Engine], Awaitable[Any]]] = {
    "recall": lambda engine: engine.recall(ContextFilter()),
    "health": lambda engine: engine.health(),
    "held_back": lambda engine: engine.held_back(0.0),
    "updates": lambda engine: engine.updates().__aenter__(),
    "replies": lambda engine: anext(engine.replies()),
    "why": lambda engine: engine.why("notification:nowhere"),
    "dead_letters": lambda engine: engine.dead_letters(),
    "mails": lambda engine: engine.mails(),
    "mail_thread": lambda engine: engine.mail_thread("nowhere"),
    "mail_head": lambda engine: engine.mail_head("reply", "nowhere"),
    "attachment": lambda engine: engine.attachment("nowhere", 0),
    "attachment_text": lambda engine: engine.attachment_text("nowhere", 0),
    "mail_changes": lambda engine: anext(engine.mail_changes()),
    "write_mail": lambda engine: engine.write_mail("nothing", "nowhere", {}),
    "save_draft": lambda engine: engine.save_draft("nowhere"),
    "say": lambda engine: engine.say("hello", spans=[]),
    "take_back": lambda engine: engine.take_back(),
    "stop_reply": lambda engine: engine.stop_reply(),
    "approve": lambda engine: engine.approve("nowhere"),
    "reject": lambda engine: engine.reject("nowhere"),
    "edit": lambda engine: engine.edit("nowhere", {"body": "x"}),
    "dismiss": lambda engine: engine.dismiss("notification:nowhere"),
    "done": lambda engine: engine.done("notification:nowhere"),
    "file": lambda engine: engine.file(["notification:nowhere"], "archive"),
    "seen": lambda engine: engine.seen("notification:nowhere"),
    "attend": lambda engine: engine.attend(True),
    "snooze": lambda engine: engine.snooze("notification:nowhere", "1h"),
    "choose": lambda engine: engine.choose("notification:nowhere", 1),
    "answer": lambda engine: engine.answer("notification:nowhere", "yes"),
    "answer_unknown": lambda engine: engine.answer_unknown("nowhere", "happened"),
    "cancel_call": lambda engine: engine.cancel_call("nowhere"),
    "undo": lambda engine: engine.undo(),
    "redo": lambda engine: engine.redo(),
    "redrive": lambda engine: engine.redrive(),
    "days": lambda engine: engine.days("nowhere"),
    "order_event": lambda engine: engine.order_event("nothing", "nowhere", "2027-01-15", Written("")),
    "rules": lambda engine: engine.rules(),
    "rule_acts": lambda engine: engine.rule_acts("nowhere"),
    "rule_versions": lambda engine: engine.rule_versions("nowhere"),
    "pause_rule": lambda engine: engine.pause_rule("nowhere"),
    "resume_rule": lambda engine: engine.resume_rule("nowhere"),
    "remove_rule": lambda engine: engine.remove_rule("nowhere"),
    "propose_rule": lambda engine: engine.propose_rule("notification:nowhere"),
}
"""Each method of the protocol, asked of what is not there."""
NEEDS_SOMETHING = (
    "mail_thread", "mail_head", "attachment", "attachment_text", "write_mail", "save_draft", "file",
    "days", "order_event",
    "why", "approve", "reject", "edit", "dismiss", "done", "snooze", "choose", "answer", "answer_unknown",
    "cancel_call", "rule_versions", "pause_rule", "resume_rule", "remove_rule", "propose_rule", "undo", "redo",
)  # fmt: skip
METHODS = {name for name in dir(Engine) if not name.startswith("_")} - {"zone", "model_name", "offline"}


@pytest.mark.parametrize("name", NEEDS_SOMETHING)
async def test_what_is_not_there_is_refused_in_words(stage: Stage, name: str) -> None:
    with pytest.raises(EngineError) as refused:
        await CALLS[name](stage.engine)
    assert len(refused.value.words) > 10
    assert "Error" not in refused.value.words


@pytest.mark.parametrize("name", CALLS)
async def test_after_its_end_nothing_is_done(stage: Stage, name: str) -> None:
    await stage.engine.close()
    with pytest.raises(EngineError, match="closed"):
        async with asyncio.timeout(10):
            await CALLS[name](stage.engine)


async def test_at_its_end_the_streams_end(stage: Stage) -> None:
    async def heard() -> None:
        async for _ in stage.engine.replies():
            pass

    async def read() -> None:
        async with stage.engine.updates() as updates:
            began.set()
            async for _ in updates:
                pass

    began = asyncio.Event()
    streams = [asyncio.create_task(heard()), asyncio.create_task(read())]
    async with asyncio.timeout(10):
        await began.wait()
        await stage.engine.close()
        await asyncio.gather(*streams)


def test_each_method_is_among_them() -> None:
    assert set(CALLS) == METHODS - {"start", "close"}


def test_each_method_has_a_behaviour_of_its_own() -> None:
    others = [path for path in Path(__file__).parent.glob("test_*.py") if path != Path(__file__)]
    suite = "".join(path.read_text(encoding="utf-8") for path in others)
    assert {name for name in METHODS - {"start", "close"} if f"stage.engine.{name}(" not in suite} == set()


@pytest.mark.parametrize("kind", [RealEngine, RemoteEngine, FakeEngine])
@pytest.mark.parametrize("name", sorted(METHODS - {"start"}))
def test_each_engine_takes_what_the_protocol_says(kind: type, name: str) -> None:
    theirs, wanted = (inspect.signature(getattr(each, name)) for each in (kind, Engine))
    assert list(theirs.parameters.values()) == list(wanted.parameters.values())
    assert theirs.return_annotation == wanted.return_annotation or name == "updates"
