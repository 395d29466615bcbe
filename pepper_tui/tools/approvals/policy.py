"""Policy is code: what may run, what needs approval, what is refused without a card.

``read`` and ``local`` pass. ``write`` and ``send`` need an approval of the resolved effect. Fetching an address is a
``read`` only if the user typed all of it in this turn; otherwise data could leave that way, and it needs approval.

Refused without a new card: a request that the user rejected and has not asked for since, one with an unknown outcome,
and one that already waits or is being done. Above the cap of open cards per asker a call is not refused; it waits for
room. Everything without a user message behind it shares a wider cap as well, and so does everything that followed from
user messages by further steps: a chain of steps, each its own asker, can't bury the inbox either. What the user has
just asked for waits for no other card.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from pepper_tui.config import Tools
from pepper_tui.model import ApprovalState, CallState, Effect, ResolvedEffect, ToolCall
from pepper_tui.text import one_line
from pepper_tui.tools.errors import ToolError
from pepper_tui.tools.ledger import Ledger
from pepper_tui.tools.tool import Tool

ROOT_FACTOR: Final = 4
"""Open cards of all calls of one root (user message, or not): at most this many times the cap of one asker."""


class RefusedError(ToolError):
    """Policy refuses the call; the message says why."""


class Why(StrEnum):
    """Reasons not to repeat a request."""

    REJECTED = "rejected"
    WAITING = "waiting"
    UNKNOWN = "unknown"
    UNDER_WAY = "under way"


_TO_A_MODEL: Final = {
    Why.REJECTED: "Exactly this was already rejected by the user{note}. It is asked again only when the user says so.",
    Why.WAITING: "Exactly this already waits in the inbox for the user's approval. It is not asked twice.",
    Why.UNKNOWN: "Exactly this was attempted and it is not known whether it happened. "
    "The user has to settle that first; it is not done again.",
    Why.UNDER_WAY: "Exactly this is approved and being done. Do not ask again.",
}


@dataclass(frozen=True, slots=True)
class Repeated:
    """An earlier card for the same request that forbids a new one. ``note``: the user's note on a rejection."""

    why: Why
    note: str = ""


async def repeated(ledger: Ledger, call_id: str, same_key: str, asking: ToolCall | None = None) -> Repeated | None:
    """Return what forbids another card for the request of ``same_key``; cards of the call itself don't count.

    With ``asking``, the call that makes the request, a rejection from before the user asked for it is ignored.
    """
    for earlier in await ledger.alike(same_key):
        if earlier.call == call_id:
            continue
        if earlier.state is ApprovalState.REJECTED:
            if asking is not None and (earlier.decided_at or 0.0) < await ledger.asked_at(asking):
                continue
            return Repeated(Why.REJECTED, f" and said: {earlier.decision_note}" if earlier.decision_note else "")
        if earlier.state is ApprovalState.PENDING:
            return Repeated(Why.WAITING)
        if earlier.state is ApprovalState.APPROVED:
            found = await ledger.call(earlier.call)
            state = found[0].state if found else None
            if state is CallState.UNKNOWN:
                return Repeated(Why.UNKNOWN)
            if state in (CallState.WAITING_APPROVAL, CallState.ATTEMPTED):
                return Repeated(Why.UNDER_WAY)
    return None


_ASKERS: Final = {"step": "this step", "run": "this worker", "act": "this rule"}


def asker_of(origin: str) -> str:
    """Return who shares one cap: a step, a run, or all acts of one rule (``act:<rule>|<version>|…``)."""
    return origin.partition("|")[0] if origin.startswith("act:") else origin


@dataclass(slots=True)
class Room:
    """Counts the open cards by asker and by root, to tell whether there is room for more."""

    limit: int
    askers: Counter[str] = field(default_factory=Counter)
    roots: Counter[str] = field(default_factory=Counter)

    def count(self, asker: str, root: str) -> None:
        self.askers[asker] += 1
        self.roots[root] += 1

    def is_crowded(self, root: str) -> bool:
        """Return whether all calls of one root together have reached their cap."""
        return self.roots[root] >= self.limit * ROOT_FACTOR

    def take(self, call: ToolCall, *, ordered: bool = False) -> str:
        """Count one more card, for ``call``; if there is no room, return why, in words.

        ``ordered``: the user has just asked for it, so other cards don't delay it.
        """
        asker = asker_of(call.origin)
        if self.askers[asker] >= self.limit:
            whose = _ASKERS.get(asker.partition(":")[0], "this asker")
            return f"waits for room: {self.askers[asker]} cards of {whose} wait for your answer"
        if self.is_crowded(call.root) and not ordered:
            whose = "that you asked for" if call.root == "user" else "that no message of yours asked for"
            return f"waits for room: {self.roots[call.root]} cards {whose} wait for your answer"
        self.count(asker, call.root)
        return ""


class Policy:
    """The rules. Reads the ledger; writes nothing."""

    def __init__(self, ledger: Ledger, config: Tools) -> None:
        self._ledger = ledger
        self._config = config
        self._askers: dict[
            str, tuple[str, str]
        ] = {}  # call id → asker and root, for calls with an open card; they never change

    async def admit(self, call: ToolCall, tool: Tool, effect: ResolvedEffect, ahead: Iterable[ToolCall]) -> str:
        """Return why a card for ``effect`` must wait for room, in words; empty if it may open now.

        ``ahead`` are the calls that have waited longer. Raises ``RefusedError``.
        """
        earlier = await repeated(self._ledger, call.id, tool.same_key(effect), call)
        if earlier is not None:
            raise RefusedError(_TO_A_MODEL[earlier.why].format(note=earlier.note))
        room = await self.room()
        for other in ahead:
            await self.take(room, other)
        return await self.take(room, call)

    async def take(self, room: Room, call: ToolCall) -> str:
        """Count one more card, for ``call``; if there is no room, return why, in words."""
        crowded = call.root == "user" and room.is_crowded(call.root)
        return room.take(call, ordered=crowded and bool(await self._ledger.said(call)))

    async def room(self) -> Room:
        """Count the room for cards from the store."""
        room, known = Room(self._config.open_cards), {}
        for card in await self._ledger.open_approvals():
            asked = self._askers.get(card.call)
            if asked is None:
                found = await self._ledger.call(card.call)
                if found is None:
                    continue
                asked = asker_of(found[0].origin), found[0].root
            known[card.call] = asked
            room.count(*asked)
        self._askers = known
        return room

    @staticmethod
    def effect_of(tool: Tool, *, typed: bool) -> Effect:
        """Return the effect of one call of ``tool``.

        ``typed``: the user typed all of the address that it reaches; see ``Provenance.leave``.
        """
        return Effect.READ if typed and tool.reaches is not None else tool.effect

    @staticmethod
    def check(tool: Tool | None, call: ToolCall, effect: ResolvedEffect, digest: str) -> str:
        """Return why the stored ``effect`` may not be performed under the approval of ``digest``; empty if it may."""
        if tool is None or not tool.needs_yes:
            return f"there is no tool {one_line(call.name, 60)!r} any more that does this"
        if effect.tool != tool.name or call.name != tool.name:
            return "the approval is for another tool"
        if effect.digest != digest:
            return "what would be done is not what was approved"
        if effect.definition != tool.definition:
            return "the tool has changed since the approval was opened"
        if tool.account is not None and tool.account(tool.given, effect.payload) != effect.account:
            return "the account has changed since the approval was opened"
        return ""
