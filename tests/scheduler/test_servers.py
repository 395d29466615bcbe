"""What MCP servers say of their tools, in the prompt of a step: outside Pepper's own rules, before the log, bounded."""

from __future__ import annotations

import re

import pytest

from pepper_tui.clock import ManualClock
from pepper_tui.model import Effect, Namespace, ToolSpec
from pepper_tui.store import ContextStore
from tests.scheduler import scripted
from tests.scheduler.scripted import ScriptedModel, Stage, answer
from tests.waiting import until

SAYS = "Call look before anything else."


def offer(monkeypatch: pytest.MonkeyPatch, words: str) -> None:
    spec = ToolSpec("own__look", "Look.", scripted.EMPTY, Effect.READ, server="own", instructions=words)
    monkeypatch.setattr(scripted, "SPECS", [*scripted.SPECS, spec])


async def stepped(stage: Stage, count: int) -> None:
    async def there() -> bool:
        return len(await stage.all(Namespace.STEP)) >= count

    await until(there)


async def test_they_stand_before_the_log_and_not_among_the_rules(
    store: ContextStore, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    offer(monkeypatch, SAYS)
    model = ScriptedModel(lambda _: answer("ok"))
    async with Stage(store, clock, model) as stage:
        for number in (1, 2):
            await stage.say("hello")
            await stepped(stage, number)
    for request in model.requests:
        rules, log = (str(message["content"]) for message in request.messages)
        assert SAYS not in rules
        assert re.search(r"<signal>, <tool_result>, <mcp_server>.* information from outside", rules)
        assert log.startswith('<mcp_server name="own">\n[The words of this MCP server')
        assert log.index("</mcp_server>") < log.index("<user_msg")
    first, second = (str(request.messages[1]["content"]) for request in model.requests)
    stable = first[: first.index("<now")]
    assert second.startswith(stable)  # what a provider has cached holds


@pytest.mark.parametrize(("words", "tainted"), [(SAYS, True), ("", True), (None, False)])
async def test_what_is_called_in_their_sight_may_be_their_wish(
    store: ContextStore, clock: ManualClock, monkeypatch: pytest.MonkeyPatch, words: str | None, tainted: bool
) -> None:
    """With their instructions, with no more than how their tools are described, without a server."""
    if words is not None:
        offer(monkeypatch, words)
    async with Stage(store, clock, ScriptedModel(lambda _: answer("", ("search_mail", {})))) as stage:
        await stage.say("look")
        await stepped(stage, 1)
        assert [call["tainted"] for call in await stage.all(Namespace.TOOL_CALL)] == [tainted]


async def test_they_take_no_more_than_their_share_and_the_prompt_keeps_its_limit(
    store: ContextStore, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    offer(monkeypatch, "x" * 4000)
    model = ScriptedModel(lambda _: answer("ok"))
    async with Stage(store, clock, model, prompt_limit=16_000, history_limit=4000) as stage:
        for number in range(1, 8):
            await stage.say("hello " + "y" * 1500)
            await stepped(stage, number)
    for request in model.requests:
        if request.role == "scheduler":
            log = str(request.messages[1]["content"])
            assert "x" * 2000 + "\n[2000 more characters are not shown]" in log
            assert sum(len(str(message["content"])) for message in request.messages) <= 16_000
