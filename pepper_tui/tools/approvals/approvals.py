"""Approvals: all that moves a card, as one part. Nothing but these methods moves one.

The decisions are the user's, by a key; what a time brings (a card expires, a snooze ends) is done here by itself.
"""

from __future__ import annotations

import contextlib
from dataclasses import replace
from math import inf
from typing import TYPE_CHECKING

from pepper_tui.clock import Clock, Timers
from pepper_tui.config import Config
from pepper_tui.model import Approval, ApprovalState, ContextUpdate, Json, Namespace, ResolvedEffect, ToolCall
from pepper_tui.store.delivery.following import Following
from pepper_tui.tools.approvals.cards import ApprovalError, Cards
from pepper_tui.tools.approvals.decisions import Decisions
from pepper_tui.tools.approvals.edits import Edits
from pepper_tui.tools.approvals.provenance import Provenance
from pepper_tui.tools.approvals.taking_back import TakingBack
from pepper_tui.tools.approvals.windows import Windows
from pepper_tui.tools.registry import ToolRegistry
from pepper_tui.tools.tool import Tool

if TYPE_CHECKING:
    from pepper_tui.store import Store


class Approvals:
    """Decisions and expiry. Methods return words for the status line; they raise ``ApprovalError``."""

    def __init__(self, store: Store, clock: Clock, registry: ToolRegistry, config: Config) -> None:
        self._clock = clock
        self._cards = Cards(store, clock, registry, config)
        self._windows = Windows(self._cards, clock, registry.time, config.tools.undo_seconds)
        self._decisions = Decisions(self._cards, self._windows, clock, config.tools.approval_ttl)
        self._edits = Edits(
            store, clock, registry, self._cards, Provenance(store, config), attended=lambda: self.attended
        )
        self._taking_back = TakingBack(self._cards, self._decisions, self._edits)
        self._timers = Timers(clock)
        self._following = Following(
            store, [Namespace.APPROVAL], resume=self._keep_time, take=self._changed, name="approvals"
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
    ) -> str:
        """See ``Cards``."""
        return await self._cards.open(
            call, version, tool, effect, reason=reason, matter=matter, problem=problem, retry_of=retry_of
        )

    async def shown(self, approval_id: str) -> None:
        """Note that a screen has drawn the card: from now on only the user's own wish lets a model revise it."""
        found = await self._cards.ledger.approval(approval_id)
        if found is not None and found[0].state is ApprovalState.PENDING and found[0].shown_at is None:
            with contextlib.suppress(ApprovalError):
                async with self._cards.deciding():
                    await self._cards.put(replace(found[0], shown_at=self._clock.now()), found[1])

    # ------------------------------------------------------------------------------------------------- decisions

    async def approve(self, approval_id: str) -> str:
        """See ``Decisions``, as for the next three."""
        return await self._decisions.approve(approval_id)

    async def reject(self, approval_id: str, note: str = "") -> str:
        return await self._decisions.reject(approval_id, note)

    async def snooze(self, approval_id: str, until: float) -> str:
        return await self._decisions.snooze(approval_id, until)

    async def withdraw(self, approval_id: str, by: str) -> str:
        return await self._decisions.withdraw(approval_id, by)

    async def edit(self, approval_id: str, fields: dict[str, str]) -> str:
        """See ``Edits``."""
        return await self._edits.edit(approval_id, fields)

    async def revise(self, call_id: str, fields: dict[str, str], *, asked: bool) -> str:
        """See ``Edits``."""
        return await self._edits.revise(call_id, fields, asked=asked)

    async def take_back(self, approval_id: str, was: str) -> str:
        """See ``TakingBack``."""
        return await self._taking_back.take_back(approval_id, was)

    async def do_again(self, approval_id: str, what: str, detail: Json) -> str:
        """See ``TakingBack``."""
        return await self._taking_back.do_again(approval_id, what, detail)

    # ------------------------------------------------------------------------------------------------- time

    def acts_at(self, approval: Approval) -> float:
        """When the window of an approved card ends."""
        return self._windows.acts_at(approval)

    async def resume(self) -> None:
        """Start each window anew that was open when the program ended; ask once more about those that are late."""
        await self._windows.resume()

    async def ask_again(self, approval_id: str, why: str) -> None:
        """Make an approved card that was not carried out in time pending again; ``why`` in words, for the card."""
        await self._windows.ask_again(approval_id, why)

    async def expire_due(self) -> list[str]:
        """Expire each pending card that is due, and bring back each whose snooze is over; ids of the expired."""
        return await self._decisions.expire_due()

    async def _keep_time(self) -> None:
        """End what is due, and come again when the next card is."""
        await self.expire_due()
        waiting = await self._cards.ledger.open_approvals()
        due = min((at for card in waiting for at in (card.expires_at, card.snoozed_until) if at), default=inf)
        if due == inf:
            self._timers.cancel("cards")
        else:
            self._timers.schedule("cards", due, self._keep_time)

    async def _changed(self, updates: list[ContextUpdate]) -> None:
        del updates
        await self._keep_time()
