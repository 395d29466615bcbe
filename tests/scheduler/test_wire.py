"""The whole engine against model servers that are strict, small or odd: the chat goes on, and each limit is told."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from pepper_tui.clock import ManualClock
from pepper_tui.config import Config
from pepper_tui.engine.engine import Engine
from pepper_tui.model import ContextFilter, Json, Namespace, UserMessage
from tests.llm.server import ModelServer, Reply
from tests.waiting import until

TEMPLATE = "Conversation roles must alternate user/assistant/user/assistant/..."
OPENAI = "This model's maximum context length is {window} tokens. However, your messages resulted in {tokens} tokens."


class Living:
    """A running engine and its model's server."""

    def __init__(self, engine: Engine, server: ModelServer) -> None:
        self.engine, self.server = engine, server

    async def say(self, text: str) -> Json:
        """Say it, and return the message that comes for it."""
        before = len(await self.all(Namespace.ASSISTANT_MESSAGE))
        clock = self.engine.parts.ground.clock
        message = UserMessage(clock.new_id("user"), text, clock.now(), [], spans=[])
        await self.engine.store.put(message, namespace=Namespace.USER_MESSAGE)

        async def answered() -> bool:
            if clock.sleepers:  # type: ignore[attr-defined]
                await clock.advance(1.0)  # type: ignore[attr-defined]
            return len(await self.all(Namespace.ASSISTANT_MESSAGE)) > before

        await until(answered, 20.0)
        return (await self.all(Namespace.ASSISTANT_MESSAGE))[-1]

    async def all(self, namespace: str) -> list[Json]:
        found = await self.engine.store.query(ContextFilter(namespaces=[namespace], newest_first=False, limit=500))
        return [context.data for context in found]

    async def health(self) -> Json:
        found = await self.engine.store.get("model", namespace=Namespace.HEALTH)
        assert found is not None
        return found.data


@asynccontextmanager
async def living(
    home: Path, clock: ManualClock, choose: Callable[[Json], Reply], *, fallback: str = "", **more: Any
) -> AsyncIterator[Living]:
    with ModelServer() as server:
        server.choose = choose
        models = {
            "name": "m",
            "base_url": server.url,
            "api_key": "",
            "max_tokens": 500,
            "retries": 0,
            "fallback": fallback,
        }
        engine = await Engine.open(home, Config.model_validate({"models": models, **more}), clock)
        await engine.start()
        try:
            yield Living(engine, server)
        finally:
            await engine.close()


def last(body: Json) -> str:
    return str(body["messages"][-1]["content"])


def size(body: Json) -> int:
    return sum(len(str(message["content"])) for message in body["messages"])


async def test_a_template_that_wants_the_roles_to_alternate_gets_that(tmp_path: Path, clock: ManualClock) -> None:
    """https://github.com/vllm-project/vllm/issues/6862, https://github.com/suitenumerique/conversations/issues/197"""

    def choose(body: Json) -> Reply:
        roles = [message["role"] for message in body["messages"]]
        if roles[:1] == ["system"]:
            roles = roles[1:]
        if any(role != ("user", "assistant")[at % 2] for at, role in enumerate(roles)):
            return {"status": 400, "message": TEMPLATE}
        return {"text": "fine"}

    async with living(tmp_path, clock, choose) as house:
        for number in range(3):
            assert (await house.say(f"hello {number}"))["text"] == "fine"
        assert len(house.server.requests) == 3


@pytest.mark.parametrize("shape", ["openai", "lm_studio", "unnamed"])
async def test_a_model_that_refuses_long_prompts_goes_on_and_learns(
    tmp_path: Path, clock: ManualClock, shape: str
) -> None:
    """https://github.com/can1357/oh-my-pi/issues/44, https://github.com/lmstudio-ai/lmstudio-bug-tracker/issues/2322"""
    limit = 9000
    refused = 0

    def choose(body: Json) -> Reply:
        nonlocal refused
        if size(body) <= limit:
            return {"text": "fine " + "y" * 300}
        refused += 1
        if shape == "lm_studio":
            words = {"error": {"message": "Context size has been exceeded."}}
            return {"events": [f"event: error\ndata: {json.dumps(words)}"]}
        total = size(body) + len(json.dumps(body["tools"]))
        window = (limit + len(json.dumps(body["tools"]))) // 4
        words_ = OPENAI.format(window=window, tokens=total // 4) if shape == "openai" else "prompt is too long"
        return {"status": 400, "error": {"error": {"message": words_, "code": "context_length_exceeded"}}}

    async with living(tmp_path, clock, choose) as house:
        for number in range(20):
            assert (await house.say(f"message {number} " + "x" * 600))["text"].startswith("fine"), number
        first = refused
        assert 0 < first < 8
        for number in range(20):
            assert (await house.say(f"again {number} " + "x" * 600))["text"].startswith("fine"), number
        assert refused - first <= 1  # the size is known by now
        assert (await house.health())["state"] == "ok"
    known = refused
    async with living(tmp_path, clock, choose) as house:
        assert (await house.say("and after a restart"))["text"].startswith("fine")
    assert refused - known <= 1


async def test_a_fallback_with_a_smaller_window_is_fitted_while_it_stands_in(
    tmp_path: Path, clock: ManualClock
) -> None:
    def choose(body: Json) -> Reply:
        if body["model"] == "m":
            return {"status": 500}
        return {"status": 400, "message": "prompt is too long"} if size(body) > 9000 else {"text": "fine"}

    async with living(tmp_path, clock, choose, fallback="small") as house:
        for number in range(16):
            assert (await house.say(f"message {number} " + "x" * 900))["text"] == "fine", number


async def test_one_message_that_is_too_long_by_itself_is_cut_and_says_so(tmp_path: Path, clock: ManualClock) -> None:
    def choose(body: Json) -> Reply:
        return {"status": 400, "message": "prompt is too long"} if size(body) > 9000 else {"text": "fine"}

    async with living(tmp_path, clock, choose) as house:
        assert (await house.say("begin " + "x" * 25_000))["text"] == "fine"
        prompts = [last(body) for body in house.server.requests if body.get("tools")]  # a summary has none
        prompt = prompts[-1]
        assert "begin xxx" in prompt
        assert "do not fit into this model's window]\n</user_msg>" in prompt
        assert (await house.say("and now?"))["text"] == "fine"


async def test_a_model_too_small_for_anything_is_told_without_advice_on_the_config(
    tmp_path: Path, clock: ManualClock
) -> None:
    async with living(tmp_path, clock, lambda _: {"status": 400, "message": "prompt is too long"}) as house:
        told = await house.say("hello")
        assert told["kind"] == "trouble"
        assert "prompt is too long" in told["text"]
        assert "prompt_limit" not in told["text"]
        assert len(house.server.requests) == 4


async def test_an_answer_cut_by_its_limit_is_marked_unfinished(tmp_path: Path, clock: ManualClock) -> None:
    """https://github.com/crewAIInc/crewAI/issues/7013"""

    async with living(tmp_path, clock, lambda _: {"text": "1) Lumen, 2) Orbit on", "finish": "length"}) as house:
        assert (await house.say("the deadlines?"))["unfinished"] is True
        await house.say("go on")
        assert '<assistant_msg unfinished="yes">1) Lumen' in last(house.server.requests[-1])


async def test_a_tool_that_the_server_refuses_is_left_out_and_told_and_all_else_goes_on(
    tmp_path: Path, clock: ManualClock
) -> None:
    """https://github.com/langchain-ai/langchainjs/issues/9804"""

    def choose(body: Json) -> Reply:
        if any(tool["function"]["name"] == "agenda" for tool in body["tools"]):
            words = "Invalid schema for function 'agenda': schema must have type 'object'"
            return {"status": 400, "error": {"error": {"message": words}}}
        return {"text": "fine"}

    async with living(tmp_path, clock, choose) as house:
        assert (await house.say("hello"))["text"] == "fine"
        assert (await house.say("again"))["text"] == "fine"
        assert len(house.server.requests) == 3  # refused once
        names = {tool["function"]["name"] for tool in house.server.requests[-1]["tools"]}
        assert "remind" in names
        health = await house.health()
        assert health["state"] == "trouble"
        assert "agenda" in health["detail"]


@pytest.mark.parametrize("native", [True, False])
async def test_a_call_written_as_text_has_the_rights_of_a_native_one(
    tmp_path: Path, clock: ManualClock, native: bool
) -> None:
    """https://github.com/ollama/ollama/issues/13519"""
    wanted: list[tuple[str, Json]] = [
        ("remind", {"text": "call Dana", "when": "tomorrow 9am"}),
        ("send_mail", {"to": "dana@lumen.example", "subject": "Hi", "body": "Hello"}),
    ]

    def choose(body: Json) -> Reply:
        if "<tool_result" in last(body) or "<tool_call" in last(body):
            return {"text": "done"}
        if native:
            return {"text": "Yes.", "calls": [{"name": name, "arguments": given} for name, given in wanted]}
        blocks = [json.dumps({"name": name, "arguments": given}) for name, given in wanted]
        return {"text": "Yes.\n" + "\n".join(f"<tool_call>{block}</tool_call>" for block in blocks), "pieces": 5}

    smtp = {"host": "127.0.0.1", "port": 9, "security": "none"}
    mail = {"address": "me@example.org", "smtp": smtp}
    async with living(tmp_path, clock, choose, mail=mail) as house:
        assert (await house.say("remind me, and write to Dana"))["text"] == "Yes."

        async def there() -> bool:
            return bool(await house.all(Namespace.REMINDER)) and bool(await house.all(Namespace.APPROVAL))

        await until(there)
        [card] = await house.all(Namespace.APPROVAL)
        assert card["state"] == "pending"
        [sending] = [call for call in await house.all(Namespace.TOOL_CALL) if call["name"] == "send_mail"]
        assert sending["state"] == "waiting_approval"
        assert sending["effect"] == "send"
