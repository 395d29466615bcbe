"""Closing what an answer has settled: requests that the user answered, and cards that say that nobody has answered.

An answer of the user's is a mail that Pepper sent for them, or one of their own. It closes the earlier open requests of
its matter, from those whom it went to; whatever waits for them to answer is informed (``wrote``). A card that no answer
came ends when one comes after all, or when the user writes to them again, and with it the reminder that a rule drafted.
It follows the log live, and at the start checks once what is open, so that a crash in between leaves nothing behind
that is settled.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Sequence

from pepper_tui.domains.mail.content.message_ids import first_with
from pepper_tui.domains.notices.inbox import Inbox
from pepper_tui.domains.notices.items import OPEN
from pepper_tui.model import (
    OPEN_TAG,
    Approval,
    ApprovalState,
    CallState,
    Context,
    ContextFilter,
    ContextUpdate,
    Effect,
    FollowUp,
    Moved,
    Namespace,
    Notification,
    RuleAct,
    Signal,
    ToolCall,
)
from pepper_tui.store import Following, Store, VersionConflictError
from pepper_tui.text import one_line

_ANSWERED = "you answered it"
_WROTE_AGAIN = "you wrote to them again"
_NO_ANSWER = f"{Namespace.SIGNALS}.follow_up:signal_"
_MAIL = f"{Namespace.SIGNALS}.mail"
_LOOKED_AT = 2_000  # newest calls and signals at the start
_ALL = 100_000


Wrote = Callable[[str, Collection[str], float], Awaitable[None]]
"""The matter that the user wrote in, whom to (addresses in lower case), and when."""
Record = Callable[[str, Sequence[Moved]], Awaitable[None]]
"""Notes an act of the user, in words, and what it moved, in the caller's unit, so that it can be undone."""


Withdraw = Callable[[str, str], Awaitable[None]]
"""Withdraws the pending approval with that id, for that reason; in the caller's unit, if there is one."""


class Answers:
    """Closes what is answered. ``start`` it after the inbox."""

    def __init__(self, store: Store, inbox: Inbox, wrote: Wrote, record: Record, withdraw: Withdraw) -> None:
        self._store, self._inbox, self._wrote, self._record = store, inbox, wrote, record
        self._withdraw = withdraw
        self._following = Following(
            store,
            [Namespace.TOOL_CALL, _MAIL, Namespace.NOTIFICATION],
            resume=self._resume,
            take=self._take,
            name="attention.answers",
        )
        self._silences: dict[str, Notification] = {}  # the open cards that no answer came

    async def start(self) -> None:
        await self._following.start()

    async def stop(self) -> None:
        await self._following.stop()

    async def _resume(self) -> None:
        waiting = await self._store.query(
            ContextFilter(
                namespaces=[Namespace.NOTIFICATION, Namespace.FOLLOW_UP],
                tags=[OPEN_TAG],
                limit=_ALL,
                include_expired=True,
            )
        )
        self._silences.clear()
        for context in waiting:
            self._note_silence(context)
        if not any(item.data.get("matter") for item in waiting):
            return
        newest = await self._store.query(
            ContextFilter(namespaces=[Namespace.TOOL_CALL, _MAIL], limit=_LOOKED_AT, include_expired=True)
        )
        for context in reversed(newest):
            await self._consider(context)

    async def _take(self, updates: list[ContextUpdate]) -> None:
        for update in updates:
            if update.namespace == Namespace.NOTIFICATION:
                self._note_silence(update.context, gone=update.deleted)
            elif not update.deleted:
                await self._consider(update.context)

    async def _consider(self, context: Context) -> None:
        if context.namespace == Namespace.TOOL_CALL:
            for call in ToolCall.readable([context]):
                if call.effect is Effect.SEND and call.state is CallState.SUCCEEDED:
                    await self._sent(call)
        elif context.data.get("metadata", {}).get("kind") == "own":
            for signal in Signal.readable([context]):
                senders = {str(one).lower() for one in signal.metadata.get("to") or ()}
                date = signal.metadata.get("date")
                when = min(float(date), signal.created_at) if isinstance(date, int | float) else signal.created_at
                if senders:
                    await self._answered(signal.matter, senders, signal.created_at, when)
        elif self._silences:
            for signal in Signal.readable([context]):
                await self._heard(signal)

    def _note_silence(self, context: Context, *, gone: bool = False) -> None:
        if context.namespace != Namespace.NOTIFICATION:
            return
        for item in Notification.readable([context]):
            if item.source.startswith(_NO_ANSWER) and item.state in OPEN and not gone:
                self._silences[item.id] = item
            else:
                self._silences.pop(item.id, None)

    async def _heard(self, signal: Signal) -> None:
        """End the cards that waited for this mail: a machine's is no answer."""
        facts = signal.metadata
        sender = str(facts.get("sender") or "").lower()
        if not facts.get("automatic"):
            await self._end_silences(signal.matter, {sender}, signal.created_at, f"{sender} has answered")

    async def _end_silences(
        self, matter: str, people: Collection[str], at: float, why: str, over: Collection[str] = ()
    ) -> list[Moved]:
        """End the cards of ``matter``, from before ``at``, that one of ``people`` has not answered.

        ``over``: those that have ended in this unit, which can't be read yet.
        """
        ended: list[Moved] = []
        there = {each.source: each for each in self._silences.values() if each.matter == matter}
        for item in [each for each in there.values() if each.created_at < at]:
            ident = item.source.removeprefix(_NO_ANSWER)
            waits = FollowUp.one(await self._store.get(ident, namespace=Namespace.FOLLOW_UP, include_expired=True))
            if waits is not None and set(waits.parties) & set(people):
                said = one_line(why, 120)
                ended += (await self._inbox.withdraw_from(item.source, said, lambda each: each.id not in over))[1]
                await self._end_reminders(item, why)
        return ended

    async def _end_reminders(self, item: Notification, why: str) -> None:
        """Withdraw the drafts with which a rule would remind of what ``item`` says; not one that the user wrote."""
        drafts = ContextFilter(namespaces=[Namespace.APPROVAL], tags=[OPEN_TAG], limit=_ALL, include_expired=True)
        for card in Approval.readable(await self._store.query(drafts)):
            if card.state is not ApprovalState.PENDING or card.matter != item.matter:
                continue
            call = ToolCall.one(await self._store.get(card.call, namespace=Namespace.TOOL_CALL))
            kind, _, ident = call.origin.partition(":") if call is not None else ("", "", "")
            act = RuleAct.one(await self._store.get(ident, namespace=Namespace.RULE_ACT)) if kind == "act" else None
            if act is not None and act.match == item.source:
                await self._withdraw(card.id, one_line(why, 120))

    async def _sent(self, call: ToolCall) -> None:
        saved = await self._store.get(call.approval, namespace=Namespace.APPROVAL) if call.approval else None
        if (approval := Approval.one(saved)) is not None:
            payload = approval.resolved.payload
            went_to = {str(one).lower() for one in payload.get("recipients") or ()}
            fields = payload.get("fields")
            answered = str(fields.get("in_reply_to") or "") if isinstance(fields, dict) else ""
            for matter in {call.matter, await self._matter_of(answered)} - {""}:
                if went_to:
                    await self._answered(matter, went_to, call.created_at, call.ended_at or call.created_at)

    async def _answered(self, matter: str, to: set[str], before: float, when: float) -> None:
        while True:
            try:
                async with self._store.unit():
                    called, moved = await self._inbox.withdraw(matter, _ANSWERED, senders=to, before=before)
                    over = {each.id for each in moved}
                    again = await self._end_silences(matter, to, before, _WROTE_AGAIN, over)
                    if moved or again:
                        named = called or "the card that no answer came"
                        await self._record(f"closed by your answer: {named}", [*moved, *again])
                break
            except VersionConflictError:  # the user moved one of them at the same moment: check again what is open
                continue
        await self._wrote(matter, to, when)

    async def _matter_of(self, message_id: str) -> str:
        """Return the matter of the mail that was answered."""
        answered = await first_with(self._store, message_id)
        return f"mail:{answered.data['thread']}" if answered else ""
