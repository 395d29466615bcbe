"""Closing requests that the user has answered: by a mail that Pepper sent for them, or one of their own.

An answer closes the earlier open requests of its matter, from those whom it went to; whatever waits for them to answer
is informed (``wrote``). It follows the log live, and at the start checks once what is open, so that a crash in between
leaves no answered request behind.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Sequence

from pepper_tui.domains.mail.content.message_ids import first_with
from pepper_tui.domains.notices.inbox import Inbox
from pepper_tui.model import (
    OPEN_TAG,
    Approval,
    CallState,
    Context,
    ContextFilter,
    ContextUpdate,
    Effect,
    Moved,
    Namespace,
    Signal,
    ToolCall,
)
from pepper_tui.store import Following, Store, VersionConflictError

_ANSWERED = "you answered it"
_MAIL = f"{Namespace.SIGNALS}.mail"
_LOOKED_AT = 2_000  # newest calls and signals at the start
_ALL = 100_000


Wrote = Callable[[str, Collection[str], float], Awaitable[None]]
"""The matter that the user wrote in, whom to (addresses in lower case), and when."""
Record = Callable[[str, Sequence[Moved]], Awaitable[None]]
"""Notes an act of the user, in words, and what it moved, in the caller's unit, so that it can be undone."""


class Answers:
    """Closes what is answered. ``start`` it after the inbox."""

    def __init__(self, store: Store, inbox: Inbox, wrote: Wrote, record: Record) -> None:
        self._store, self._inbox, self._wrote, self._record = store, inbox, wrote, record
        self._following = Following(
            store, [Namespace.TOOL_CALL, _MAIL], resume=self._resume, take=self._take, name="attention.answers"
        )

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
        if not any(item.data.get("matter") for item in waiting):
            return
        newest = await self._store.query(
            ContextFilter(namespaces=[Namespace.TOOL_CALL, _MAIL], limit=_LOOKED_AT, include_expired=True)
        )
        for context in reversed(newest):
            await self._consider(context)

    async def _take(self, updates: list[ContextUpdate]) -> None:
        for update in updates:
            if not update.deleted:
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
                    if moved:
                        await self._record(f"closed by your answer: {called}", moved)
                break
            except VersionConflictError:  # the user moved one of them at the same moment: check again what is open
                continue
        await self._wrote(matter, to, when)

    async def _matter_of(self, message_id: str) -> str:
        """Return the matter of the mail that was answered."""
        answered = await first_with(self._store, message_id)
        return f"mail:{answered.data['thread']}" if answered else ""
