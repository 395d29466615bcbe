"""A tool engine on a real store and a manual clock, with a counting effect in place of the world."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from email.utils import parseaddr
from pathlib import Path
from typing import Any

from pepper_tui.clock import ManualClock
from pepper_tui.config import Config, Smtp
from pepper_tui.connectors.smtp import SmtpOutbox
from pepper_tui.domains.mail.search.everywhere import Mails
from pepper_tui.domains.mail.search.matching import matches
from pepper_tui.domains.mail.search.query import MailQuery
from pepper_tui.engine.building.builtin_tools import ToolParts, builtin_tools
from pepper_tui.model import (
    OPEN_TAG,
    Approval,
    CallState,
    CardLine,
    Context,
    ContextFilter,
    Effect,
    Json,
    Namespace,
    ResolvedEffect,
    Span,
    Step,
    ToolCall,
    ToolResult,
    UserMessage,
)
from pepper_tui.store import ContextStore
from pepper_tui.store.log.database import DatabaseFactory, InlineDatabase, ThreadDatabase
from pepper_tui.tools import Approvals, Tool, ToolContext, ToolEngine, ToolRegistry, UserTime, tool
from tests.waiting import until


class Died(BaseException):
    """The process ends here: nothing after it may run."""


@dataclass
class FakeMailbox:
    mails: list[Json] = field(default_factory=list)

    async def search(self, query: MailQuery, limit: int) -> Mails:
        found = [each for each in self.mails if matches(query, each, None)]
        return Mails(found[:limit], total=len(found))

    async def read(self, message_id: str) -> Json | None:
        return next(
            (m for m in self.mails if message_id in (m["message_id"], m.get("id"), f"signal_{m.get('id')}")), None
        )

    async def thread(self, message_id: str) -> list[Json]:
        first = await self.read(message_id)
        root = first["message_id"] if first else message_id
        return [m for m in self.mails if root in (m["message_id"], *m["references"])]


def mail(message_id: str, sender: str, subject: str, text: str, **more: Any) -> Json:
    """A mail as the store holds it."""
    name, address = parseaddr(sender)
    return {"id": message_id.strip("<>"), "message_id": message_id, "sender": {"name": name, "address": address},
            "to": [{"name": "", "address": "me@example.com"}], "cc": [], "reply_to": [], "subject": subject,
            "text": text,
            "in_reply_to": "", "references": [], "date": 1_800_000_000.0, "attachments": [], **more}  # fmt: skip


@dataclass
class World:
    """What the counting tools did. ``fail`` is raised by the next deed; ``gate`` holds it until set."""

    deeds: list[Json] = field(default_factory=list)
    fail: BaseException | None = None
    gate: asyncio.Event | None = None


def act_tool(world: World) -> Tool:
    async def resolve(ctx: ToolContext, what: str) -> ResolvedEffect:
        lines = [CardLine("What", what, editable=True)]
        return ctx.effect(account="acct", summary=f"do {what}", lines=lines, payload={"what": what, "n": 0})

    async def revise(ctx: ToolContext, effect: ResolvedEffect, fields: dict[str, str]) -> ResolvedEffect:
        return await resolve(ctx, fields["what"])

    async def probe(ctx: ToolContext, effect: ResolvedEffect) -> bool | None:
        return effect.payload in world.deeds

    @tool(effect=Effect.SEND, resolve=resolve, revise=revise, probe=probe)
    async def act(ctx: ToolContext, effect: ResolvedEffect) -> str:
        """Do it."""
        if world.gate is not None:
            await world.gate.wait()
        world.deeds.append(effect.payload)
        if world.fail is not None:
            raise world.fail
        return "did it"

    return act


@dataclass
class Bench:
    path: Path
    clock: ManualClock
    config: Config
    parts: ToolParts
    world: World
    extra: list[Tool]
    time: UserTime = field(default_factory=UserTime)
    die_at: str = ""
    database: DatabaseFactory = ThreadDatabase.open
    store: ContextStore = None  # type: ignore[assignment]
    engine: ToolEngine = None  # type: ignore[assignment]
    approvals: Approvals = None  # type: ignore[assignment]

    def _checkpoint(self, name: str) -> None:
        if name == self.die_at:
            raise Died(name)

    async def open(self, *, start: bool = True) -> None:
        self.store = await ContextStore.open(self.path, self.clock, database=self.database)
        registry = ToolRegistry([*builtin_tools(self.parts), act_tool(self.world), *self.extra], self.time)
        self.approvals = Approvals(self.store, self.clock, registry, self.config)
        self.engine = ToolEngine(
            self.store, self.clock, registry, self.config, approvals=self.approvals, checkpoint=self._checkpoint
        )
        self.parts.workers.cancel_call = self.engine.cancel
        if start:
            await self.engine.start()

    async def crash(self) -> None:
        """Drop the engine mid-way, without its orderly stop, and open the store again."""
        engine = self.engine
        tasks = [*engine._running.values(), engine._following._task, engine._waiting._task]
        tasks += [engine.approvals._following._task, engine.approvals._timers._sleeper, *engine._attempts.checks._tasks]
        for task in tasks:
            if task is not None:
                task.cancel()
        await asyncio.gather(*[t for t in tasks if t is not None], return_exceptions=True)
        await self.store.close()
        self.die_at = ""
        await self.open()

    async def close(self) -> None:
        await self.engine.stop()
        await self.store.close()

    async def say(self, text: str, spans: Sequence[Span] = ()) -> None:
        """Say ``text``, typed but for ``spans``. The step of the calls to come answers it."""
        message = UserMessage(self.clock.new_id("msg"), text, self.clock.now(), spans=list(spans))
        await self.store.put(message, namespace=Namespace.USER_MESSAGE, text=text)
        step = Step("1", self.clock.now(), [f"{Namespace.USER_MESSAGE}:{message.id}"])
        await self.store.put(step, namespace=Namespace.STEP)

    async def schedule(self, name: str, /, **arguments: Any) -> str:
        return await self.put(
            ToolCall(self.clock.new_id("call"), name, arguments, Effect.READ, self.clock.now(), "step:1")
        )

    async def put(self, call: ToolCall) -> str:
        await self.store.put(call, namespace=Namespace.TOOL_CALL, tags=[OPEN_TAG])
        return call.id

    async def call(self, call_id: str) -> ToolCall:
        found = await self.store.get(call_id, namespace=Namespace.TOOL_CALL)
        assert found is not None
        return ToolCall.of(found)

    async def state(self, call_id: str, *states: CallState) -> ToolCall:
        """The call, once it is in one of ``states``."""

        async def there() -> bool:
            return (await self.call(call_id)).state in states

        await until(there, what=f"{call_id} in {states}")
        return await self.call(call_id)

    async def deferred(self, call_id: str) -> ToolCall:
        """The call, once it waits for something."""

        async def waits() -> bool:
            return bool((await self.call(call_id)).deferred)

        await until(waits, what=f"{call_id} deferred")
        return await self.call(call_id)

    async def returned(self, call_id: str) -> Approval:
        """The card that the failed call came back as."""
        failed = await self.state(call_id, CallState.FAILED)
        found: list[Approval] = []

        async def there() -> bool:
            found[:] = [card for card in await self.cards() if card.retry_of == failed.approval]
            return bool(found)

        await until(there, what=f"{call_id} returned")
        return found[0]

    async def result(self, call_id: str) -> ToolResult:
        return ToolResult.of(await self._there(call_id, Namespace.TOOL_RESULT))

    async def card(self, call_id: str) -> Approval:
        call = await self.state(call_id, CallState.WAITING_APPROVAL)
        return Approval.of(await self._there(call.approval, Namespace.APPROVAL))

    async def _there(self, context_id: str, namespace: str) -> Context:
        found: list[Context] = []

        async def there() -> bool:
            context = await self.store.get(context_id, namespace=namespace)
            found.extend([context] if context else [])
            return bool(found)

        await until(there, what=f"{namespace}:{context_id}")
        return found[0]

    async def cards(self) -> list[Approval]:
        return [Approval.of(c) for c in await self.store.query(ContextFilter(namespaces=[Namespace.APPROVAL]))]

    async def yes(self, call_id: str) -> None:
        """Approve the call's card and let the grace pass."""
        await self.approvals.approve((await self.card(call_id)).id)
        await self.settle()
        await self.clock.advance(self.config.tools.undo_seconds)

    async def settle(self) -> None:
        """Let what is under way go on: turns of the loop, and between them whatever the database's threads hold."""
        inline = self.database == InlineDatabase.open
        for _ in range(20):
            for _ in range(10):
                await asyncio.sleep(0)
            if not inline and not self.store.closed:
                await self.store.file.maintain(lambda *_: None)
                await self.store.file.read(lambda _: None)


def bench_config(**tools: Any) -> Config:
    return Config.model_validate({"user": {"addresses": ["me@example.com"]}, "tools": tools})


def outbox(port: int) -> SmtpOutbox:
    return SmtpOutbox("me@example.com", Smtp(host="127.0.0.1", port=port, security="none", timeout=2.0))
