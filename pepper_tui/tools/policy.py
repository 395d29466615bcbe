"""Policy is code: what may run, what needs a yes, what is refused without a card.

``read`` and ``local`` pass. ``write`` and ``send`` need an approval of the resolved effect. Without a new card are
refused: a request that the user rejected, one whose outcome is unknown, one that already waits or is being done, and
any above the cap of open cards per origin. All that no user message asked for share a wider cap as well, and so does
all that came of user messages: a chain of steps, each an origin of its own, can't bury the inbox either.
"""

from __future__ import annotations

from typing import Final

from pepper_tui.config import Tools
from pepper_tui.model import ApprovalState, CallState, ResolvedEffect, ToolCall
from pepper_tui.text import one_line
from pepper_tui.tools.ledger import Ledger
from pepper_tui.tools.services import Services
from pepper_tui.tools.tool import Tool, ToolError

ROOT_FACTOR: Final = 4
"""Open cards of all calls of one root (user message, or not): at most this many times the cap of one origin."""


class RefusedError(ToolError):
    """Policy refuses the call; the message says why."""


class Policy:
    """The rules. Reads the ledger; writes nothing."""

    def __init__(self, ledger: Ledger, config: Tools) -> None:
        self._ledger = ledger
        self._config = config

    async def admit(self, call: ToolCall, tool: Tool, effect: ResolvedEffect) -> None:
        """Return where a card for ``effect`` may open. Raises ``RefusedError``."""
        for earlier in await self._ledger.alike(tool.same_key(effect)):
            if earlier.call == call.id:
                continue
            if earlier.state is ApprovalState.REJECTED:
                note = f" and said: {earlier.decision_note}" if earlier.decision_note else ""
                raise RefusedError(f"The user has already rejected exactly this{note}. Do not ask again.")
            if earlier.state is ApprovalState.PENDING:
                raise RefusedError("Exactly this already waits for the user's approval. Do not ask again.")
            if earlier.state is ApprovalState.APPROVED:
                found = await self._ledger.call(earlier.call)
                state = found[0].state if found else None
                if state is CallState.UNKNOWN:
                    raise RefusedError(
                        "Exactly this was attempted and it is not known whether it happened. "
                        "The user has to settle that first; it is not done again."
                    )
                if state in (CallState.WAITING_APPROVAL, CallState.ATTEMPTED):
                    raise RefusedError("Exactly this is approved and being done. Do not ask again.")
        await self._cap(call)

    async def _cap(self, call: ToolCall) -> None:
        mine = alike = 0
        for card in await self._ledger.open_approvals():
            found = await self._ledger.call(card.call)
            if found is None:
                continue
            mine += found[0].origin == call.origin
            alike += found[0].root == call.root
        limit = self._config.open_cards
        if mine >= limit or alike >= limit * ROOT_FACTOR:
            raise RefusedError(
                "Too many approvals already wait for the user; no new one was opened. Ask again once some are decided."
            )

    @staticmethod
    def check(tool: Tool | None, call: ToolCall, effect: ResolvedEffect, digest: str, services: Services) -> str:
        """Why the stored ``effect`` may not be performed under the approval of ``digest``; empty where it may."""
        if tool is None or not tool.outside:
            return f"there is no tool {one_line(call.name, 60)!r} any more that does this"
        if effect.tool != tool.name or call.name != tool.name:
            return "the approval is for another tool"
        if effect.digest != digest:
            return "what would be done is not what was approved"
        if effect.definition != tool.definition:
            return "the tool has changed since the approval was opened"
        if tool.account is not None and tool.account(services) != effect.account:
            return "the account has changed since the approval was opened"
        return ""
