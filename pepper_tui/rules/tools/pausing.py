"""Pausing, resuming and removing a rule.

An order to pause or resume one rule that the user has typed in this very turn needs no card: the typed words are read
again here, by the same grammar that reads commands.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from pepper_tui.llm.offline.grammar import parse
from pepper_tui.model import CardLine, Effect, ResolvedEffect
from pepper_tui.rules.drafting import stays
from pepper_tui.rules.tools.parts import RULE_WRITES, done, one_rule, rules_of
from pepper_tui.text import one_line
from pepper_tui.tools.errors import ToolError
from pepper_tui.tools.said import said_in
from pepper_tui.tools.tool import ToolContext, tool


def _on_a_rule(verb: str) -> Callable[..., Awaitable[ResolvedEffect]]:
    async def resolve(ctx: ToolContext, rule: str, reason: str | None = None) -> ResolvedEffect:
        del reason
        found = one_rule(ctx, rule)
        if verb == "Remove" and found.origin == "built in":
            raise ToolError(stays(found))
        if verb == "Remove" and found.origin != "made":
            raise ToolError(
                f"the rule {one_line(found.name, 60)!r} stands in config.toml: take it out there; pausing it works here"
            )
        sentence, _ = rules_of(ctx).words(found)
        lines = [CardLine("Rule", one_line(found.name, 60)), CardLine("Says", sentence)]
        if ctx.call.root != "user":
            lines.append(CardLine("Careful", "you did not ask for this in the chat", untrusted=True))
        summary = f"{verb} the rule {one_line(found.name, 60)!r}"
        return ctx.effect(account="", summary=summary, lines=lines, payload={"id": found.id, "version": found.version})

    return resolve


def _typed_as(kind: str) -> Callable[[ToolContext, ResolvedEffect], Awaitable[bool]]:
    """Return a check whether the user typed an order of ``kind`` in this turn that means exactly the effect's rule."""

    async def ordered(ctx: ToolContext, effect: ResolvedEffect) -> bool:
        for text in await _orders(ctx):
            command = parse(text)
            if command.kind == kind:
                meant = rules_of(ctx).book.named(command["rule"])
                if [rule.id for rule in meant] == [effect.payload["id"]]:
                    return True
        return False

    return ordered


async def _orders(ctx: ToolContext) -> list[str]:
    """Return the messages of this call's step that the user typed from the first character to the last."""
    return [message.text for message in await said_in(ctx.store, ctx.call.origin) if not message.written.spans]


@tool(effect=Effect.LOCAL, asks=True, resolve=_on_a_rule("Pause"), ordered=_typed_as("pause_rule"), writes=RULE_WRITES)
async def pause_rule(ctx: ToolContext, effect: ResolvedEffect) -> str:
    """Pause a rule, also one of the config: it does nothing until it is resumed. Use it when the user says "stop
    watching …" or "don't tell me about … any more".

    Args:
        rule: its name, or what it looks for, in the user's words
        reason: why you propose it
    """
    return (await done(rules_of(ctx).changes.pause(effect.payload["id"])))[0]


@tool(
    effect=Effect.LOCAL, asks=True, resolve=_on_a_rule("Resume"), ordered=_typed_as("resume_rule"), writes=RULE_WRITES
)
async def resume_rule(ctx: ToolContext, effect: ResolvedEffect) -> str:
    """Let a paused rule go on.

    Args:
        rule: its name, or what it looks for, in the user's words
        reason: why you propose it
    """
    return (await done(rules_of(ctx).changes.resume(effect.payload["id"])))[0]


@tool(effect=Effect.LOCAL, asks=True, resolve=_on_a_rule("Remove"), writes=RULE_WRITES)
async def remove_rule(ctx: ToolContext, effect: ResolvedEffect) -> str:
    """Propose to remove a rule that was made in Pepper. To silence one, pause it.

    Args:
        rule: its name, as list_rules gives it
        reason: why you propose it
    """
    return (await done(rules_of(ctx).changes.remove(effect.payload["id"])))[0]
