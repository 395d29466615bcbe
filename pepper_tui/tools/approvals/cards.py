"""A card: an approval and the call that waits for it, read and written together.

An approval binds one resolved effect by digest and is valid for one attempt. Each decision about a card also writes its
call, expecting the versions that were read, so of two concurrent decisions one fails.
"""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from pepper_tui.clock import Clock
from pepper_tui.config import Config
from pepper_tui.model import APPROVAL, Approval, ApprovalState, CallState, ResolvedEffect, ToolCall
from pepper_tui.text.errors import Foreseen, PepperError
from pepper_tui.tools.ledger import Ledger
from pepper_tui.tools.registry import ToolRegistry
from pepper_tui.tools.tool import Tool

if TYPE_CHECKING:
    from pepper_tui.store import Store

WAITING: Final = "waits for your approval"


class ApprovalError(PepperError, Foreseen):
    """A decision that is not possible (any more); the message tells the user why."""


@dataclass(frozen=True, slots=True)
class Card:
    """An approval and its call with the versions as read; ``tool`` is the effect's tool if it is registered."""

    approval: Approval
    version: int
    call: ToolCall
    call_version: int
    tool: Tool | None

    @property
    def waits(self) -> bool:
        """Whether the call still waits for exactly this approval."""
        return self.call.state is CallState.WAITING_APPROVAL and self.call.approval == self.approval.id

    def must_be_pending(self) -> None:
        """Raise ``ApprovalError`` if the card is already decided."""
        if self.approval.state is ApprovalState.EDITED:
            raise ApprovalError("this was edited; decide on the new card")
        if self.approval.state is not ApprovalState.PENDING:
            raise ApprovalError(f"this is already {self.approval.state}")


class Cards:
    """Reads and writes cards. Reads raise ``ApprovalError`` for a missing card or call."""

    def __init__(self, store: Store, clock: Clock, registry: ToolRegistry, config: Config) -> None:
        self._store, self._clock, self._registry = store, clock, registry
        self._ttl = config.tools.approval_ttl
        self.ledger = Ledger(store, clock, config.tools.result_limit)

    async def load(self, approval_id: str) -> Card:
        found = await self.ledger.approval(approval_id)
        if found is None:
            raise ApprovalError("there is no such approval")
        approval, version = found
        called = await self.ledger.call(approval.call)
        if called is None:
            raise ApprovalError("the call of this approval is gone")
        return Card(approval, version, called[0], called[1], self._registry.get(approval.resolved.tool))

    async def latest(self, approval_id: str) -> str:
        """Return the id of the newest card that the user's edits made of this one."""
        while (found := await self.ledger.approval(approval_id)) is not None and (
            found[0].state is ApprovalState.EDITED and found[0].edited_into
        ):
            approval_id = found[0].edited_into
        return approval_id

    async def put(self, approval: Approval, version: int) -> None:
        await self.ledger.put_approval(approval, version, self.same_key(approval.resolved))

    async def decide(self, card: Card, decided: Approval, *, progress: str) -> None:
        """Store a decision about a card whose call keeps waiting."""
        async with self.deciding():
            await self.ledger.put_call(card.call, card.call_version, progress=progress)
            await self.put(decided, card.version)

    @contextlib.asynccontextmanager
    async def deciding(self) -> AsyncIterator[None]:
        """Open one unit of work. Raises ``ApprovalError`` if what it writes was changed concurrently."""
        from pepper_tui.store import VersionConflictError

        try:
            async with self._store.unit():
                yield
        except VersionConflictError as error:
            raise ApprovalError("this changed in the same moment; look again") from error

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
    ) -> str:
        """Open a card for ``effect`` of ``call``, and return its id. One unit, which joins the caller's."""
        approval = replace(self.new(call, effect), reason=reason, matter=matter, problem=problem, retry_of=retry_of)
        async with self._store.unit():
            await self.ledger.put_approval(approval, 0, tool.same_key(effect))
            await self.ledger.put_call(
                call,
                version,
                CallState.WAITING_APPROVAL,
                approval=approval.id,
                progress=WAITING,
                deferred="",
                summary=effect.summary,
            )
        return approval.id

    def new(self, call: ToolCall, effect: ResolvedEffect) -> Approval:
        """Return a pending approval of ``effect``, not stored yet."""
        now = self._clock.now()
        return Approval(
            id=self._clock.new_id("approval"),
            call=call.id,
            effect=effect.data(),
            digest=effect.digest,
            created_at=now,
            expires_at=now + self._ttl,
        )

    def same_key(self, effect: ResolvedEffect) -> str:
        """Return a key that is equal for two effects that are the same request."""
        tool = self._registry.get(effect.tool)
        return tool.same_key(effect) if tool else effect.digest[:32]

    def pending_again(self, approval: Approval, **changes: object) -> Approval:
        """Return ``approval`` as pending again, for at least as long as a new one."""
        expires_at = max(approval.expires_at, self._clock.now() + self._ttl)
        return moved(approval, ApprovalState.PENDING, decided_at=None, expires_at=expires_at, **changes)


def moved(approval: Approval, to: ApprovalState, **changes: object) -> Approval:
    """Return ``approval`` in the state ``to``, with ``changes``."""
    return replace(approval, state=APPROVAL.move(approval.state, to), **changes)  # type: ignore[arg-type]


def too_late(call: ToolCall) -> str:
    """Explain why ``call`` can't be undone."""
    if call.state is CallState.FAILED and call.error:
        return f"there is nothing to take back: it was not done ({call.error})"
    return f"too late to take back: it is already {state_words(call)}"


def state_words(call: ToolCall) -> str:
    """Describe the state of ``call`` to the user."""
    return {
        CallState.ATTEMPTED: "under way",
        CallState.SUCCEEDED: "done",
        CallState.UNKNOWN: "attempted (outcome unknown)",
    }.get(call.state, call.state.value)
