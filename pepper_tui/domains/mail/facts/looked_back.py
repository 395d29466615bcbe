"""The item of the first look back, kept true: a line of it ends once its mail was dealt with, the item with its last.

A mail is dealt with if the user has answered it (with Pepper or elsewhere), or has deleted or filed it, or has read one
that asks nothing (``mail.read_ends``); a question of the user's own, if an answer came or the user wrote again. What is
undone brings the line back, and the item too if nobody but Pepper ended it. What the user ended stays ended.
"""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from typing import Final

from pepper_tui.domains.mail.at_source.elsewhere import ReadEnds, answered_by, fate
from pepper_tui.domains.mail.at_source.state import STATES, MailState
from pepper_tui.domains.mail.content.machines import is_automatic
from pepper_tui.domains.mail.intake.raw_mail import RAW
from pepper_tui.domains.mail.intake.signals import by_own_hand
from pepper_tui.domains.notices.items import OPEN, Items, anew
from pepper_tui.model import (
    Approval,
    CallState,
    Context,
    ContextFilter,
    ContextUpdate,
    Effect,
    Json,
    Namespace,
    Notification,
    NotificationState,
    Record,
    ToolCall,
)
from pepper_tui.store import Following, Store

LOOKED_BACK: Final = "mail.look_back"
FIRST: Final = "first"
ITEM: Final = "ntf_look_back"
OFFERED: Final = 5
KEPT: Final = 50
"""Offers that are followed; of more, only their number is told."""
DEALT_WITH: Final = "you have dealt with the mail that it named"
_SIGNALS: Final = f"{Namespace.SIGNALS}.mail"
_THREAD: Final = 200  # mails of one thread that are looked at
_CALLS: Final = 2_000  # newest calls that are looked at when it starts


@dataclass(slots=True)
class Offer(Record):
    """One mail of the item. ``at`` is when it was written; ``own``: it is the user's, and waits for an answer.

    ``asks``: reading it does not deal with it. ``people``: whose answer is waited for, or whom an answer goes to.
    """

    mail: str
    message_id: str
    thread: str
    at: float
    line: str
    own: bool = False
    asks: bool = False
    people: list[str] = field(default_factory=list)


def item_words(offers: Sequence[Offer], beyond: int, days: float) -> tuple[str, str]:
    """Return title and text of the item. ``beyond``: how many more there are than ``offers``."""
    shown = offers[:OFFERED]
    rest = len(offers) - len(shown) + beyond
    lines = "\n".join(f"• {offer.line}" for offer in shown) + (f"\n… and {rest} more" if rest else "")
    count = f"{len(shown)} mails" if len(shown) > 1 else "1 mail"
    return f"From before Pepper: {count} of the last {days:.0f} days may still wait for you", lines


class LookedBack:
    """Follows what the item names. ``own``: the user's addresses, in lower case."""

    def __init__(self, store: Store, own: Collection[str], read_ends: ReadEnds, days: float) -> None:
        self._store, self._own, self._read_ends, self._days = store, frozenset(own), read_ends, days
        self._items = Items(store)
        self._offers: dict[str, Offer] = {}
        self._beyond = 0
        self._answered: set[str] = set()  # Message-IDs that Pepper sent an answer to
        spaces = [LOOKED_BACK, STATES, _SIGNALS, Namespace.TOOL_CALL, Namespace.NOTIFICATION]
        self._following = Following(store, spaces, resume=self._resume, take=self._take, name="mail.looked_back")

    async def start(self) -> None:
        await self._following.start()

    async def stop(self) -> None:
        await self._following.stop()

    # ------------------------------------------------------------------------------------------------ what happens

    async def _resume(self) -> None:
        self._know(await self._store.get(FIRST, namespace=LOOKED_BACK))
        if not self._offers or await self._over() is None:
            return
        calls = ContextFilter(namespaces=[Namespace.TOOL_CALL], limit=_CALLS, include_expired=True)
        for call in ToolCall.readable(await self._store.query(calls)):
            await self._sent(call)
        await self._refresh()

    def _know(self, record: Context | None) -> None:
        offers = record.data.get("offers") or [] if record is not None else []
        self._offers = {offer.mail: offer for offer in map(Offer.of, offers)}
        self._beyond = max(0, int(record.data.get("found") or 0) - len(self._offers)) if record is not None else 0

    async def _take(self, updates: list[ContextUpdate]) -> None:
        concerned = False
        for update in updates:
            if update.namespace == LOOKED_BACK:
                self._know(update.context)
            elif self._offers and not update.deleted:
                concerned |= await self._concerns(update.context)
        if concerned:
            await self._refresh()

    async def _concerns(self, context: Context) -> bool:
        """Check whether a line may have to go, or to come back."""
        match context.namespace:
            case _ if context.namespace == STATES:
                return context.context_id in self._offers
            case _ if context.namespace == _SIGNALS:
                return context.data.get("matter") in {f"mail:{offer.thread}" for offer in self._offers.values()}
            case Namespace.TOOL_CALL:
                return any([await self._sent(call) for call in ToolCall.readable([context])])
            case _:
                return context.context_id == ITEM

    async def _sent(self, call: ToolCall) -> bool:
        """Note what a call has answered; return whether that is one of the offers."""
        if call.effect is not Effect.SEND or call.state is not CallState.SUCCEEDED or not call.approval:
            return False
        card = Approval.one(await self._store.get(call.approval, namespace=Namespace.APPROVAL))
        answered = answered_by(card) if card is not None else ""
        if answered not in {offer.message_id for offer in self._offers.values() if offer.message_id}:
            return False
        self._answered.add(answered)
        return True

    # ------------------------------------------------------------------------------------------------ the item

    async def _over(self) -> Context | None:
        """Return the item, if it is open, or was ended here; None if it has come to its end."""
        context = await self._items.get(ITEM)
        item = Notification.one(context)
        if item is None or context is None:
            return None
        return context if item.state in OPEN or context.metadata.get("withdrawn") == DEALT_WITH else None

    async def _refresh(self) -> None:
        """Tell what still waits."""
        if await self._over() is None:
            return
        waits = [offer for offer in self._offers.values() if not await self._is_dealt_with(offer)]
        # a task of its own, apart from any unit: what the user does at the same moment goes first
        await asyncio.create_task(anew(lambda: self._tell(waits)))

    async def _tell(self, waits: Sequence[Offer]) -> None:
        context = await self._over()
        item = Notification.one(context)
        if context is None or item is None:
            return
        if not waits:
            if item.state in OPEN:
                await self._items.move(context, item, NotificationState.DONE, {"withdrawn": DEALT_WITH})
            return
        title, body = item_words(waits, self._beyond, self._days)
        if item.state in OPEN and (item.title, item.body) == (title, body):
            return
        item.title, item.body, text = title, body, f"{title}\n{body}"
        if item.state in OPEN:
            await self._items.retell(context, item, text)
        else:
            await self._items.move(context, item, NotificationState.NEW, {"withdrawn": None}, text)

    # ------------------------------------------------------------------------------------------------ one mail

    async def _is_dealt_with(self, offer: Offer) -> bool:
        if offer.message_id and offer.message_id in self._answered:
            return True
        found = ContextFilter(namespaces=[RAW], tags=[f"thread:{offer.thread}"], limit=_THREAD)
        later = [mail.data for mail in await self._store.query(found) if _date(mail.data) > offer.at]
        if any(self._settles(mail, offer) for mail in later):
            return True
        return not offer.own and await self._is_put_away(offer)

    def _settles(self, mail: Json, offer: Offer) -> bool:
        """Check whether a later mail of the thread settles it: an answer to the user, or one of the user's own."""
        sender = str((mail.get("sender") or {}).get("address") or "").lower()
        if sender in self._own:
            to = {str(one.get("address") or "").lower() for key in ("to", "cc") for one in mail.get(key) or ()}
            return by_own_hand(mail) and bool(to & set(offer.people))
        return offer.own and sender in offer.people and not is_automatic(mail)

    async def _is_put_away(self, offer: Offer) -> bool:
        first = MailState.one(await self._store.get(offer.mail, namespace=STATES, version=1))
        now = MailState.one(await self._store.get(offer.mail, namespace=STATES))
        if now is None:
            return False
        done = fate(first or MailState(offer.mail), now)
        if done is not None and done.deed == "read":
            return self._read_ends == "all" or (self._read_ends == "quiet" and not offer.asks)
        return done is not None


def _date(mail: Json) -> float:
    date = mail.get("date")
    return float(date) if isinstance(date, int | float) else 0.0
