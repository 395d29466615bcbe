"""A server's tool as the engine sees it: under its public name, with the effect that the config gives it.

``read`` tools are one call to the server. ``write`` and ``send`` tools resolve to the exact arguments; the approval
binds the server's identity, the definition's hash and the arguments. A definition that is not trusted has a ``bar``:
the tool is not offered to models and refuses every call.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final, Protocol

from pepper_tui.connectors.mcp.offer.definition import Definition
from pepper_tui.model import CardLine, Effect, Json, ResolvedEffect, ToolSpec
from pepper_tui.text import one_line
from pepper_tui.tools.errors import ArgumentError, ToolError
from pepper_tui.tools.tool import OUTSIDE_EFFECTS, Tool, ToolContext


class Caller(Protocol):
    """What carries out calls."""

    @property
    def account(self) -> str: ...

    @property
    def identity(self) -> str: ...

    async def call(self, ctx: ToolContext, definition: Definition, arguments: Json, /) -> str:
        """Return the result's text. Raises ``NotDoneError``, ``ReportedFailureError``, else ``ToolError``."""
        ...

    async def cancel(self, call_id: str, /) -> None: ...


@dataclass(frozen=True)
class McpTool(Tool):
    """A tool of a server; build it with ``mcp_tool``.

    ``instructions``: how to use the server, in its words, as a model reads them.
    """

    claimed: Definition | None = None
    identity: str = ""
    bar: str = ""
    instructions: str = ""

    @property
    def _claimed(self) -> Definition:
        assert self.claimed is not None
        return self.claimed

    @property
    def offered(self) -> bool:
        return not self.bar

    @cached_property
    def parameters(self) -> Json:
        return self._claimed.parameters

    @cached_property
    def definition(self) -> str:
        """Hash of identity, definition and effect."""
        bound = {"hash": self._claimed.hash, "identity": self.identity, "name": self.name, "effect": self.effect.value}
        return hashlib.sha256(json.dumps(bound, sort_keys=True).encode()).hexdigest()

    @cached_property
    def spec(self) -> ToolSpec:
        return ToolSpec(
            self.name,
            self._claimed.described,
            self.parameters,
            self.effect,
            self.resumes,
            server=self._claimed.server,
            instructions=self.instructions,
        )

    def validate(self, arguments: Json) -> Json:
        if self.bar:
            raise ToolError(f"{self.name}: {self.bar}")
        if not isinstance(arguments, dict):
            raise ArgumentError(f"{self.name}: the arguments must be an object")
        fitted = self._claimed.fitted(arguments)
        wrong = self._claimed.wrong(fitted)
        if wrong:
            raise ArgumentError(f"{self.name}: {wrong}")
        return fitted


_SUMMARY: Final = 120  # characters of the arguments in a card's title


def mcp_tool(caller: Caller, claimed: Definition, effect: Effect, bar: str = "", instructions: str = "") -> McpTool:
    """Return the tool for the definition ``claimed``, carried out by ``caller``."""

    async def read(ctx: ToolContext, /, **arguments: Any) -> str:
        return await caller.call(ctx, claimed, arguments)

    async def perform(ctx: ToolContext, resolved: ResolvedEffect, /) -> str:
        return await caller.call(ctx, claimed, resolved.payload["arguments"])

    async def resolve(ctx: ToolContext, /, **arguments: Any) -> ResolvedEffect:
        return _resolved(ctx, caller.account, claimed, arguments)

    async def revise(ctx: ToolContext, resolved: ResolvedEffect, fields: dict[str, str], /) -> ResolvedEffect:
        arguments = dict(resolved.payload["arguments"])
        for name, before in resolved.payload["arguments"].items():
            if name.lower() in fields:
                arguments[name] = _typed(name, before, fields[name.lower()])
        ctx.tool.validate(arguments)
        return _resolved(ctx, caller.account, claimed, arguments)

    async def stop(ctx: ToolContext, /) -> None:
        await caller.cancel(ctx.call.id)

    outside = effect in OUTSIDE_EFFECTS
    account: Callable[[object, Json], str] = lambda _given, _payload: caller.account  # noqa: E731
    return McpTool(
        name=claimed.public,
        effect=effect,
        body=perform if outside else read,
        resolve=resolve if outside else None,
        revise=revise if outside else None,
        account=account,
        on_cancel=stop,
        resumes=True,  # its time limit and its slot are the server's, which also knows when it waits for the user
        claimed=claimed,
        identity=caller.identity,
        bar=bar,
        instructions=instructions,
    )


def _resolved(ctx: ToolContext, account: str, claimed: Definition, arguments: Json) -> ResolvedEffect:
    words = ", ".join(_text(value) for value in arguments.values())
    lines = [CardLine("server", account), CardLine("tool", claimed.name)]
    for name, value in arguments.items():
        text = _text(value)
        editable = name.lower() not in ("server", "tool")
        lines.append(CardLine(name, text, editable=editable, multiline="\n" in text, outside=True))
    summary = f"{claimed.public}: {one_line(words, _SUMMARY)}" if words else claimed.public
    return ctx.effect(
        account=account, summary=summary, lines=lines, payload={"tool": claimed.name, "arguments": arguments}
    )


def _text(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _typed(name: str, before: object, text: str) -> object:
    if isinstance(before, str):
        return text
    try:
        return json.loads(text)
    except ValueError as error:
        raise ToolError(f"{name} must stay JSON, as it was: {one_line(_text(before), 40)}") from error
