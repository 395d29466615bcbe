"""The user's decisions about outside effects. Nothing but these methods, called by a key, moves an approval.

An approval binds one resolved effect by digest and holds for one attempt. Between the yes and the attempt lies a window
of the config's ``undo_seconds``, which ends at ``acts_at``. After a restart it starts anew; where that is ``LATE``, the
card asks again. An edit ends the card as ``edited`` and opens a new pending one: saving does not approve. A card
expires visibly at ``expires_at``, never while it is snoozed. Cancelled by anybody but the user it is ``withdrawn``.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import datetime
from math import inf
from typing import TYPE_CHECKING, Final

from pepper_tui.clock import Clock, Timers
from pepper_tui.config import Config
from pepper_tui.model import (
    APPROVAL,
    Approval,
    ApprovalState,
    CallState,
    CardLine,
    ContextUpdate,
    Effect,
    Json,
    Namespace,
    ResolvedEffect,
    ToolCall,
)
from pepper_tui.store.delivery.following import Following
from pepper_tui.text import one_line
from pepper_tui.text.errors import Foreseen
from pepper_tui.tools.approvals.policy import Policy, Why, repeated
from pepper_tui.tools.approvals.provenance import Provenance, atoms
from pepper_tui.tools.errors import ToolError
from pepper_tui.tools.ledger import Ledger
from pepper_tui.tools.registry import ToolRegistry
from pepper_tui.tools.tool import Tool, ToolContext
from pepper_tui.tools.tool_store import ToolStore

if TYPE_CHECKING:
    from pepper_tui.store import Store

WAITING: Final = "waits for your approval"
APPROVED: Final = "approved"
WAS: Final = "Before"
"""The label of what a model's better words took the place of."""
LATE: Final = 900.0  # seconds after the window's end from which an act is asked for once more
_AFTER_SNOOZE: Final = 86400.0  # a snoozed card lives at least so long after it is back


class ApprovalError(Exception, Foreseen):
    """A decision that can't be taken (any more); the message says why, for the user."""


_REPEATED: Final = {
    Why.REJECTED: "you have rejected exactly this before; nothing was changed",
    Why.WAITING: "exactly this waits in another card already; nothing was changed",
    Why.UNKNOWN: "exactly this was attempted and may have happened: settle that first; nothing was changed",
    Why.UNDER_WAY: "exactly this is being done already; nothing was changed",
}


class Approvals:
    """Decisions and expiry. Methods return words for the status line; they raise ``ApprovalError``."""

    def __init__(self, store: Store, clock: Clock, registry: ToolRegistry, config: Config) -> None:
        self._store = store
        self._clock = clock
        self._registry = registry
        self._config = config.tools
        self._ledger = Ledger(store, clock, config.tools.result_limit)
        self._provenance = Provenance(store, config)
        self._timers = Timers(clock)
        self._following = Following(
            store, [Namespace.APPROVAL], take_up=self._keep_time, take=self._changed, name="approvals"
        )
        self.attended = False
        """Whether the user edits a card, or the inbox has the keys."""

    async def start(self) -> None:
        """Begin to expire cards, those first that fell due while nothing ran."""
        await self._timers.start()
        await self._following.start()

    async def stop(self) -> None:
        await self._following.stop()
        await self._timers.stop()

    async def open(
        self,
        call: ToolCall,
        version: int,
        tool: Tool,
        effect: ResolvedEffect,
        *,
        reason: str = "",
        matter: str = "",
        problem: str = "",
        retry_of: str = "",
    ) -> None:
        """Put ``effect`` before the user as a card of ``call``: one unit, which joins the caller's."""
        now = self._clock.now()
        approval = Approval(
            id=self._clock.new_id("approval"),
            call=call.id,
            effect=effect.data(),
            digest=effect.digest,
            created_at=now,
            expires_at=now + self._config.approval_ttl,
            reason=reason,
            matter=matter,
            problem=problem,
            retry_of=retry_of,
        )
        async with self._store.unit():
            await self._ledger.put_approval(approval, 0, tool.same_key(effect))
            await self._ledger.put_call(
                call,
                version,
                CallState.WAITING_APPROVAL,
                approval=approval.id,
                progress=WAITING,
                deferred="",
                summary=effect.summary,
            )

    def acts_at(self, approval: Approval) -> float:
        """When the window of an approved card ends."""
        if approval.acts_at is not None:
            return approval.acts_at
        return (approval.decided_at or 0.0) + self._config.undo_seconds  # stored by an older version

    async def resume(self) -> None:
        """Start each window anew that was open when the program ended; ask once more about those that are late."""
        for waiting in await self._ledger.open_calls():
            if waiting.state is not CallState.WAITING_APPROVAL:
                continue
            with contextlib.suppress(ApprovalError):
                approval, version, call, call_version, _ = await self._loaded(waiting.approval)
                if approval.state is not ApprovalState.APPROVED or call.state is not CallState.WAITING_APPROVAL:
                    continue
                now, window = self._clock.now(), self._window(call)
                if now - (approval.decided_at or 0.0) > LATE + window:
                    await self.ask_again(approval.id, "but Pepper was not running then")
                    continue
                async with self._deciding():
                    await self._ledger.put_call(call, call_version, progress=APPROVED)
                    await self._put(replace(approval, acts_at=now + window), version)

    async def ask_again(self, approval_id: str, why: str) -> None:
        """Make an approved card that was not carried out in time pending again; ``why`` in words, for the card."""
        approval, version, call, call_version, _ = await self._loaded(approval_id)
        if approval.state is not ApprovalState.APPROVED or call.state is not CallState.WAITING_APPROVAL:
            return
        back = self._moved(
            approval,
            ApprovalState.PENDING,
            problem=f"approved at {self._time(approval.decided_at)}, {why}; still wanted?",
            decided_at=None,
            acts_at=None,
            expires_at=self._fresh(approval),
        )
        async with self._deciding():
            await self._ledger.put_call(call, call_version, progress=WAITING)
            await self._put(back, version)

    def _window(self, call: ToolCall) -> float:
        return 0.0 if call.effect is Effect.LOCAL else self._config.undo_seconds

    def _time(self, at: float | None) -> str:
        zone = self._registry.time.zone
        then, today = datetime.fromtimestamp(at or 0.0, zone), datetime.fromtimestamp(self._clock.now(), zone).date()
        return f"{then:%H:%M}" if then.date() == today else f"{then:%H:%M} on {then:%a} {then.day} {then:%b}"

    async def approve(self, approval_id: str) -> str:
        """Say yes to exactly the effect that the card holds."""
        approval, version, call, call_version, tool = await self._loaded(approval_id)
        self._must_be_pending(approval)
        if call.state is not CallState.WAITING_APPROVAL or call.approval != approval.id:
            raise ApprovalError("this is no longer waiting for you")
        if approval.expires_at <= self._clock.now():
            await asyncio.create_task(self.expire_due())  # a task of its own: what the caller writes is not written
            raise ApprovalError("this had expired; nothing was done")
        wrong = Policy.check(tool, call, approval.resolved, approval.digest)
        if wrong:
            raise ApprovalError(f"this can't be approved: {wrong}; reject it")
        now, window = self._clock.now(), self._window(call)
        decided = self._moved(
            approval, ApprovalState.APPROVED, decided_at=now, acts_at=now + window, snoozed_until=None
        )
        async with self._deciding():
            await self._ledger.put_call(call, call_version, progress=APPROVED)
            await self._put(decided, version)
        what = one_line(approval.resolved.summary, 80)
        if not window:
            return f"approved: {what}"
        act = "sends" if call.effect is Effect.SEND else "done"
        return f"{act} in {window:g} s; u takes it back: {what}"

    async def reject(self, approval_id: str, note: str = "") -> str:
        """Say no. The call is cancelled, and the same request is refused from now on."""
        approval, version, call, call_version, _ = await self._loaded(approval_id)
        self._must_be_pending(approval)
        decided = self._moved(
            approval, ApprovalState.REJECTED, decided_at=self._clock.now(), decision_note=note, snoozed_until=None
        )
        said = f" The user's note: {note}" if note else ""
        async with self._deciding():
            await self._put(decided, version)
            if call.state is CallState.WAITING_APPROVAL and call.approval == approval.id:
                words = f"The user rejected this; nothing was done.{said}"
                await self._ledger.end(call, call_version, CallState.CANCELLED, words, error="rejected")
        return f"rejected: {one_line(approval.resolved.summary, 80)}"

    async def edit(self, approval_id: str, fields: dict[str, str]) -> str:
        """End the card as edited and open a new pending one with ``fields`` (label -> value); its id."""
        return await self._replace(approval_id, fields, ApprovalState.EDITED)

    async def shown(self, approval_id: str) -> None:
        """Note that a screen has drawn the card: from now on only the user's own wish lets a model revise it."""
        found = await self._ledger.approval(approval_id)
        if found is not None and found[0].state is ApprovalState.PENDING and found[0].shown_at is None:
            with contextlib.suppress(ApprovalError):
                async with self._deciding():
                    await self._put(replace(found[0], shown_at=self._clock.now()), found[1])

    async def revise(self, call_id: str, fields: dict[str, str], *, asked: bool) -> str:
        """Put a model's better words in the place of a card that waits: the old one is withdrawn, a new one shows what
        was before. ``asked``: the user's own message led to it; else only until a screen has drawn the card. Never
        while the user edits, or the inbox has the keys."""
        found = await self._ledger.call(call_id)
        if found is None or found[0].state is not CallState.WAITING_APPROVAL:
            raise ApprovalError("there is no such proposal that waits")
        named = await self._ledger.approval(found[0].approval)
        if named is None or named[0].state is not ApprovalState.PENDING:
            raise ApprovalError("it is decided already")
        tool = self._registry.get(found[0].name)
        if tool is None or not tool.offered:
            raise ApprovalError("this is no proposal of yours: only the user changes it")
        if self.attended:
            raise ApprovalError("the user is at the inbox just now: leave the card as it is")
        if named[0].shown_at is not None and not asked:
            raise ApprovalError("the user has seen the card: it stays as it is, unless they ask for a change")
        return await self._replace(named[0].id, fields, ApprovalState.WITHDRAWN)

    async def _replace(self, approval_id: str, fields: dict[str, str], to: ApprovalState) -> str:
        approval, version, call, call_version, tool = await self._loaded(approval_id)
        self._must_be_pending(approval)
        if approval.expires_at <= self._clock.now():
            raise ApprovalError("this has expired")
        by_user = to is ApprovalState.EDITED
        if tool is None or tool.revise is None:
            raise ApprovalError("this can't be edited")
        effect = approval.resolved
        editable = {line.label.lower() for line in effect.lines if line.editable}
        given = {label.lower(): value for label, value in fields.items()}
        if not given.keys() <= editable:
            raise ApprovalError(f"only these can be edited: {', '.join(sorted(editable)) or 'nothing'}")
        reads = ToolStore(self._store, approved=False)
        context = ToolContext(reads, self._clock, call, self._registry.time, tool)
        try:
            revised = await tool.revise(context, effect, given)
        except ToolError as error:
            raise ApprovalError(str(error)) from error
        before = {atom for line in effect.lines for atom in atoms(line.value)}
        typed = [atom for value in given.values() for atom in atoms(value) if atom not in before] if by_user else []
        lines = [line for line in revised.lines if line.outside or not _says_what_was(line.label)]
        if not by_user:
            old = {line.label.lower(): line for line in effect.lines}
            changed = [old[label] for label in given if label in old and old[label].value != given[label]]
            several = len(changed) > 1
            lines += [
                CardLine(f"{WAS} {line.label}" if several else WAS, line.value, multiline=line.multiline, settled=True)
                for line in changed
            ]
        revised = replace(
            revised,
            tool=tool.name,
            definition=tool.definition,
            lines=await self._provenance.mark(lines, typed, once=tool.asks),
        )
        await self._must_be_new(call, revised)
        return await self._in_its_place(approval, version, call, call_version, revised, to)

    async def _must_be_new(self, call: ToolCall, effect: ResolvedEffect) -> None:
        earlier = await repeated(self._ledger, call.id, self._same_key(effect))
        if earlier is not None:
            raise ApprovalError(_REPEATED[earlier.why])

    async def _in_its_place(
        self,
        approval: Approval,
        version: int,
        call: ToolCall,
        call_version: int,
        effect: ResolvedEffect,
        to: ApprovalState,
    ) -> str:
        """End a card as ``to`` and open a new one of ``effect`` for the same call; the new one's id."""
        by_user = to is ApprovalState.EDITED
        now = self._clock.now()
        new = Approval(
            id=self._clock.new_id("approval"),
            call=call.id,
            effect=effect.data(),
            digest=effect.digest,
            created_at=now,
            expires_at=now + self._config.approval_ttl,
            reason=approval.reason,
            matter=approval.matter,
            retry_of=approval.retry_of,
            revises="" if by_user else approval.id,
        )
        note = "" if by_user else "better words took its place"
        ended = self._moved(approval, to, decided_at=now, edited_into=new.id, snoozed_until=None, decision_note=note)
        async with self._deciding():
            await self._ledger.put_call(call, call_version, approval=new.id, progress=WAITING, summary=effect.summary)
            await self._put(ended, version)
            await self._put(new, 0)
        return new.id

    async def snooze(self, approval_id: str, until: float) -> str:
        """Put the card away until ``until`` (POSIX seconds); it can't expire before a day after that."""
        approval, version, call, call_version, _ = await self._loaded(approval_id)
        self._must_be_pending(approval)
        if until <= self._clock.now():
            raise ApprovalError("that time has passed")
        if approval.expires_at <= self._clock.now():
            raise ApprovalError("this has expired")
        back = min(_AFTER_SNOOZE, self._config.approval_ttl)
        snoozed = replace(approval, snoozed_until=until, expires_at=max(approval.expires_at, until + back))
        async with self._deciding():
            await self._ledger.put_call(call, call_version, progress=WAITING)
            await self._put(snoozed, version)
        return f"snoozed: {one_line(approval.resolved.summary, 80)}"

    async def take_back(self, approval_id: str, was: str) -> str:
        """Take back what the user did with a card, if it is still so: ``was`` is ``snoozed``, ``rejected``,
        ``approved`` (until its attempt begins) or ``edited`` (the card shows again exactly what it showed before)."""
        approval, version, call, call_version, _ = await self._loaded(await self._live(approval_id))
        if was == "edited":
            return await self._as_it_was(approval_id, approval, version, call, call_version)
        if was == "snoozed" and approval.state is ApprovalState.PENDING:
            if approval.snoozed_until is None:
                raise ApprovalError("its snooze is over already")
            async with self._deciding():
                await self._put(replace(approval, snoozed_until=None), version)
            return "back in the inbox"
        if was == "approved" and approval.state is ApprovalState.APPROVED:
            if call.state is not CallState.WAITING_APPROVAL:
                raise ApprovalError(_too_late(call))
            back = self._moved(
                approval, ApprovalState.PENDING, decided_at=None, acts_at=None, expires_at=self._fresh(approval)
            )
            async with self._deciding():
                await self._ledger.put_call(call, call_version, progress=WAITING)
                await self._put(back, version)
            return "approval taken back; nothing was done"
        if was == "rejected" and approval.state is ApprovalState.REJECTED:
            if call.state is not CallState.CANCELLED or call.approval != approval.id:
                raise ApprovalError(f"too late to take back: the call is {_state_words(call)}")
            back = self._moved(
                approval, ApprovalState.PENDING, decided_at=None, decision_note="", expires_at=self._fresh(approval)
            )
            words = "Correction: the user took the rejection back; this waits for approval again."
            async with self._deciding():
                opened = await self._ledger.put_call(
                    call, call_version, CallState.WAITING_APPROVAL, progress=WAITING, error="", ended_at=None
                )
                await self._ledger.put_result(opened, words)
                await self._put(back, version)
            return "rejection taken back"
        raise ApprovalError(_too_late(call) if approval.state is ApprovalState.APPROVED else f"it is {approval.state}")

    async def do_again(self, approval_id: str, what: str, detail: Json) -> str:
        """Do again what was taken back, with the card that now stands for it. A yes is never said again."""
        ident = await self._live(approval_id)
        match what:
            case "snoozed":
                return await self.snooze(ident, float(detail["until"]))
            case "rejected":
                return await self.reject(ident, str(detail.get("note", "")))
            case "edited":
                await self.edit(ident, dict(detail["fields"]))
                return "edited again; it still waits for your yes"
        raise ApprovalError("a yes is not said again: approve the card itself")

    async def _live(self, approval_id: str) -> str:
        """The card that the user's edits have made of it."""
        while (found := await self._ledger.approval(approval_id)) is not None and (
            found[0].state is ApprovalState.EDITED and found[0].edited_into
        ):
            approval_id = found[0].edited_into
        return approval_id

    async def _as_it_was(
        self, before_id: str, approval: Approval, version: int, call: ToolCall, call_version: int
    ) -> str:
        found = await self._ledger.approval(before_id)
        if found is None or found[0].state is not ApprovalState.EDITED:
            raise ApprovalError("the card was not edited")
        self._must_be_pending(approval)
        if approval.expires_at <= self._clock.now():
            raise ApprovalError("this has expired")
        before = found[0].resolved
        await self._must_be_new(call, before)
        await self._in_its_place(approval, version, call, call_version, before, ApprovalState.EDITED)
        return "the card is as it was before you edited it"

    async def expire_due(self) -> list[str]:
        """Expire each pending card that is due, and bring back each whose snooze is over; ids of the expired."""
        now = self._clock.now()
        expired = []
        for card in await self._ledger.open_approvals():
            if card.expires_at > now and (card.snoozed_until is None or card.snoozed_until > now):
                continue
            with contextlib.suppress(ApprovalError):
                approval, version, call, call_version, _ = await self._loaded(card.id)
                if approval.state is not ApprovalState.PENDING:
                    continue
                if approval.expires_at <= now:
                    await self._expire(approval, version, call, call_version)
                    expired.append(approval.id)
                elif approval.snoozed_until is not None and approval.snoozed_until <= now:
                    async with self._deciding():
                        await self._put(replace(approval, snoozed_until=None), version)
        return expired

    async def withdraw(self, approval_id: str, by: str) -> str:
        """End the card with its call cancelled: ``rejected`` where the user did so, else ``withdrawn``."""
        approval, version, call, call_version, _ = await self._loaded(approval_id)
        if call.state is not CallState.WAITING_APPROVAL:
            raise ApprovalError(f"too late to cancel: it is already {_state_words(call)}")
        if approval.state is ApprovalState.APPROVED:
            approval = self._moved(approval, ApprovalState.PENDING)
        to = ApprovalState.REJECTED if by == "user" else ApprovalState.WITHDRAWN
        ended = self._moved(
            approval,
            to,
            decided_at=self._clock.now(),
            decision_note=f"cancelled by the {by}",
            snoozed_until=None,
            acts_at=None,
        )
        async with self._deciding():
            await self._put(ended, version)
            words = f"Cancelled by the {by} before it was approved; nothing was done."
            await self._ledger.end(call, call_version, CallState.CANCELLED, words, error="cancelled")
        return "cancelled; nothing was done"

    # ------------------------------------------------------------------------------------------------- inside

    async def _expire(self, approval: Approval, version: int, call: ToolCall, call_version: int) -> None:
        ended = self._moved(approval, ApprovalState.EXPIRED, decided_at=self._clock.now(), snoozed_until=None)
        async with self._deciding():
            await self._put(ended, version)
            if call.state is CallState.WAITING_APPROVAL and call.approval == approval.id:
                words = "The approval expired without an answer; nothing was done."
                await self._ledger.end(call, call_version, CallState.FAILED, words, error="expired")

    async def _loaded(self, approval_id: str) -> tuple[Approval, int, ToolCall, int, Tool | None]:
        found = await self._ledger.approval(approval_id)
        if found is None:
            raise ApprovalError("there is no such approval")
        approval, version = found
        called = await self._ledger.call(approval.call)
        if called is None:
            raise ApprovalError("the call of this approval is gone")
        return approval, version, called[0], called[1], self._registry.get(approval.resolved.tool)

    async def _put(self, approval: Approval, version: int) -> None:
        await self._ledger.put_approval(approval, version, self._same_key(approval.resolved))

    def _same_key(self, effect: ResolvedEffect) -> str:
        tool = self._registry.get(effect.tool)
        return tool.same_key(effect) if tool else effect.digest[:32]

    def _fresh(self, approval: Approval) -> float:
        return max(approval.expires_at, self._clock.now() + self._config.approval_ttl)

    @staticmethod
    def _moved(approval: Approval, to: ApprovalState, **changes: object) -> Approval:
        return replace(approval, state=APPROVAL.move(approval.state, to), **changes)  # type: ignore[arg-type]

    @staticmethod
    def _must_be_pending(approval: Approval) -> None:
        if approval.state is ApprovalState.EDITED:
            raise ApprovalError("this was edited; decide on the new card")
        if approval.state is not ApprovalState.PENDING:
            raise ApprovalError(f"this is already {approval.state}")

    @contextlib.asynccontextmanager
    async def _deciding(self) -> AsyncIterator[None]:
        from pepper_tui.store import VersionConflictError

        try:
            async with self._store.unit():
                yield
        except VersionConflictError as error:
            raise ApprovalError("this changed in the same moment; look again") from error

    async def _keep_time(self) -> None:
        """End what is due, and come again when the next card is."""
        await self.expire_due()
        due = await self._next_due()
        if due == inf:
            self._timers.cancel("cards")
        else:
            self._timers.schedule("cards", due, self._keep_time)

    async def _changed(self, updates: list[ContextUpdate]) -> None:
        del updates
        await self._keep_time()

    async def _next_due(self) -> float:
        times = [t for a in await self._ledger.open_approvals() for t in (a.expires_at, a.snoozed_until) if t]
        return min(times, default=inf)


def _says_what_was(label: str) -> bool:
    return label == "Not from you" or label.partition(" ")[0] == WAS


def _too_late(call: ToolCall) -> str:
    if call.state is CallState.FAILED and call.error:
        return f"there is nothing to take back: it was not done ({call.error})"
    return f"too late to take back: it is already {_state_words(call)}"


def _state_words(call: ToolCall) -> str:
    return {
        CallState.ATTEMPTED: "under way",
        CallState.SUCCEEDED: "done",
        CallState.UNKNOWN: "attempted (outcome unknown)",
    }.get(call.state, call.state.value)
