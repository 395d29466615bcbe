"""What servers bring before the user: definitions to trust, and questions during a call. Both are cards.

Each is a call of a tool that no model is offered and that refuses every caller but this module, so it is treated like
anything that reaches outside: resolved to the byte, durable, answered with the same keys, expiring, in the audit.
Approving the first pins exactly the definitions that the card shows; approving the second sends the server exactly the
values that the card shows. A question belongs to the session and ends with it.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Final

from pepper_tui.clock import Clock
from pepper_tui.connectors.mcp.asking.form_fields import (
    as_words,
    defaults_of,
    fields_of,
    hint_of,
    left_out_of,
    value_of,
)
from pepper_tui.connectors.mcp.asking.question import Answer, Question
from pepper_tui.connectors.mcp.offer import instructions
from pepper_tui.connectors.mcp.offer.definition import difference
from pepper_tui.connectors.mcp.offer.pins import Pinned
from pepper_tui.connectors.mcp.session.server import Server
from pepper_tui.model import (
    CALL_OPEN,
    OPEN_TAG,
    CallState,
    CardLine,
    ContextUpdate,
    Effect,
    Json,
    Namespace,
    ResolvedEffect,
    ToolCall,
)
from pepper_tui.store import Following, Store
from pepper_tui.text import one_line, shorten
from pepper_tui.tools.approvals.policy import repeated
from pepper_tui.tools.errors import OutdatedError, ToolError
from pepper_tui.tools.ledger import Ledger
from pepper_tui.tools.registry import ToolRegistry
from pepper_tui.tools.tool import Tool, ToolContext

TRUST: Final = "trust_mcp_tools"
ANSWER: Final = "answer_mcp_server"
ORIGIN: Final = "mcp:"
_TRIES: Final = 10  # cards for one question
_OPEN: Final = 5  # questions of one server that wait for the user; further ones are cancelled
_A_MINUTE: Final = 20  # questions of one server; each leaves a permanent record
_RESULTS: Final = 1000
_ASKED: Final = 4000  # characters of a question that a card shows, or of an address

CancelCall = Callable[[str, str], Awaitable[str]]


class _OwnTool(Tool):
    """A tool that only this module calls."""

    @property
    def offered(self) -> bool:
        return False


@dataclass
class _Open:
    """A question that waits. ``problem``: why the last answer was not accepted."""

    question: Question
    answer: asyncio.Future[Answer]
    problem: str = ""


class Asking:
    """Cards for what servers ask. ``ask`` and ``ask_trust`` are passed to servers.

    Call ``start`` once the store is open, before any server starts.
    """

    def __init__(
        self, store: Store, clock: Clock, registry: ToolRegistry, cancel_call: CancelCall,
        servers: Mapping[str, Server],
    ) -> None:  # fmt: skip
        self._store, self._clock, self._registry, self._cancel_call = store, clock, registry, cancel_call
        self._servers = servers
        self._ledger = Ledger(store, clock, _RESULTS)
        self._open: dict[str, _Open] = {}
        self._calls: dict[str, asyncio.Future[ToolCall]] = {}
        self._asked_at: dict[str, deque[float]] = {}  # times of the last questions, by server
        self._trusting = asyncio.Lock()
        self._following = Following(
            store, [Namespace.TOOL_CALL], resume=self._resume, take=self._take, name="mcp questions"
        )
        registry.put(
            _OwnTool(
                name=TRUST,
                effect=Effect.WRITE,
                body=self._trust,
                resolve=self._resolve_trust,
                probe=self._is_trusted,
            )
        )
        registry.put(
            _OwnTool(
                name=ANSWER,
                effect=Effect.SEND,
                body=self._answer,
                resolve=self._resolve_answer,
                revise=self._revise_answer,
            )
        )

    async def start(self) -> None:
        """Withdraw the questions of ended sessions, and follow the calls."""
        for call in await self._ledger.open_calls():
            if call.name == ANSWER:
                await self._cancel_call(call.id, "end of Pepper's last run")
        await self._following.start()

    async def stop(self) -> None:
        await self._following.stop()

    async def _resume(self) -> None:
        for call_id in [*self._calls]:
            if (found := await self._ledger.call(call_id)) is not None:
                self._ended(found[0])

    async def _take(self, updates: list[ContextUpdate]) -> None:
        for update in updates:
            if update.context.context_id in self._calls:
                for call in ToolCall.readable([update.context]):
                    self._ended(call)

    def _ended(self, call: ToolCall) -> None:
        waiting = self._calls.get(call.id)
        if waiting is not None and not waiting.done() and call.state not in CALL_OPEN:
            waiting.set_result(call)

    async def _schedule(self, name: str, server: str, arguments: Json) -> str:
        call_id = self._clock.new_id("call")
        effect = Effect.WRITE if name == TRUST else Effect.SEND
        call = ToolCall(call_id, name, arguments, effect, self._clock.now(), f"{ORIGIN}{server}")
        self._calls[call_id] = asyncio.get_running_loop().create_future()
        await self._store.put(call, namespace=Namespace.TOOL_CALL, type=name, tags=[OPEN_TAG])
        return call_id

    @staticmethod
    def _only_for_us(ctx: ToolContext) -> None:
        if not ctx.call.origin.startswith(ORIGIN):
            raise ToolError("only a server's own connection asks for this")

    # ------------------------------------------------------------------------------------------------------- trust

    async def ask_trust(self, server: Server) -> None:
        """Open one card for everything untrusted that ``server`` offers now, and withdraw the older card."""
        async with self._trusting:
            tool = self._registry.get(TRUST)
            assert tool is not None
            effect = self._trust_effect(tool, server)
            for call in await self._ledger.open_calls():
                if call.name == TRUST and call.arguments.get("server") == server.name:
                    card = await self._ledger.approval(call.approval)
                    if card is None or card[0].digest != effect.digest:
                        await self._cancel_call(call.id, "server, which changed its tools again")
            if await repeated(self._ledger, "", tool.same_key(effect)) is None:
                await self._schedule(TRUST, server.name, {"server": server.name})

    @staticmethod
    def _trust_effect(tool: Tool, server: Server) -> ResolvedEffect:
        offer, lines = server.offer, [CardLine("server", server.account)]
        pinned = offer.pinned or Pinned()
        names = []
        for each in offer.untrusted:
            before = pinned.tools.get(each.name)
            names.append(one_line(each.name, 60))
            label = "new" if before is None else "changed"
            lines.append(CardLine(label, f"{each.name}\n{difference(before, each)}", multiline=True))
        payload: Json = {"server": server.name, "identity": server.identity}
        payload["hashes"] = {each.name: each.hash for each in offer.untrusted}
        if offer.untrusted_instructions:
            said = pinned.instructions or ""
            names.append("its instructions")
            label = "changed instructions" if said else "new instructions"
            words = instructions.difference(said, offer.instructions)
            lines.append(CardLine(label, f"What it says to models of how to use it:\n{words}", multiline=True))
            payload["instructions"] = instructions.hash_of(offer.instructions)
        summary = f"Trust tools of the MCP server {server.name}: {one_line(', '.join(names), 100)}"
        return ResolvedEffect(tool.name, tool.definition, server.account, summary, lines, payload)

    async def _resolve_trust(self, ctx: ToolContext, server: str) -> ResolvedEffect:
        self._only_for_us(ctx)
        known = self._servers.get(server)
        if known is None or not known.offer.asks:
            raise ToolError("there is nothing to trust")
        return self._trust_effect(ctx.tool, known)

    async def _trust(self, ctx: ToolContext, effect: ResolvedEffect) -> str:
        """Let Pepper use tools of an MCP server whose definitions are new or have changed."""
        server = self._servers.get(str(effect.payload["server"]))
        if server is None or server.identity != effect.payload["identity"]:
            raise OutdatedError("The server is another by now.")
        await server.trust(dict(effect.payload["hashes"]), str(effect.payload.get("instructions", "")))
        return "trusted from now on"

    async def _is_trusted(self, ctx: ToolContext, effect: ResolvedEffect) -> bool | None:
        server = self._servers.get(str(effect.payload["server"]))
        if server is None or server.identity != effect.payload["identity"]:
            return None
        pinned = server.offer.pinned or Pinned()
        said = effect.payload.get("instructions")
        if said is not None and said != instructions.hash_of(pinned.instructions or ""):
            return False
        tools = pinned.tools
        return all(name in tools and tools[name].hash == each for name, each in effect.payload["hashes"].items())

    # --------------------------------------------------------------------------------------------------- questions

    async def ask(self, question: Question) -> Answer:
        """Return the user's answer to ``question``. Cancelling the wait withdraws the card."""
        if not self._may_ask(question.server):
            return Answer("cancel")
        name = self._clock.new_id("question")
        asked = self._open[name] = _Open(question, asyncio.get_running_loop().create_future())
        call_id = ""
        try:
            for _ in range(_TRIES):
                arguments = {"asked": one_line(question.message, 200), "question": name}
                call_id = await self._schedule(ANSWER, question.server, arguments)
                done = await self._calls[call_id]
                if asked.answer.done():
                    return asked.answer.result()
                if done.state is CallState.CANCELLED:
                    return Answer("decline" if done.error == "rejected" else "cancel")
                if not asked.problem:  # it expired, or too many wait already
                    return Answer("cancel")
            return Answer("cancel")
        except asyncio.CancelledError:
            if call_id:
                self._withdraw(call_id)
            raise
        finally:
            del self._open[name]

    def _may_ask(self, server: str) -> bool:
        """Check whether ``server`` may ask one more question, and count it if so."""
        asked, now = self._asked_at.setdefault(server, deque(maxlen=_A_MINUTE)), self._clock.monotonic()
        waiting = sum(each.question.server == server for each in self._open.values())
        if waiting >= _OPEN or (len(asked) == _A_MINUTE and now - asked[0] < 60):
            return False
        asked.append(now)
        return True

    def _withdraw(self, call_id: str) -> None:
        async def withdraw() -> None:
            with contextlib.suppress(Exception):  # the store may be closing: the next start does it
                await self._cancel_call(call_id, "server, which asks no longer")

        task = asyncio.create_task(withdraw(), name="mcp withdraw")
        self._calls.setdefault(call_id, asyncio.get_running_loop().create_future())
        task.add_done_callback(lambda _: self._calls.pop(call_id, None))

    async def _resolve_answer(self, ctx: ToolContext, question: str, asked: str = "") -> ResolvedEffect:
        self._only_for_us(ctx)
        waiting = self._open.get(question)
        if waiting is None:
            raise ToolError("the server asks no longer")
        return self._answer_effect(ctx, question, waiting, defaults_of(waiting.question.schema))

    def _answer_effect(self, ctx: ToolContext, name: str, asked: _Open, content: Json) -> ResolvedEffect:
        question, server = asked.question, self._servers[asked.question.server]
        message = shorten(question.message, _ASKED)
        lines = [CardLine("server", server.account), CardLine("it asks", message, multiline=True)]
        if asked.problem:
            lines.append(CardLine("again", asked.problem))
        if question.address:
            lines.append(CardLine("address", shorten(question.address, _ASKED), untrusted=True))
            lines.append(CardLine("your yes", "says that you will open it yourself; Pepper opens nothing"))
        for field, schema in fields_of(question.schema).items():
            lines.append(CardLine(field, as_words(content.get(field)), editable=True, outside=True))
            hint = hint_of(field, schema, question.schema)
            if field not in content:
                hint = f"nothing yet; {hint}" if hint else "nothing yet"
            if hint:
                lines.append(CardLine(f"({field})", hint, outside=True))
        if left_out := left_out_of(question.schema):
            lines.append(CardLine("left out", f"{left_out} more of its fields, which are not asked for"))
        payload = {"question": name, "server": question.server, "message": message, "content": content}
        summary = f"Answer the MCP server {question.server}: {one_line(question.message, 100)}"
        return ctx.effect(account=server.account, summary=summary, lines=lines, payload=payload)

    async def _revise_answer(self, ctx: ToolContext, effect: ResolvedEffect, fields: dict[str, str]) -> ResolvedEffect:
        name = str(effect.payload["question"])
        asked = self._open.get(name)
        if asked is None:
            raise ToolError("the server asks no longer")
        content = dict(effect.payload["content"])
        for field, schema in fields_of(asked.question.schema).items():
            if field.lower() in fields:
                value = value_of(field, schema, fields[field.lower()])
                content.pop(field, None)
                if value is not None:
                    content[field] = value
        return self._answer_effect(ctx, name, asked, content)

    async def _answer(self, ctx: ToolContext, effect: ResolvedEffect) -> str:
        """Give an MCP server the answer to what it asked in the midst of a call."""
        asked, content = self._open.get(str(effect.payload["question"])), dict(effect.payload["content"])
        if asked is None or asked.answer.done():
            raise OutdatedError("The server asks no longer.")
        required = asked.question.schema.get("required")
        missing = [str(name) for name in required if name not in content] if isinstance(required, list) else []
        if missing:
            asked.problem = f"{', '.join(missing)}: it wants a value; e edits the card"
            raise OutdatedError(f"{asked.problem}.")  # `ask` opens the next card itself
        asked.answer.set_result(Answer("accept", content))
        return "answered"
