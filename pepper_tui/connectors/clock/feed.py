"""Signals by the clock, for rules with a time: cron lines in the user's zone, and intervals.

The next time of each rule is stored. After downtime, the newest missed time fires once if it is at most a day old;
older ones are skipped. While a rule is paused, its times pass without a signal.
"""

from __future__ import annotations

import asyncio
import hashlib
from datetime import datetime, tzinfo
from typing import Final, cast

from croniter import croniter

from pepper_tui.feeds.feed import FeedContext, store_signal
from pepper_tui.feeds.triage import Triage
from pepper_tui.model import ContextUpdate, Facts, Json, Namespace, Rule, RuleState, Signal
from pepper_tui.text import one_line

NAME: Final = "clock"
RAW: Final = f"{Namespace.RAW}.{NAME}"
TIMES: Final = "feed.clock"
LATEST: Final = 86_400.0  # seconds by which a time may be late and still fire
LATE: Final = 60.0  # seconds from which on it counts as late


def next_time(entry: Rule, after: float, zone: tzinfo) -> float:
    """Return the first time of ``entry`` later than ``after``. Raises ``ValueError`` for an unreadable cron line."""
    if entry.every:
        return after + entry.every
    at = float(croniter(entry.cron, datetime.fromtimestamp(after, zone)).get_next(float))
    return next_time(entry, at, zone) if _comes_again(entry, at, zone) else at


def newest_missed(entry: Rule, due: float, now: float, zone: tzinfo) -> float:
    """Return the newest time of ``entry`` from ``due`` to ``now``."""
    if entry.every:
        return due + (now - due) // entry.every * entry.every
    newest = float(croniter(entry.cron, datetime.fromtimestamp(now + 1, zone)).get_prev(float))
    while _comes_again(entry, newest, zone):
        newest = float(croniter(entry.cron, datetime.fromtimestamp(newest, zone)).get_prev(float))
    return max(due, newest)


def _comes_again(entry: Rule, at: float, zone: tzinfo) -> bool:
    """Check whether ``at`` is the second occurrence of its wall time, after the clocks went back.

    An entry with fixed hours means the first; one for each hour, or for hours in steps, counts real hours.
    """
    return datetime.fromtimestamp(at, zone).fold == 1 and not entry.cron.split()[1].startswith("*")


class ClockFeed:
    """The feed ``clock``: the current timed rules in ``triage``'s book.

    ``changed`` is set when the book has changed. A rule with an unreadable time is reported; the others keep working.
    """

    name = NAME

    def __init__(self, triage: Triage, changed: asyncio.Event) -> None:
        self._triage, self._changed = triage, changed

    def listen(self, ctx: FeedContext) -> None:
        async def process(update: ContextUpdate) -> None:
            async with ctx.processing(update.seq):
                await self._signal(ctx, update)

        ctx.subscriber.on_context_update(namespaces=[RAW], name="feeds.clock", start="beginning")(process)

    async def _signal(self, ctx: FeedContext, update: ContextUpdate) -> None:
        raw = update.context.data
        entry = str(raw.get("entry") or "")
        facts = Facts(
            NAME, subject=raw["name"], text=raw["text"], priority=raw["priority"], reason=raw["reason"], entry=entry
        )
        priority, reason, rules = self._triage.judge(facts)
        metadata: Json = {"raw": raw["id"], "entry": raw["name"], "due": raw["due"], "late": raw["late"]}
        if rules:
            metadata["rules"] = list(rules)
        signal = Signal(
            id=f"signal_{raw['id']}",
            content=one_line(f"{raw['name']}: {raw['text']}", 320),
            created_at=update.context.created_at,
            priority=priority,
            source=NAME,
            reason=reason,
            matter=f"clock:{raw['name']}",
            metadata=metadata,
            matter_kind="state",
        )
        await store_signal(ctx.store, signal)

    async def run(self, ctx: FeedContext) -> None:
        entries: list[Rule] = []
        self._changed.set()
        while True:
            if self._changed.is_set():
                self._changed.clear()
                entries = await self._readable(ctx)
            if not entries:  # no rule has a time: sleep until one is made
                await self._changed.wait()
                continue
            soonest = min([await self._turn(ctx, entry) for entry in entries], default=float("inf"))
            await ctx.wait_until(self._changed, soonest)
            await asyncio.sleep(0)

    async def _readable(self, ctx: FeedContext) -> list[Rule]:
        entries, bad = [], []
        for entry in self._triage.book.timed():
            try:
                next_time(entry, ctx.clock.now(), ctx.zone)
                entries.append(entry)
            except (ValueError, KeyError) as error:
                bad.append(f"{entry.name}: {error}")
        if bad:
            await ctx.health.report("trouble", "; ".join(bad), "fix the cron line of the rule in config.toml")
        else:
            await ctx.health.report("ok", f"{len(entries)} entries")
        return entries

    async def _turn(self, ctx: FeedContext, entry: Rule) -> float:
        """Fire ``entry`` if it is due; return its next time."""
        now = ctx.clock.now()
        rhythm = entry.cron or f"every {entry.every:g}"
        kept = await ctx.store.get(entry.id, namespace=TIMES)
        due = cast(float, kept.data["next"]) if kept and kept.data["rhythm"] == rhythm else None
        if due is not None and now < due <= now + (entry.every or float("inf")):
            return due
        fires = None
        if due is not None and due <= now:
            newest = newest_missed(entry, due, now, ctx.zone)
            fires = newest if now - newest <= LATEST and entry.state is RuleState.ACTIVE else None
            following = newest + entry.every if entry.every else next_time(entry, now, ctx.zone)
        else:
            following = next_time(entry, now, ctx.zone)
        async with ctx.store.unit():
            if fires is not None:
                await ctx.store.store(self._raw(entry, fires, now), namespace=RAW, type="clock", text=entry.text)
            await ctx.store.store({"next": following, "rhythm": rhythm}, namespace=TIMES, context_id=entry.id)
        return following

    @staticmethod
    def _raw(entry: Rule, due: float, now: float) -> Json:
        late = now - due > LATE
        key = hashlib.sha256(entry.id.encode()).hexdigest()[:12]
        return {
            "id": f"clock_{key}_{due:.0f}",
            "name": entry.name,
            "entry": entry.id,
            "text": entry.text or entry.name,
            "due": due,
            "late": late,
            "priority": str(entry.priority),
            "reason": f"your rule {entry.name!r}" + (", late" if late else ""),
        }
