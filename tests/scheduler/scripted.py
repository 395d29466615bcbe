"""A model whose answers the test scripts, and a scheduler around it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager
from datetime import UTC
from typing import Any

from pepper_tui.clock import ManualClock
from pepper_tui.config import Scheduler as Settings
from pepper_tui.config import User
from pepper_tui.llm.attempts import Attempts, RetryPolicy, Source
from pepper_tui.model import (
    Completed,
    ContextFilter,
    Effect,
    ModelError,
    ModelEvent,
    ModelRequest,
    Namespace,
    Priority,
    ReplyDelta,
    RequestedCall,
    Signal,
    TextDelta,
    ToolSpec,
    Usage,
    UserMessage,
)
from pepper_tui.scheduler import Parts, Scheduler
from pepper_tui.scheduler.intake import RulesDone
from pepper_tui.store import ContextStore, UnitOfWork

EMPTY = {"type": "object", "properties": {}}
SPECS = [
    ToolSpec("search_mail", "Search", EMPTY, Effect.READ),
    ToolSpec("notify", "Notify", EMPTY, Effect.LOCAL),
    ToolSpec("send_mail", "Send", EMPTY, Effect.SEND),
]


def usage() -> Usage:
    return Usage("scripted", "scheduler", 10, 5, 3, 0.001, 0.0)


def answer(text: str = "", *calls: tuple[str, dict[str, Any]]) -> Completed:
    return Completed(text, tuple(RequestedCall(f"c{i}", n, a) for i, (n, a) in enumerate(calls)), usage())


class ScriptedModel:
    """Answers by ``reply``; ``gate`` holds back those that ``held`` picks until it is set; ``errors`` come first."""

    def __init__(self, reply: Callable[[ModelRequest], Completed] = lambda _: answer("", ("wait", {}))) -> None:
        self.reply = reply
        self.requests: list[ModelRequest] = []
        self.cancelled = 0
        self.errors: list[ModelError] = []
        self.held: Callable[[ModelRequest], bool] = lambda _: True
        self.gate = asyncio.Event()
        self.gate.set()

    async def stream(self, request: ModelRequest) -> AsyncIterator[ModelEvent]:
        self.requests.append(request)
        if self.errors:
            raise self.errors.pop(0)
        completed = self.reply(request)
        try:
            for word in completed.text.split(" "):
                if word:
                    yield TextDelta(word + " ")
            if self.held(request):
                await self.gate.wait()
        except (asyncio.CancelledError, GeneratorExit):
            self.cancelled += 1
            raise
        yield completed

    def kinds(self) -> list[list[str]]:
        return [[entry.kind for entry in request.entries] for request in self.requests]


class Stage:
    """A running scheduler on a store, with helpers to put things in and to read what came out."""

    def __init__(
        self,
        store: ContextStore,
        clock: ManualClock,
        model: ScriptedModel,
        *,
        by_rule: bool = False,
        rules: RulesDone | None = None,
        **settings: Any,
    ) -> None:
        self.store, self.clock, self.model = store, clock, model
        retry_policy = RetryPolicy(retries=settings.pop("retries", 3))
        self.deltas: list[ReplyDelta] = []
        self.unit: Callable[[], AbstractAsyncContextManager[UnitOfWork]] = store.unit
        self.checkpoint: Callable[[str], None] = lambda name: None
        self.scheduler = Scheduler(
            Parts(
                store=store,
                clock=clock,
                settings=Settings(**settings),
                user=User(name="Sam"),
                zone=UTC,
                stream=Attempts(clock, Source("scripted", model.stream), retry_policy=retry_policy).stream,
                specs=lambda: SPECS,
                by_rule=by_rule,
                rules=rules,
                unit=self._begin,
                on_reply=self.deltas.append,
                checkpoint=self._reached,
            )
        )

    def _begin(self) -> AbstractAsyncContextManager[UnitOfWork]:
        return self.unit()

    def _reached(self, name: str) -> None:
        self.checkpoint(name)

    async def __aenter__(self) -> Stage:
        await self.scheduler.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.scheduler.stop()

    async def say(self, text: str, after_calls: list[str] | None = None) -> str:
        message = UserMessage(self.clock.new_id("user"), text, self.clock.now(), after_calls or [], spans=[])
        await self.store.put(message, namespace=Namespace.USER_MESSAGE)
        return message.id

    async def signal(self, content: str, priority: Priority = Priority.NORMAL) -> str:
        sid = self.clock.new_id("sig")
        signal = Signal(sid, content, self.clock.now(), priority, "mail", "addressed to you", f"mail:{sid}")
        await self.store.put(signal, namespace="signals.mail")
        return sid

    async def said(self, namespace: str = Namespace.ASSISTANT_MESSAGE) -> list[str]:
        found = await self.store.query(ContextFilter(namespaces=[namespace], newest_first=False))
        return [context.data["text"] for context in found]

    async def all(self, namespace: str) -> list[dict[str, Any]]:
        found = await self.store.query(ContextFilter(namespaces=[namespace], newest_first=False, limit=500))
        return [context.data for context in found]
