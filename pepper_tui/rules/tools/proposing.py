"""Making and changing a rule: a card shows it as a sentence and as TOML, and what it would have done lately."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Unpack

from pepper_tui.model import CardLine, Effect, Json, ResolvedEffect, Rule
from pepper_tui.rules.tools.arguments import Said, first_of, listed, of_the_config
from pepper_tui.rules.tools.parts import RULE_WRITES, done, one_rule, rules_of
from pepper_tui.rules.tools.people import addresses_of, refuse_name
from pepper_tui.text import one_line
from pepper_tui.tools.errors import ToolError
from pepper_tui.tools.said import said_in
from pepper_tui.tools.tool import ToolContext, tool


async def _propose(ctx: ToolContext, name: str, **said: Unpack[Said]) -> ResolvedEffect:
    sender, words = said.get("sender"), said.get("words")
    addresses, people = await addresses_of(ctx, sender)
    if not addresses:
        await refuse_name(ctx, listed(words) or [])
    called = first_of(name, sender, words, said.get("thread"), said.get("ask"))
    try:
        rule = rules_of(ctx).changes.drafted({"name": called, **of_the_config(said), "sender": addresses})
    except ValueError as error:
        raise ToolError(str(error)) from error
    lines = await _lines(ctx, rule, people)
    return ctx.effect(account="", summary=f"Rule: {lines[0].value}", lines=lines, payload={"rule": rule.data()})


def _same(payload: Json) -> Json:
    """Return what makes two proposals the same request: the rule without id, name, version, time and state."""
    rule = payload.get("rule")
    if not isinstance(rule, dict):
        return payload
    return {key: value for key, value in rule.items() if key not in ("id", "name", "version", "created_at", "state")}


@tool(effect=Effect.LOCAL, asks=True, resolve=_propose, same=_same, writes=RULE_WRITES)
async def propose_rule(ctx: ToolContext, effect: ResolvedEffect) -> str:
    """Propose a rule: whenever its condition holds, its acts are done by code, for good. Use it when the user says
    "from now on", "always", "every …". It needs a condition and an act, and holds once the user has said yes.

    Args:
        name: a short name for it
    """
    return await done(rules_of(ctx).changes.make(Rule.of(effect.payload["rule"])))


async def _change(
    ctx: ToolContext, rule: str, version: str | None = None, name: str | None = None, **said: Unpack[Said]
) -> ResolvedEffect:
    rules = rules_of(ctx)
    people: list[CardLine] = []
    try:
        if version:
            removed = [] if rules.book.named(rule) else await rules.changes.removed(rule)
            was = removed[0] if removed else one_rule(ctx, rule)
            becomes = await rules.changes.earlier(was.id, version)
        else:
            was = one_rule(ctx, rule)
            given = of_the_config(said)
            if name is not None:
                given["name"] = name
            if (sender := said.get("sender")) is not None:
                given["sender"], people = await addresses_of(ctx, sender)
            becomes = rules.changes.redrafted(was, given)
    except ValueError as error:
        raise ToolError(str(error)) from error
    lines = await _lines(ctx, becomes, people)
    lines.insert(1, CardLine("Was", f"{rules.words(was)[0]} (version {was.version}, {was.state})"))
    summary = f"Change the rule {one_line(was.name, 60)!r}: {lines[0].value}"
    return ctx.effect(account="", summary=summary, lines=lines, payload={"rule": becomes.data(), "of": was.version})


@tool(effect=Effect.LOCAL, asks=True, resolve=_change, writes=RULE_WRITES)
async def change_rule(ctx: ToolContext, effect: ResolvedEffect) -> str:
    """Propose to change a rule that was made in Pepper, or to bring back an earlier version of it. What is left out
    stays as it is. Rules of the config can't be changed here.

    Args:
        rule: its name, as list_rules gives it
        version: an earlier version to bring back; then nothing else is given
        name: a new name
        sender: as in propose_rule; an empty list for anybody
        words: any of these as whole words; an empty list for none
    """
    return await done(rules_of(ctx).changes.change(Rule.of(effect.payload["rule"])))


async def _lines(ctx: ToolContext, rule: Rule, before: Sequence[CardLine] = ()) -> list[CardLine]:
    """Return the lines of a rule's card."""
    rules = rules_of(ctx)
    sentence, toml = rules.words(rule)
    lines = [CardLine("Rule", sentence), *before]
    # settled: the mails that it names are not part of the effect, so their addresses need no mark
    lines.append(CardLine("Lately", await rules.rehearse(rule), settled=True))
    if rule.ask and rules.offline:
        lines.append(
            CardLine("Waits", "for a model: none is set, so the prompt waits; the other acts are done", settled=True)
        )
    typed = [" ".join(text.casefold().split()) for text in await _typed(ctx)]
    for label, words in (("Prompt", rule.ask), ("Reply", rule.reply)):
        plain = " ".join(words.casefold().split())
        if plain and not any(plain in text for text in typed):
            lines.append(CardLine(label, words, untrusted=True, multiline=True))
    if ctx.call.root != "user":
        lines.append(CardLine("Careful", "you did not ask for this in the chat", untrusted=True))
    return [*lines, CardLine("TOML", toml, multiline=True)]


async def _typed(ctx: ToolContext) -> list[str]:
    """Return what the user typed in the messages of this call's step."""
    said = await said_in(ctx.store, ctx.call.origin)
    return [piece for message in said for piece in message.written.typed()]
