"""Rehearses a rule: what it would have done over the last 30 days, from stored facts.

The result says what was not checked.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, tzinfo
from typing import Final

from croniter import croniter

from pepper_tui.clock import Clock
from pepper_tui.model import Context, ContextFilter, Facts, Json, Namespace, Record, Rule
from pepper_tui.rules.condition import holds
from pepper_tui.rules.pages import Newest
from pepper_tui.store import Store
from pepper_tui.text import one_line

DAYS: Final = 30
EXAMPLES: Final = 5
MAILS: Final = 5000
"""How many of the newest mails (or signals of one feed) are checked."""
_TIMES: Final = 1000  # occurrences of a cron line that are counted
_RAW_MAIL: Final = f"{Namespace.RAW}.mail"

FactsOf = Callable[[Context], Facts | None]
"""Returns the facts of a mail in ``raw.mail``; ``None`` if no rule applies to it (the user sent it)."""
EventsBetween = Callable[[float, float], Awaitable[Sequence[Record]]]


@dataclass(frozen=True, slots=True)
class Rehearsed:
    """The result.

    ``count``: how often the rule would have held; ``examples``: the newest of these, the newest first.
    """

    count: int
    examples: list[str]
    words: str


class Rehearsal:
    """Checks past input. ``is_vip`` says whether the user has listed an address as a VIP."""

    def __init__(
        self,
        store: Store,
        clock: Clock,
        zone: tzinfo,
        *,
        facts_of: FactsOf,
        is_vip: Callable[[str], bool] = lambda _: False,
        events: EventsBetween | None = None,
        most: int = MAILS,
    ) -> None:
        self._store, self._clock, self._zone = store, clock, zone
        self._facts_of, self._is_vip, self._events, self._most = facts_of, is_vip, events, most

    async def words(self, rule: Rule) -> str:
        """Say what ``rule`` would have done."""
        return (await self.of(rule)).words

    async def of(self, rule: Rule) -> Rehearsed:
        now = self._clock.now()
        since = now - DAYS * 86_400
        if rule.after:
            return Rehearsed(0, [], "How often nobody answers is not known beforehand.")
        if rule.timed:
            return await self._times(rule, since, now)
        count, limits = 0, list[str]()
        newest: deque[tuple[float, str]] = deque(maxlen=EXAMPLES)
        async for at, example in self._matches(rule, since, now, limits):
            count += 1
            newest.append((at, example))
        examples = [example for _, example in sorted(newest, reverse=True)]
        head = f"In the last {DAYS} days it would {_often(count, 'matched')}"
        listed = ": " + "; ".join(examples) if examples else ""
        partly = f" (I looked at {' and '.join(limits)})" if limits else ""
        return Rehearsed(count, examples, f"{head}{listed}{partly}.")

    async def _matches(
        self, rule: Rule, since: float, now: float, limits: list[str]
    ) -> AsyncIterator[tuple[float, str]]:
        if rule.source in ("", "mail"):
            async for found in self._mails(rule, since, limits):
                yield found
        if rule.source in ("", "calendar") and self._events is not None:
            for event in await self._events(since, now):
                data = event.data()
                facts = _event_facts(data, rule.before)
                if holds(rule, await self._with_known(facts, rule)):
                    yield float(data["start"]), f"{self._day(data['start'])}: {one_line(facts.subject, 80)}"
        if rule.source not in ("", "mail", "calendar"):
            async for found in self._signals(rule, since, limits):
                yield found
        if not rule.source:
            limits.append("mail and calendar, no other feed")

    async def _mails(self, rule: Rule, since: float, limits: list[str]) -> AsyncIterator[tuple[float, str]]:
        newest = Newest(self._store, ContextFilter(namespaces=[_RAW_MAIL], since=since), self._most)
        async for context in newest.each():
            data = context.data
            at = float(data["date"] if data.get("date") is not None else data.get("arrived", 0.0))
            facts = self._facts_of(context) if at >= since else None
            if facts is not None and holds(rule, await self._with_known(facts, rule)):
                who = one_line(facts.name or facts.sender or "unknown sender", 40)
                yield at, f"{who}, {self._day(at)}: {one_line(facts.subject or '(no subject)', 80)}"
        if newest.cut:
            limits.append(f"the newest {self._most:,} mails")

    async def _signals(self, rule: Rule, since: float, limits: list[str]) -> AsyncIterator[tuple[float, str]]:
        space = f"{Namespace.SIGNALS}.{rule.source}"
        newest = Newest(self._store, ContextFilter(namespaces=[space], since=since), self._most)
        async for context in newest.each():
            facts = _signal_facts(rule.source, context.data)
            if holds(rule, await self._with_known(facts, rule)):
                yield context.created_at, f"{self._day(context.created_at)}: {one_line(facts.subject, 80)}"
        if newest.cut:
            limits.append(f"the newest {self._most:,} of that feed")

    async def _with_known(self, facts: Facts, rule: Rule) -> Facts:
        if not rule.known or facts.known or not facts.sender:
            return facts
        known = self._is_vip(facts.sender)
        known = known or await self._store.get(facts.sender, namespace=Namespace.PEOPLE) is not None
        return replace(facts, known=known)

    async def _times(self, rule: Rule, since: float, now: float) -> Rehearsed:
        if rule.every:
            count = int((now - since) // rule.every)
        else:
            count = 0
            times = croniter(rule.cron, datetime.fromtimestamp(since, self._zone))
            while count <= _TIMES and float(times.get_next(float)) <= now:
                count += 1
                if count % 20 == 0:
                    await asyncio.sleep(0)
        often = f"have come more than {_TIMES:,} times" if count > _TIMES else _often(count, "come")
        return Rehearsed(count, [], f"In the last {DAYS} days it would {often}.")

    def _day(self, at: float) -> str:
        when = datetime.fromtimestamp(at, self._zone)
        return f"{when.day} {when:%b}"


def _often(count: int, done: str) -> str:
    if not count:
        return f"never have {done}"
    return f"have {done} {'once' if count == 1 else f'{count:,} times'}"


def _event_facts(event: Json, minutes: int) -> Facts:
    return Facts(
        "calendar",
        sender=str(event.get("organizer", "")).lower(),
        subject=str(event.get("summary", "")),
        text=f"{event.get('description', '')}\n{event.get('location', '')}",
        labels=[*event.get("categories", []), event.get("calendar", "")],
        minutes=minutes,
    )


def _signal_facts(source: str, signal: Json) -> Facts:
    metadata = signal.get("metadata")
    more = metadata if isinstance(metadata, dict) else {}
    return Facts(
        source,
        sender=str(more.get("sender", "")).lower(),
        subject=str(signal.get("content", "")),
        text=str(more.get("text") or more.get("snippet") or ""),
    )
