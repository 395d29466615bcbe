"""Withdraws the cards whose event is another by now: answers to an earlier invitation, and changes of what has changed.

Their yes would be refused. What the organizer changes asks again, by a card of its own.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Final

from pepper_tui.domains.calendar.telling.settled_cards import RAW as EVENTS
from pepper_tui.domains.calendar.writer import Calendars, Rewritable
from pepper_tui.domains.invitations.record import INVITATIONS, Invitation
from pepper_tui.domains.notices.items import anew
from pepper_tui.model import OPEN_TAG, Approval, ContextFilter, ContextUpdate, Json, Namespace
from pepper_tui.store import Store, Subscriber
from pepper_tui.text import one_line
from pepper_tui.tools.errors import ToolError

_SUBSCRIPTION: Final = "calendar.outdated"
Withdraw = Callable[[str, str], Awaitable[None]]
"""Withdraws the open approval with that id, for that reason."""


class OutdatedCards:
    """Follows invitations and events. ``calendars``: where the events lie that cards would change."""

    def __init__(self, store: Store, withdraw: Withdraw, calendars: Calendars | None) -> None:
        self._store, self._withdraw, self._calendars = store, withdraw, calendars

    def listen(self, subscriber: Subscriber) -> None:
        """Register the handlers. Call it before the subscriber starts."""
        subscriber.on_context_update(namespaces=[INVITATIONS], name=f"{_SUBSCRIPTION}.invitation")(self._asked_anew)
        subscriber.on_context_update(namespaces=[EVENTS], name=_SUBSCRIPTION)(self._changed)

    async def _asked_anew(self, update: ContextUpdate) -> None:
        invitation = None if update.deleted else Invitation.one(update.context)
        if invitation is None or update.context.version == 1:
            return
        for card, told in await self._cards(invitation.uid):
            if told.get("edition") and told["edition"] != [*invitation.edition]:
                await self._end(card, invitation.title, "cancelled" if invitation.cancelled else "changed")

    async def _changed(self, update: ContextUpdate) -> None:
        event = update.context.data
        if update.deleted or update.context.type != "event" or update.context.version == 1:
            return
        for card, told in await self._cards(str(event["uid"])):
            held = told.get("held")
            if held and told["calendar"] == event["calendar"] and await self._is_another(told):
                await self._end(card, str(event["summary"]), "cancelled" if event["gone"] else "changed")

    async def _cards(self, uid: str) -> list[tuple[Approval, Json]]:
        """Return the open cards about the event with this UID, each with what its effect says of it."""
        wanted = ContextFilter(namespaces=[Namespace.APPROVAL], tags=[OPEN_TAG], limit=None)
        cards = Approval.readable(await self._store.query(wanted))
        told = [(card, card.effect["payload"].get("told", card.effect["payload"])) for card in cards]
        return [(card, each) for card, each in told if isinstance(each, dict) and each.get("uid") == uid]

    async def _is_another(self, told: Json) -> bool:
        if not isinstance(self._calendars, Rewritable):
            return False
        try:
            now = await self._calendars.held(str(told["calendar"]), str(told["uid"]))
        except ToolError:
            return False  # nobody can tell now
        return now is None or (now.place, now.at, now.version) != tuple(
            told["held"][name] for name in ("place", "at", "version")
        )

    async def _end(self, card: Approval, title: str, what: str) -> None:
        why = f"“{one_line(title, 80)}” was {what} meanwhile"
        await asyncio.create_task(anew(partial(self._withdraw, card.id, why)))  # outside the handler's unit
