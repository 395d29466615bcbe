"""Ends what waits on a mail that was dealt with at its source: its cards, and drafts of answers to it.

A change of a mail's state is judged once, against what was known before, so that a card which the user takes back
stays. A card or a draft may come only after the mail was dealt with, since a model takes its time and Pepper may have
been away: then it ends at once, unless it is about something else, or the user asked for it. A state makes no card.
Only what came of exactly this mail ends, never a later mail's of its thread. What a model's wish has filed ends the
same; the user's key ends the mail's cards in its own act, and here only those that came since.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Collection, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Final, Literal, Protocol

from pepper_tui.domains.mail.at_source.own_filing import filed_by, key_pressed, was_own
from pepper_tui.domains.mail.at_source.state import CHANGED, STATES, Copy, MailState, states_of
from pepper_tui.domains.mail.content.message_ids import all_with, first_with
from pepper_tui.domains.mail.intake.raw_mail import NAME, RAW
from pepper_tui.domains.mail.intake.signals import SIGNAL_ID
from pepper_tui.domains.notices.items import anew
from pepper_tui.domains.notices.told import UNPAIRED
from pepper_tui.model import (
    FROM_MODEL,
    OF_CALL,
    OPEN_TAG,
    QUESTION,
    Acted,
    Approval,
    ApprovalState,
    Context,
    ContextFilter,
    ContextUpdate,
    Moved,
    Namespace,
    Notification,
    NotificationState,
    Priority,
    Signal,
    Step,
    ToolCall,
)
from pepper_tui.store import Store, Subscriber
from pepper_tui.text import one_line

ReadEnds = Literal["quiet", "all", "none"]
Deed = Literal["answered", "deleted", "filed", "read"]
REACTION: Final = 600.0
"""Seconds from a mail within which a model's card that names it is about it, whatever the step was given."""
_SIGNALS: Final = f"{Namespace.SIGNALS}.{NAME}"
_SUBSCRIPTION: Final = "mail.elsewhere"
_ALL: Final = 100_000
_ENDS_DRAFTS: Final = frozenset({"answered", "deleted"})
_LOUD: Final = frozenset({Priority.URGENT, Priority.HIGH})


class Cards(Protocol):
    """The inbox, as far as it is needed here."""

    async def withdraw_from(self, source: str, why: str, which: Callable[[Notification], bool], /) -> Acted: ...

    async def seen(self, ref: str, /) -> None: ...


Withdraw = Callable[[str, str], Awaitable[None]]
"""Withdraws the pending approval with that id, for that reason; in the caller's unit."""
Record = Callable[[str, Sequence[Moved]], Awaitable[None]]
"""Notes an act in words, and what it moved, so that it can be undone; in the caller's unit."""


@dataclass(frozen=True, slots=True)
class Fate:
    """What was done with a mail; ``why`` in words; ``by``: the call of Pepper's own that did it, if one did."""

    deed: Deed
    why: str
    by: str = ""


def fate(before: MailState, now: MailState) -> Fate | None:
    """Return what was done with a mail between two of its states; ``None`` if it still waits as it did."""
    by = now.by
    elsewhere = "" if by else " elsewhere"
    if now.has("answered") and not before.has("answered"):
        return Fate("answered", "you answered it")  # the mark does not tell whether Pepper sent the answer
    there, left = _waiting(before), _waiting(now)
    if there and not left:
        if any(copy.use == "junk" for copy in now.copies):
            return Fate("deleted", f"you marked it as junk{elsewhere}", by)
        if now.copies or before.has("deleted"):
            return Fate("deleted", f"it was deleted{elsewhere}", by)
        return Fate("filed", f"it was deleted or filed{elsewhere}", by)
    if _in_inbox(there) and not _in_inbox(left):
        where = one_line(", ".join(sorted({copy.folder for copy in left})), 80)
        return Fate("filed", f"filed{elsewhere}, in {where}", by)
    if now.has("seen") and not before.has("seen") and before.copies:
        return Fate("read", f"you read it{elsewhere}", by)
    return None


def _waiting(state: MailState) -> list[Copy]:
    return [copy for copy in state.copies if copy.use not in ("junk", "trash") and "deleted" not in copy.marks]


def _in_inbox(copies: Sequence[Copy]) -> bool:
    return any(copy.use == "inbox" for copy in copies)


class Elsewhere:
    """Follows the states of mails. ``read_ends``: which cards end when their mail is read (``mail.read_ends``)."""

    def __init__(self, store: Store, cards: Cards, withdraw: Withdraw, record: Record, read_ends: ReadEnds) -> None:
        self._store, self._cards, self._withdraw, self._record = store, cards, withdraw, record
        self._read_ends = read_ends

    def listen(self, subscriber: Subscriber) -> None:
        """Register the handlers. Call it before the subscriber starts."""
        states = {"namespaces": [STATES], "tags": [CHANGED], "name": _SUBSCRIPTION}
        subscriber.on_context_update(**states)(self._changed)  # type: ignore[arg-type]
        late = {"namespaces": [Namespace.NOTIFICATION, Namespace.APPROVAL], "tags": [OPEN_TAG]}
        subscriber.on_context_update(**late, name=f"{_SUBSCRIPTION}.late")(self._came)  # type: ignore[arg-type]

    async def _changed(self, update: ContextUpdate) -> None:
        before = await self._version(update.context.context_id, update.context.version - 1)
        now = MailState.one(update.context)
        if update.deleted or before is None or now is None:
            return
        if done := await self._fate(before, now, update.context.updated_at):
            await self._in_one_commit(partial(self._end, now.id, done))

    async def _came(self, update: ContextUpdate) -> None:
        if update.deleted or update.context.version > 1:
            return
        if update.namespace == Namespace.APPROVAL:
            for card in Approval.readable([update.context]):
                await self._in_one_commit(partial(self._late_draft, card))
            return
        for item in Notification.readable([update.context]):
            namespace, _, ident = item.source.partition(":")
            if namespace != _SIGNALS or item.state is not NotificationState.NEW:
                continue
            mail = ident.removeprefix(SIGNAL_ID)
            if await self._reacts(item) and (done := await self._since_it_came(mail)):
                await self._in_one_commit(partial(self._end_cards, mail, done))

    async def _reacts(self, item: Notification) -> bool:
        """Check whether a card was raised because its mail came: a model may name any mail as a source, at any time."""
        if item.origin != FROM_MODEL:
            return True
        signal = Signal.one(await self._store.get(item.source.partition(":")[2], namespace=_SIGNALS))
        if signal is not None and item.created_at - signal.created_at < REACTION:
            return True
        call = ToolCall.one(await self._store.get(item.id.removeprefix(OF_CALL), namespace=Namespace.TOOL_CALL))
        kind, _, ident = call.origin.partition(":") if call is not None and call.root != "user" else ("", "", "")
        step = Step.one(await self._store.get(ident, namespace=Namespace.STEP)) if kind == "step" else None
        return step is not None and item.source in step.inputs

    async def _in_one_commit(self, act: Callable[[], Awaitable[None]]) -> None:
        """Do it apart from the handler's unit, and again if something else moved the same meanwhile."""

        async def once() -> None:
            async with self._store.unit():
                await act()

        await asyncio.create_task(anew(once))

    async def _late_draft(self, card: Approval) -> None:
        call = ToolCall.one(await self._store.get(card.call, namespace=Namespace.TOOL_CALL))
        if call is None or call.root == "user" or not (answered := await self._answered(card)):
            return
        done = await self._since_it_came(answered)
        if done and done.deed in _ENDS_DRAFTS:
            await self._withdraw(card.id, done.why)

    async def _answered(self, card: Approval) -> str:
        """Return the id of the mail that a card answers: the one that its call names, as others may share its id."""
        if not (message_id := answered_by(card)):
            return ""
        call = ToolCall.one(await self._store.get(card.call, namespace=Namespace.TOOL_CALL))
        named = str(call.arguments.get("message_id") or "") if call is not None else ""
        mail = await self._store.get(named.removeprefix(SIGNAL_ID), namespace=RAW) if named else None
        mail = mail or await first_with(self._store, message_id)
        return mail.context_id if mail is not None else ""

    # ------------------------------------------------------------------------------------------------ ending

    async def _end(self, mail: str, done: Fate) -> None:
        await self._end_cards(mail, done)
        await self._end_drafts(mail, done)

    async def _end_drafts(self, mail: str, done: Fate) -> None:
        raw = await self._store.get(mail, namespace=RAW)
        message_id = str(raw.data.get("message_id") or "") if raw is not None else ""
        if done.deed not in _ENDS_DRAFTS or not message_id:
            return
        found = {each.context_id for each in await all_with(self._store, message_id)}
        copies = found if mail in found else {mail}  # a stranger can write the Message-ID of any mail that they saw
        others = await states_of(self._store, copies - {mail})
        if done.deed == "deleted" and any(map(_waiting, others.values())):
            return
        wanted = ContextFilter(namespaces=[Namespace.APPROVAL], tags=[OPEN_TAG], limit=_ALL, include_expired=True)
        for card in Approval.readable(await self._store.query(wanted)):
            if card.state is not ApprovalState.PENDING or answered_by(card) != message_id:
                continue
            if await self._answered(card) in copies and not await self._is_ordered_for_an_event(card):
                await self._withdraw(card.id, done.why)

    async def _is_ordered_for_an_event(self, card: Approval) -> bool:
        """Check whether the user has ordered this answer to an invitation: of one mail, each time is answered alone."""
        call = ToolCall.one(await self._store.get(card.call, namespace=Namespace.TOOL_CALL))
        fields = card.effect["payload"].get("fields")
        return call is not None and call.root == "user" and isinstance(fields, dict) and bool(fields.get("calendar"))

    async def _end_cards(self, mail: str, done: Fate) -> None:
        asks, key = await _asks(self._store, mail), await key_pressed(self._store, done.by)
        stay: list[str] = []

        def ends(item: Notification) -> bool:
            if key is not None and item.created_at < key:
                return False  # the key ended it, and its undo has brought it back
            if done.deed != "read" or _ends_by_reading(item, asks, self._read_ends):
                return True
            stay.append(item.id)
            return False

        words, moved = await self._cards.withdraw_from(_source(mail), done.why, ends)
        for ident in stay:
            await self._cards.seen(ident)
        if moved and key is None:
            await self._record(f"closed, as {done.why}: {words}", moved)

    # ------------------------------------------------------------------------------------------------ states

    async def _since_it_came(self, mail: str) -> Fate | None:
        now: Context | None = await self._store.get(mail, namespace=STATES)
        first, state = await self._version(mail, 1), MailState.one(now)
        if now is None or first is None or state is None:
            return None
        return await self._fate(first, state, now.updated_at)

    async def _fate(self, before: MailState, now: MailState, at: float) -> Fate | None:
        """Return what was done with a mail by the time ``at``, in which ``now`` was noted."""
        done = fate(before, now)
        if done is None or done.deed == "answered":
            return done
        if done.by:
            return done if await was_own(self._store, now, done.deed) else fate(before, replace(now, by=""))
        call = await filed_by(self._store, now, done.deed, at)
        return fate(before, replace(now, by=call)) if call else done

    async def _version(self, mail: str, version: int) -> MailState | None:
        return MailState.one(await self._store.get(mail, namespace=STATES, version=version) if version else None)


def answered_by(card: Approval) -> str:
    """Return the Message-ID of the mail that the mail on a card answers; empty if it answers none."""
    fields = card.resolved.payload.get("fields")
    return str(fields.get("in_reply_to") or "") if isinstance(fields, dict) else ""


async def cards_of(store: Store, mails: Collection[str], read_ends: ReadEnds, *, read: bool = False) -> list[str]:
    """Return the open notifications of these mails, no questions; with ``read`` only those that reading ends."""
    wanted = ContextFilter(namespaces=[Namespace.NOTIFICATION], tags=[OPEN_TAG], limit=_ALL, include_expired=True)
    sources = {_source(mail): mail for mail in mails}
    found: list[str] = []
    for item in Notification.readable(await store.query(wanted)):
        if item.source in sources and item.kind not in UNPAIRED and item.kind != QUESTION:
            asks = await _asks(store, sources[item.source])
            if not read or _ends_by_reading(item, asks, read_ends):
                found.append(item.id)
    return found


def _source(mail: str) -> str:
    return f"{_SIGNALS}:{SIGNAL_ID}{mail}"


def _ends_by_reading(item: Notification, asks: bool, read_ends: ReadEnds) -> bool:
    """Check whether a card needs nothing but to be read."""
    if read_ends != "quiet" or item.state is NotificationState.SNOOZED:
        return read_ends == "all"
    return not asks and item.priority not in _LOUD and item.kind != QUESTION


async def _asks(store: Store, mail: str) -> bool:
    signal = Signal.one(await store.get(f"{SIGNAL_ID}{mail}", namespace=_SIGNALS))
    return signal is not None and signal.gist is not None and bool(signal.gist.asks)
