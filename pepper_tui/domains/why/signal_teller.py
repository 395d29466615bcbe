"""How a signal is told: its line, why it got its rank, what it was made from; and what came of it."""

from __future__ import annotations

from datetime import tzinfo
from typing import Final

from pepper_tui.domains.why.silence import LISTED
from pepper_tui.domains.why.walk import Walk
from pepper_tui.model import Context, ContextFilter, Namespace, Signal, match_id
from pepper_tui.text import one_line

LOOKED_AT: Final = 2_000
"""Newest cards and steps among which those of a signal are looked for."""


async def tell_signal(walk: Walk, context: Context, depth: int) -> None:
    """Tell what came from outside, and why it got its rank; at the beginning of a walk also what came of it."""
    signal = Signal.of(context)
    words = f"signal {walk.at(signal.created_at)} [{signal.priority}] {one_line(signal.content, 200)}"
    walk.say(depth, words)
    walk.say(depth, f"  {signal.priority} because: {one_line(signal.reason, 160)}")
    for words in _gist(signal, walk.zone):
        walk.say(depth, f"  {words}")
    for quote in str(signal.metadata.get("evidence", "")).splitlines()[:LISTED]:
        walk.say(depth + 1, one_line(quote, 240))
    raw = str(signal.metadata.get("raw", ""))
    if raw:
        namespace = f"{Namespace.RAW}.{signal.source}"
        raw_id = raw.partition(":")[2] if raw.startswith(f"{Namespace.RAW}.") else raw
        saved = await walk.store.get(raw_id, namespace=namespace)
        kept = f"kept since {walk.at(saved.created_at)}" if saved else "no longer kept"
        walk.say(depth + 1, f"raw {namespace}: {one_line(raw_id, 80)} ({kept})")
    if depth == 0:
        await _by_rules(walk, context)
        await _cards(walk, context)
        await _handled(walk, context)


def _gist(signal: Signal, zone: tzinfo) -> list[str]:
    """Return where the parts of a signal's line come from, and what else is known about the matter."""
    gist = signal.gist
    if gist is None:
        return []
    lines = [f"in the words of {one_line(gist.by, 60)}"] if gist.by else []
    if gist.due is not None:
        kind = "due" if gist.until else "for"
        lines.append(f"{kind} {gist.when(zone, signal.created_at)}, read from “{one_line(gist.due_said, 80)}”")
    return lines + [f"related: {one_line(each.label, 160)} ({one_line(each.ref, 120)})" for each in gist.related]


async def _by_rules(walk: Walk, context: Context) -> None:
    """Tell what the user's rules did about a signal, for a walk that begins at the signal."""
    match = await walk.store.get(match_id(context), namespace=Namespace.RULE_MATCH)
    for ident in match.data["acts"] if match is not None else ():
        await walk.follow(f"{Namespace.RULE_ACT}:{ident}", 1)


async def _cards(walk: Walk, context: Context) -> None:
    """Tell why each card that came of a signal was closed by itself, for a walk that begins at the signal."""
    name = f"{context.namespace}:{context.context_id}"
    wanted = ContextFilter(
        namespaces=[Namespace.NOTIFICATION], since=context.created_at, limit=LOOKED_AT, include_expired=True
    )
    for found in await walk.store.query(wanted):
        if found.data.get("source") == name and (why := found.metadata.get("withdrawn")):
            title, at = one_line(str(found.data.get("title", "")), 100), walk.at(found.updated_at)
            walk.say(1, f"its card “{title}” was closed {at}, as {one_line(str(why), 120)}")


async def _handled(walk: Walk, context: Context) -> None:
    """Tell the step that took a signal, for a walk that begins at the signal."""
    name = f"{context.namespace}:{context.context_id}"
    steps = await walk.store.query(
        ContextFilter(namespaces=[Namespace.STEP], after_seq=0, since=context.created_at, limit=LOOKED_AT)
    )
    taken = [step for step in steps if name in step.data.get("inputs", [])]
    if not taken:
        walk.say(0, "no step has taken it" + (": log only" if context.data.get("priority") == "log" else " yet"))
    for step in taken[:1]:
        await walk.tell(step, 1)
