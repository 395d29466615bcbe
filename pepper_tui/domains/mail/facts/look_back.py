"""The first look back: what facts find in the last days of what was there when Pepper first saw a mailbox.

It waits until the sources have begun and their mail is taken in, and makes one quiet item of at most ``OFFERED`` mails,
once for a home. What the user has answered since, or has put into the junk or trash, is left out.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from pepper_tui.clock import Clock, day
from pepper_tui.domains.mail.at_source.state import states_of
from pepper_tui.domains.mail.content.gist import about
from pepper_tui.domains.mail.facts.awaited import RULE, question_in
from pepper_tui.domains.mail.facts.finder import FACTS, Finder
from pepper_tui.domains.mail.facts.looked_back import FIRST, ITEM, KEPT, LOOKED_BACK, OFFERED, Offer, item_words
from pepper_tui.model import (
    OPEN_TAG,
    ContextFilter,
    ContextUpdate,
    Facts,
    Json,
    Namespace,
    Notification,
    Priority,
    Signal,
)
from pepper_tui.store import Store, Subscriber
from pepper_tui.text import one_line

DAYS: Final = 7.0
RECENT: Final = "recent"
"""Tag of a signal of the backlog that is not older than ``DAYS``."""
_DAY: Final = 86_400.0
_MOST: Final = 1_000  # mails that are looked at, the newest
_RAW: Final = f"{Namespace.RAW}.mail"
_SIGNALS: Final = f"{Namespace.SIGNALS}.mail"
_GLANCE: Final = 1.0  # seconds between two checks whether all mail has become signals
_ORDER: Final = {each: place for place, each in enumerate(("failure", "alert", "question", RULE, *FACTS))}


@dataclass(frozen=True, slots=True)
class _Old:
    """A mail of the backlog, with its signal."""

    raw: Json
    facts: Facts
    signal: Signal


@dataclass(frozen=True, slots=True)
class _Found:
    """What ``fact`` was found of; ``signal`` is that of the mail."""

    fact: str
    offer: Offer
    signal: str


class LookBack:
    def __init__(self, finder: Finder, clock: Clock) -> None:
        self._finder, self._clock = finder, clock
        self._done = not finder.settings.look_back

    def is_recent(self, raw: Json) -> bool:
        """Check whether a mail of the backlog is looked at."""
        date = raw.get("date")
        if self._done or not raw.get("backlog") or not isinstance(date, int | float):
            return False
        return date >= self._clock.now() - DAYS * _DAY

    def listen(self, store: Store, subscriber: Subscriber, processor: str, facts_of: Callable[[Json], Facts]) -> None:
        """Register what looks back once the sources are well. ``processor``: what makes signals of mail."""

        async def well(update: ContextUpdate) -> None:
            if self._done or not str(update.context.context_id).startswith("feed."):
                return
            if await store.get(FIRST, namespace=LOOKED_BACK) is not None:
                self._done = True
                return
            parts = await store.query(ContextFilter(namespaces=[Namespace.HEALTH], limit=None))
            if any(part.data.get("state") == "starting" for part in parts if part.context_id.startswith("feed.")):
                return
            while await store.undelivered(processor):
                await self._clock.sleep(_GLANCE)
            await self._look(store, facts_of)

        subscriber.on_context_update(namespaces=[Namespace.HEALTH], name="mail.look_back", start="now")(well)

    async def _look(self, store: Store, facts_of: Callable[[Json], Facts]) -> None:
        page = await store.query(ContextFilter(namespaces=[_SIGNALS], tags=[RECENT], limit=_MOST))
        signals = {each.metadata["raw"]: each for each in Signal.readable(page) if each.metadata.get("raw")}
        raws = (
            await store.query(ContextFilter(namespaces=[_RAW], context_ids=sorted(signals), limit=None))
            if signals
            else []
        )
        if not raws:
            return
        old = [_Old(each.data, facts_of(each.data), signals[each.context_id]) for each in raws]
        came = [one for one in old if one.raw["sender"]["address"] not in self._finder.own]
        own = [one for one in old if one.signal.metadata.get("kind") == "own"]
        around = await self._finder.around(store, came)
        answered = {key for one in own for key in (one.raw["in_reply_to"], *one.raw["references"]) if key}
        states = await states_of(store, [one.raw["id"] for one in came])
        waiting = [
            one
            for one in came
            if one.raw["message_id"] not in answered
            and one.raw["id"] not in around.away
            and not self._finder.is_out_of_sight(one.raw["label"])
            and not (one.raw["id"] in states and states[one.raw["id"]].has("answered"))
        ]
        now = self._clock.now()

        def find() -> list[_Found]:
            offers = [self._found(one, found[0].fact, found[0].reason, found[0].said) for one in waiting
                      if (found := self._finder.found(one, around, now))]  # fmt: skip
            return offers + self._unanswered(own, came, now)

        await self._tell(store, await asyncio.to_thread(find))

    def _unanswered(self, own: Sequence[_Old], came: Sequence[_Old], now: float) -> list[_Found]:
        """Return the user's own mails that asked something, and that nobody in them has answered for some days."""
        settings, offers = self._finder.settings, list[_Found]()
        heard: dict[str, set[str]] = {one.raw["thread"]: set() for one in came}
        for one in came:
            if not one.facts.automatic:
                heard[one.raw["thread"]].add(one.raw["sender"]["address"])
        for one in own if settings.unanswered else ():
            people = {each["address"] for each in one.raw["to"]} - self._finder.own
            late = one.raw["date"] <= now - settings.unanswered_days * _DAY
            silent = late and not people & heard.get(one.raw["thread"], set())
            if silent and (said := question_in(one.raw, self._finder.own)):
                who = one.raw["to"][0]["name"] or one.raw["to"][0]["address"]
                offers.append(self._found(one, RULE, f"you asked {one_line(who, 60)}, and no answer has come", said))
        return offers

    def _found(self, one: _Old, fact: str, reason: str, said: str) -> _Found:
        raw, own = one.raw, fact == RULE
        at = float(raw["date"])
        when, quoted = day(at, self._finder.zone, self._clock.now()), f": “{one_line(said, 120)}”" if said else ""
        line = f"{one_line(about(one.raw['subject']), 60)} ({when}): {reason}{quoted}"
        asked = [*raw["to"], *raw["cc"]] if own else [raw["sender"], *raw["reply_to"]]
        people = sorted({str(each["address"]).lower() for each in asked} - self._finder.own - {""})
        asks = fact in ("question", RULE)
        offer = Offer(raw["id"], raw["message_id"], raw["thread"], at, line, own=own, asks=asks, people=people)
        return _Found(fact, offer, f"{_SIGNALS}:{one.signal.id}")

    async def _tell(self, store: Store, found: Sequence[_Found]) -> None:
        """Store the item, and that there was a look back, in the caller's unit."""
        best: dict[str, _Found] = {}
        for each in sorted(found, key=lambda each: (_ORDER[each.fact], -each.offer.at)):
            best.setdefault(each.offer.thread, each)
        chosen, now = [*best.values()], self._clock.now()
        offers, beyond = [each.offer for each in chosen[:KEPT]], max(0, len(chosen) - KEPT)
        title, lines = item_words(offers, beyond, DAYS)
        record = {
            "id": FIRST,
            "at": now,
            "found": len(chosen),
            "signals": [each.signal for each in chosen[:OFFERED]],
            "offers": [offer.data() for offer in offers],
        }
        text = lines or "nothing was found"
        await store.store(record, namespace=LOOKED_BACK, context_id=FIRST, text=text)
        self._done = True
        if not offers:
            return
        item = Notification(
            id=ITEM,
            title=title,
            body=lines,
            reason="Pepper looked back once over what was there already",
            source=f"{LOOKED_BACK}:{FIRST}",
            created_at=now,
            priority=Priority.LOW,
            matter=LOOKED_BACK,
        )
        await store.put(item, namespace=Namespace.NOTIFICATION, text=f"{item.title}\n{lines}", tags=[OPEN_TAG])
