"""Approvals: every transition of a card goes through these methods.

Decisions are the user's, by a key; what depends on time (a card expires, a snooze ends) happens here automatically.
"""

from __future__ import annotations

import contextlib
from collections.abc import Collection
from dataclasses import replace
from math import inf
from typing import TYPE_CHECKING

from pepper_tui.clock import Clock, Timers
from pepper_tui.config import Config
from pepper_tui.model import Approval, ApprovalState, ContextUpdate, Json, Namespace, ResolvedEffect, ToolCall
from pepper_tui.store.delivery.following import Following
from pepper_tui.tools.approvals.by_key import ByKey
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
    """Decisions and expiry. Methods return words for the status line and raise ``ApprovalError``."""

    def __init__(self, store: Store, clock: Clock, registry: ToolRegistry, config: Config) -> None:
        self._clock = clock
        self._cards = Cards(store, clock, registry, config)
        self._windows = Windows(self._cards, clock, registry.time, config.tools.undo_seconds)
        self._decisions = Decisions(self._cards, self._windows, clock, config.tools.approval_ttl)
        self._edits = Edits(
            store, clock, registry, self._cards, Provenance(store, config), attended=lambda: self.attended
        )
        self._taking_back = TakingBack(self._cards, self._decisions, self._edits)
        self.by_key = ByKey(self._cards, clock)
        self._timers = Timers(clock)
        self._following = Following(
            store, [Namespace.APPROVAL], resume=self._keep_time, take=self._changed, name="approvals"
        )
        self.attended = False
        """Whether the user is editing a card, or the inbox has the focus."""

    async def start(self) -> None:
        """Start expiring cards, beginning with those that fell due while nothing ran."""
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
        """Open a card; see ``Cards``."""
        return await self._cards.open(
            call, version, tool, effect, reason=reason, matter=matter, problem=problem, retry_of=retry_of
        )

    async def shown(self, approval_id: str) -> None:
        """Record that a screen has drawn the card: from now on a model may revise it only at the user's request."""
        found = await self._cards.ledger.approval(approval_id)
        if found is not None and found[0].state is ApprovalState.PENDING and found[0].shown_at is None:
            with contextlib.suppress(ApprovalError):
                async with self._cards.deciding():
                    await self._cards.put(replace(found[0], shown_at=self._clock.now()), found[1])

    # ------------------------------------------------------------------------------------------------- decisions

    async def approve(self, approval_id: str) -> str:
        """Approve a card; see ``Decisions`` for this and the next three."""
        return await self._decisions.approve(approval_id)

    async def reject(self, approval_id: str, note: str = "") -> str:
        return await self._decisions.reject(approval_id, note)

    async def snooze(self, approval_id: str, until: float) -> str:
        return await self._decisions.snooze(approval_id, until)

    async def withdraw(self, approval_id: str, by: str, why: str = "") -> str:
        return await self._decisions.withdraw(approval_id, by, why)

    async def edit(self, approval_id: str, fields: dict[str, str], typed: Collection[str] = ()) -> str:
        """Edit a card; see ``Edits``."""
        return await self._edits.edit(approval_id, fields, typed)

    async def revise(self, call_id: str, fields: dict[str, str], *, asked: bool) -> str:
        """Revise a card for a model; see ``Edits``."""
        return await self._edits.revise(call_id, fields, asked=asked)

    async def take_back(self, approval_id: str, was: str) -> str:
        """Undo an act on a card; see ``TakingBack``."""
        return await self._taking_back.take_back(approval_id, was)

    async def do_again(self, approval_id: str, what: str, detail: Json) -> str:
        """Redo an act on a card; see ``TakingBack``."""
        return await self._taking_back.do_again(approval_id, what, detail)

    # ------------------------------------------------------------------------------------------------- time

    def acts_at(self, approval: Approval) -> float:
        """Return when the undo window of an approved card ends."""
        return self._windows.acts_at(approval)

    async def resume(self) -> None:
        """Restart each window that was open when the program ended; ask again about those that are too late."""
        await self._windows.resume()

    async def ask_again(self, approval_id: str, why: str) -> None:
        """Make an approved card that was not carried out in time pending again; ``why`` is shown on the card."""
        await self._windows.ask_again(approval_id, why)

    async def expire_due(self) -> list[str]:
        """Expire each pending card that is due, and end each snooze that is over; return the ids of the expired."""
        return await self._decisions.expire_due()

    async def _keep_time(self) -> None:
        """Handle what is due, and schedule the next run for when the next card is."""
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
