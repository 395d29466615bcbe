"""Rules as tools: a model may list them, and propose to make, change, pause, resume or remove one. The user says yes.

A card shows the rule as one sentence and as TOML, and what it would have done lately. A name becomes the addresses of
who writes under it; where these are several, it is asked. What the user has typed in this very turn as an order to
pause or resume one rule needs no card: the typed words are read again here, by the same grammar that reads commands.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeVar

from pepper_tui.clock import iso
from pepper_tui.llm.offline.grammar import parse
from pepper_tui.model import (
    CardLine,
    Effect,
    Json,
    Namespace,
    ResolvedEffect,
    Rule,
    RuleReport,
)
from pepper_tui.rules.book import RuleBook
from pepper_tui.rules.changes import RuleChanges
from pepper_tui.rules.senders import Sender
from pepper_tui.text import one_line
from pepper_tui.tools.errors import NotDoneError, ToolError
from pepper_tui.tools.said import said_in
from pepper_tui.tools.tool import Tool, ToolContext, tool

_WRITES: Final = frozenset({Namespace.RULE, Namespace.RULE_PAUSE})
_ADDRESS: Final = re.compile(r"[^\s@<>,]{0,64}@[^\s@<>,]+\.[^\s@<>,]+|[^\s@<>,]{1,64}@[^\s@<>,]+")
_NAMED: Final = 6  # people that a question lists


@dataclass(slots=True)
class RuleParts:
    """All that tools may do with rules. ``words``: a rule as a sentence and as TOML; ``rehearse``: what it would have
    done lately; ``senders``: who is meant by a name; ``offline``: there is no model that a rule could ask."""

    book: RuleBook
    changes: RuleChanges
    words: Callable[[Rule], tuple[str, str]]
    rehearse: Callable[[Rule], Awaitable[str]]
    senders: Callable[[str], Awaitable[Sequence[Sender]]]
    reports: Callable[[Sequence[Rule]], Awaitable[list[RuleReport]]]
    offline: bool = False


T = TypeVar("T")
Words = list[str] | str | None


def _rules(ctx: ToolContext) -> RuleParts:
    if ctx.tool.given is None:
        raise ToolError("rules are not available here")
    return ctx.of(RuleParts)


def _one(ctx: ToolContext, words: str) -> Rule:
    """The one rule that ``words`` mean. Raises ``ToolError``."""
    book = _rules(ctx).book
    found = book.named(words)
    if len(found) == 1:
        return found[0]
    listed = ", ".join(one_line(rule.name, 60) for rule in (found or book.rules)[:20])
    if found:
        raise ToolError(f"{len(found)} rules may be meant by {one_line(words, 60)!r}: {listed}. Name one of them.")
    there = f"there are: {listed}" if listed else "there are none yet"
    raise ToolError(f"there is no rule {one_line(words, 60)!r}; {there}")


async def _typed(ctx: ToolContext) -> list[str]:
    """What the user typed that the step of this call held."""
    said = await said_in(ctx.store, ctx.call.origin)
    return [piece for message in said for piece in message.written.typed()]


async def _orders(ctx: ToolContext) -> list[str]:
    """The messages of this call's step that the user typed from the first character to the last."""
    return [message.text for message in await said_in(ctx.store, ctx.call.origin) if not message.written.spans]


# ---------------------------------------------------------------------------------------------------- what is said


def _listed(words: Words) -> list[str] | None:
    if words is None:
        return None
    return [each for each in ([words] if isinstance(words, str) else words) if each.strip()]


def _given(**said: Any) -> Json:
    """What was said of a rule, by the config's keys; what was left open is left out."""
    seconds, hours, minutes = (said.pop(key) for key in ("every_seconds", "follow_up_hours", "brief_minutes"))
    said |= {"every": seconds, "follow_up": hours, "brief": minutes}
    said["words"] = _listed(said["words"])
    return {key: value for key, value in said.items() if value is not None}


def _name(*said: Words) -> str:
    """What a rule is called: the first of ``said`` that is anything."""
    return next((one_line(each, 60) for words in said for each in _listed(words) or []), "rule")


async def _senders(ctx: ToolContext, words: Words) -> tuple[list[str], list[CardLine]]:
    """Addresses of who is meant, and a line for each name that was looked up. Raises ``ToolError``."""
    addresses: list[str] = []
    lines: list[CardLine] = []
    for said in _listed(words) or []:
        plain = said.strip().strip("<>").lower()
        if _ADDRESS.fullmatch(plain):
            addresses.append(plain)
            continue
        found = await _rules(ctx).senders(said)
        shown = one_line(said, 60)
        if not found:
            raise ToolError(
                f"I know no address of {shown!r}: nobody of that name has written to you lately, nor you to them. "
                "Name the address, as in: always tell me when mail from ann@example.org comes."
            )
        if len(found) > 1:
            people = "; ".join(one_line(each.words, 160) for each in found[:_NAMED])
            more = f"; and {len(found) - _NAMED} more" if len(found) > _NAMED else ""
            raise ToolError(
                f"{len(found)} addresses write as {shown!r}: {people}{more}. Name the one that you mean, "
                f"as in: always tell me when mail from {found[0].address} comes."
            )
        addresses.append(found[0].address)
        lines.append(CardLine(f"{shown} is", found[0].words))
    return addresses, lines


async def _no_name(ctx: ToolContext, words: Sequence[str]) -> None:
    """Raise ``ToolError`` where a word that the user gave bare, to be watched, is the name of somebody who writes."""
    said = await said_in(ctx.store, ctx.call.origin)
    things = {parse(message.text)["thing"] for message in said} & set(words)
    for thing in sorted(things - {""}):
        named = [one for one in await _rules(ctx).senders(thing) if _goes_by(thing, one.name, one.written)]
        if named:
            shown = one_line(thing, 60)
            raise ToolError(
                f"{shown!r} is a name: {one_line(named[0].words, 160)} writes under it. Say “watch mail from {shown}” "
                f'for what comes from there, or put it in quotes for the word: watch "{shown}".'
            )


def _goes_by(thing: str, name: str, written: bool) -> bool:
    """Whether ``thing`` is how a person is called, not just a word in the name of some sender."""
    return written or thing[:1].isupper() or name.casefold().startswith(thing.casefold())


async def _lines(ctx: ToolContext, rule: Rule, before: Sequence[CardLine] = ()) -> list[CardLine]:
    """What the card of a rule shows."""
    rules = _rules(ctx)
    sentence, toml = rules.words(rule)
    lines = [CardLine("Rule", sentence), *before]
    # settled: the mails that it names are no part of the effect, so their addresses need no mark
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


def _same(payload: Json) -> Json:
    """Two proposals of the same words are the same request."""
    rule = payload.get("rule")
    if not isinstance(rule, dict):
        return payload
    return {key: value for key, value in rule.items() if key not in ("id", "name", "version", "created_at", "state")}


async def _done(work: Awaitable[T]) -> T:
    try:
        return await work
    except ValueError as error:
        raise NotDoneError(f"{error}.") from error


# ---------------------------------------------------------------------------------------------------- making, changing


async def _propose(
    ctx: ToolContext,
    name: str,
    sender: Words = None,
    words: Words = None,
    source: str | None = None,
    thread: str | None = None,
    label: str | None = None,
    known: bool | None = None,
    question: bool | None = None,
    cron: str | None = None,
    every_seconds: float | None = None,
    text: str | None = None,
    before: int | None = None,
    after: str | None = None,
    priority: str | None = None,
    notify: bool | None = None,
    draft: str | None = None,
    reply: str | None = None,
    remind: str | None = None,
    follow_up_hours: float | None = None,
    nudge: str | None = None,
    brief_minutes: int | None = None,
    ask: str | None = None,
    reason: str | None = None,
) -> ResolvedEffect:
    del reason  # the card has it from the call
    given = _given(
        name=_name(name, sender, words, thread, ask), words=words, source=source, thread=thread, label=label,
        known=known, question=question, cron=cron, every_seconds=every_seconds, text=text, before=before, after=after,
        priority=priority, notify=notify, draft=draft, reply=reply, remind=remind, follow_up_hours=follow_up_hours,
        nudge=nudge, brief_minutes=brief_minutes, ask=ask,
    )  # fmt: skip
    addresses, people = await _senders(ctx, sender)
    if not addresses:
        await _no_name(ctx, _listed(words) or [])
    try:
        rule = _rules(ctx).changes.drafted({**given, "sender": addresses})
    except ValueError as error:
        raise ToolError(str(error)) from error
    lines = await _lines(ctx, rule, people)
    return ctx.effect(account="", summary=f"Rule: {lines[0].value}", lines=lines, payload={"rule": rule.data()})


@tool(effect=Effect.LOCAL, asks=True, resolve=_propose, same=_same, writes=_WRITES)
async def propose_rule(ctx: ToolContext, effect: ResolvedEffect) -> str:
    """Propose a rule: whenever its condition holds, its acts are done by code, for good. Use it when the user says
    "from now on", "always", "every …". It needs a condition and an act, and holds once the user has said yes.

    Args:
        name: a short name for it
        sender: who writes: addresses, domains as "@example.com", or names of people who have written before
        words: any of these as whole words, in subject or text
        source: mail, calendar, or the name of a feed; empty for any
        thread: words of the subject
        label: folder of the mail, or category of the event
        known: true: only from people the user has written to
        question: true: only a mail to the user that asks something
        cron: a time, as a cron line in the user's zone, e.g. "0 8 * * mon-fri"; not together with the conditions above
        every_seconds: or a time every so many seconds
        text: what it says at that time
        before: minutes before an event at which its acts are done
        after: the name of a rule whose follow-up was not answered
        priority: urgent, high, normal, low or log
        notify: true: tell the user
        draft: the name of a template of the user's to draft a reply from
        reply: or the words of the draft themselves
        remind: make a reminder, e.g. "tomorrow 9am"
        follow_up_hours: hours to wait for an answer in the thread, then tell the user
        nudge: a template to draft a reminder mail from, where no answer came
        brief_minutes: minutes before an event to brief the user; at a time: 1, for a brief of the day
        ask: a prompt for the model, in the user's words
        reason: why you propose it
    """
    return await _done(_rules(ctx).changes.make(Rule.of(effect.payload["rule"])))


async def _change(
    ctx: ToolContext,
    rule: str,
    version: str | None = None,
    name: str | None = None,
    sender: Words = None,
    words: Words = None,
    source: str | None = None,
    thread: str | None = None,
    label: str | None = None,
    known: bool | None = None,
    question: bool | None = None,
    cron: str | None = None,
    every_seconds: float | None = None,
    text: str | None = None,
    before: int | None = None,
    after: str | None = None,
    priority: str | None = None,
    notify: bool | None = None,
    draft: str | None = None,
    reply: str | None = None,
    remind: str | None = None,
    follow_up_hours: float | None = None,
    nudge: str | None = None,
    brief_minutes: int | None = None,
    ask: str | None = None,
    reason: str | None = None,
) -> ResolvedEffect:
    del reason
    rules = _rules(ctx)
    people: list[CardLine] = []
    try:
        if version:
            removed = [] if rules.book.named(rule) else await rules.changes.removed(rule)
            was = removed[0] if removed else _one(ctx, rule)
            becomes = await rules.changes.earlier(was.id, version)
        else:
            was = _one(ctx, rule)
            given = _given(
                name=name, words=words, source=source, thread=thread, label=label, known=known, question=question,
                cron=cron, every_seconds=every_seconds, text=text, before=before, after=after, priority=priority,
                notify=notify, draft=draft, reply=reply, remind=remind, follow_up_hours=follow_up_hours, nudge=nudge,
                brief_minutes=brief_minutes, ask=ask,
            )  # fmt: skip
            if sender is not None:
                given["sender"], people = await _senders(ctx, sender)
            becomes = rules.changes.redrafted(was, given)
    except ValueError as error:
        raise ToolError(str(error)) from error
    lines = await _lines(ctx, becomes, people)
    lines.insert(1, CardLine("Was", f"{rules.words(was)[0]} (version {was.version}, {was.state})"))
    summary = f"Change the rule {one_line(was.name, 60)!r}: {lines[0].value}"
    return ctx.effect(account="", summary=summary, lines=lines, payload={"rule": becomes.data(), "of": was.version})


@tool(effect=Effect.LOCAL, asks=True, resolve=_change, writes=_WRITES)
async def change_rule(ctx: ToolContext, effect: ResolvedEffect) -> str:
    """Propose to change a rule that was made in Pepper, or to bring back an earlier version of it. What is left out
    stays as it is. Rules of the config can't be changed here.

    Args:
        rule: its name, as list_rules gives it
        version: an earlier version to bring back; then nothing else is given
        name: a new name
        sender: as in propose_rule; an empty list for anybody
        words: any of these as whole words; an empty list for none
        source: mail, calendar, or the name of a feed
        thread: words of the subject
        label: folder of the mail, or category of the event
        known: only from people the user has written to
        question: only a mail to the user that asks something
        cron: a time as a cron line
        every_seconds: or every so many seconds
        text: what it says at that time
        before: minutes before an event
        after: the name of a rule whose follow-up was not answered
        priority: urgent, high, normal, low or log
        notify: tell the user
        draft: the name of a template
        reply: or the words of the draft
        remind: e.g. "tomorrow 9am"
        follow_up_hours: hours to wait for an answer
        nudge: a template for a reminder mail
        brief_minutes: minutes before an event to brief the user
        ask: a prompt for the model
        reason: why you propose it
    """
    return await _done(_rules(ctx).changes.change(Rule.of(effect.payload["rule"])))


# ---------------------------------------------------------------------------------------------------- pausing, removing


def _on_a_rule(verb: str) -> Callable[..., Awaitable[ResolvedEffect]]:
    async def resolve(ctx: ToolContext, rule: str, reason: str | None = None) -> ResolvedEffect:
        del reason
        found = _one(ctx, rule)
        if verb == "Remove" and found.origin == "built in":
            raise ToolError(_rules(ctx).changes.stays(found))
        if verb == "Remove" and found.origin != "made":
            raise ToolError(
                f"the rule {one_line(found.name, 60)!r} stands in config.toml: take it out there; pausing it works here"
            )
        sentence, _ = _rules(ctx).words(found)
        lines = [CardLine("Rule", one_line(found.name, 60)), CardLine("Says", sentence)]
        if ctx.call.root != "user":
            lines.append(CardLine("Careful", "you did not ask for this in the chat", untrusted=True))
        summary = f"{verb} the rule {one_line(found.name, 60)!r}"
        return ctx.effect(account="", summary=summary, lines=lines, payload={"id": found.id, "version": found.version})

    return resolve


def _typed_as(kind: str) -> Callable[[ToolContext, ResolvedEffect], Awaitable[bool]]:
    """Whether the user has typed an order of ``kind`` in this turn that means exactly the rule of the effect."""

    async def ordered(ctx: ToolContext, effect: ResolvedEffect) -> bool:
        for text in await _orders(ctx):
            command = parse(text)
            if command.kind == kind:
                meant = _rules(ctx).book.named(command["rule"])
                if [rule.id for rule in meant] == [effect.payload["id"]]:
                    return True
        return False

    return ordered


@tool(effect=Effect.LOCAL, asks=True, resolve=_on_a_rule("Pause"), ordered=_typed_as("pause_rule"), writes=_WRITES)
async def pause_rule(ctx: ToolContext, effect: ResolvedEffect) -> str:
    """Pause a rule, also one of the config: it does nothing until it is resumed. Use it when the user says "stop
    watching …" or "don't tell me about … any more".

    Args:
        rule: its name, or what it looks for, in the user's words
        reason: why you propose it
    """
    return (await _done(_rules(ctx).changes.pause(effect.payload["id"])))[0]


@tool(effect=Effect.LOCAL, asks=True, resolve=_on_a_rule("Resume"), ordered=_typed_as("resume_rule"), writes=_WRITES)
async def resume_rule(ctx: ToolContext, effect: ResolvedEffect) -> str:
    """Let a paused rule go on.

    Args:
        rule: its name, or what it looks for, in the user's words
        reason: why you propose it
    """
    return (await _done(_rules(ctx).changes.resume(effect.payload["id"])))[0]


@tool(effect=Effect.LOCAL, asks=True, resolve=_on_a_rule("Remove"), writes=_WRITES)
async def remove_rule(ctx: ToolContext, effect: ResolvedEffect) -> str:
    """Propose to remove a rule that was made in Pepper. To silence one, pause it.

    Args:
        rule: its name, as list_rules gives it
        reason: why you propose it
    """
    return (await _done(_rules(ctx).changes.remove(effect.payload["id"])))[0]


# ---------------------------------------------------------------------------------------------------- looking


def report_line(report: RuleReport) -> str:
    """One line a rule: its name and state, what it says, and what came of it."""
    rule = report.rule
    state = "" if rule["state"] == "active" else f" ({rule['state']})"
    origin = {"config": ", in config.toml", "built in": ", built in"}.get(rule["origin"], "")
    return f"{one_line(rule['name'], 60)}{state}{origin} | {report.sentence} | {outcome(report)}"


def outcome(report: RuleReport) -> str:
    """What came of a rule, in words."""
    matches = (
        f"{report.matches:,} {'match' if report.matches == 1 else 'matches'}" if report.matches else "no match yet"
    )
    acts = [f"{count:,} {state}" for state, count in report.acts.items()]
    said = [matches, *([f"acts: {', '.join(acts)}"] if acts else [])]
    if report.cost:
        said.append(f"cost {report.cost:.2f}")
    if report.dismissed:
        said.append(f"{report.dismissed:,} dismissed")
    if report.waits:
        said.append(report.waits)
    return ", ".join(said)


@tool(effect=Effect.READ)
async def list_rules(ctx: ToolContext, rule: str | None = None) -> str:
    """List the user's rules: name, what each says, and what came of it.

    Args:
        rule: only this one, by its name, with its TOML and its earlier versions
    """
    rules = _rules(ctx)
    if not rule:
        reports = await rules.reports(rules.book.rules)
        return "\n".join(report_line(each) for each in reports) or "No rules."
    one = _one(ctx, rule)
    [report] = await rules.reports([one])
    lines = [report_line(report), "", report.toml] if report.toml else [report_line(report)]
    versions = await rules.changes.versions(one.id) if one.origin == "made" else []
    if len(versions) > 1:
        lines += ["", "Versions:"]
        lines += [f"{each.version}: {rules.words(each)[0]}" for each in versions]
    if report.last is not None:
        lines += ["", f"Last match: {iso(report.last, ctx.zone)}"]
    return "\n".join(lines)


def rule_tools(parts: RuleParts | None) -> list[Tool]:
    every = (list_rules, propose_rule, change_rule, pause_rule, resume_rule, remove_rule)
    return [each.with_given(parts) for each in every]
