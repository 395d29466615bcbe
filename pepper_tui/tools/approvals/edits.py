"""Replaces a card's content: the user edits it, or a model revises it.

Both end the card and open a new pending one for the same call: saving does not approve. The user's edit ends it as
``edited``; a model's revision as ``withdrawn``, and the new card shows the old text.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from pepper_tui.clock import Clock
from pepper_tui.model import ApprovalState, CallState, CardLine, ResolvedEffect
from pepper_tui.tools.approvals.cards import WAITING, ApprovalError, Card, Cards, moved
from pepper_tui.tools.approvals.policy import Why, repeated
from pepper_tui.tools.approvals.provenance import Provenance, atoms
from pepper_tui.tools.errors import ToolError
from pepper_tui.tools.registry import ToolRegistry
from pepper_tui.tools.tool import ToolContext
from pepper_tui.tools.tool_store import ToolStore

if TYPE_CHECKING:
    from pepper_tui.store import Store

WAS: Final = "Before"
"""Label of the text that a model's revision replaced."""

_REPEATED: Final = {
    Why.REJECTED: "you have rejected exactly this before; nothing was changed",
    Why.WAITING: "exactly this waits in another card already; nothing was changed",
    Why.UNKNOWN: "exactly this was attempted and may have happened: settle that first; nothing was changed",
    Why.UNDER_WAY: "exactly this is being done already; nothing was changed",
}


class Edits:
    """Edits and revisions. ``attended``: whether the user is editing a card, or the inbox has the focus."""

    def __init__(
        self,
        store: Store,
        clock: Clock,
        registry: ToolRegistry,
        cards: Cards,
        provenance: Provenance,
        attended: Callable[[], bool],
    ) -> None:
        self._store, self._clock, self._registry, self._cards = store, clock, registry, cards
        self._provenance, self._attended = provenance, attended

    async def edit(self, approval_id: str, fields: dict[str, str], typed: Collection[str] = ()) -> str:
        """End the card as edited, and open a new pending one with ``fields`` (label -> value); return its id.

        ``typed``: the labels of those fields that the user typed. What was pasted, or comes from an editor, has no
        authority: its addresses are marked on the new card like anybody's.
        """
        return await self._replace(approval_id, fields, ApprovalState.EDITED, typed)

    async def revise(self, call_id: str, fields: dict[str, str], *, asked: bool) -> str:
        """Replace a pending card by a model's revision: the old one is withdrawn, the new one shows the old text.

        ``asked``: the user's own message led to it; otherwise this is only possible until a screen has drawn the card.
        Never while the user is editing, or the inbox has the focus.
        """
        found = await self._cards.ledger.call(call_id)
        if found is None or found[0].state is not CallState.WAITING_APPROVAL:
            raise ApprovalError("there is no such proposal that waits")
        named = await self._cards.ledger.approval(found[0].approval)
        if named is None or named[0].state is not ApprovalState.PENDING:
            raise ApprovalError("it is decided already")
        tool = self._registry.get(found[0].name)
        if tool is None or not tool.offered:
            raise ApprovalError("this is no proposal of yours: only the user changes it")
        if self._attended():
            raise ApprovalError("the user is at the inbox just now: leave the card as it is")
        if named[0].shown_at is not None and not asked:
            raise ApprovalError("the user has seen the card: it stays as it is, unless they ask for a change")
        return await self._replace(named[0].id, fields, ApprovalState.WITHDRAWN)

    async def as_it_was(self, edited_id: str, card: Card) -> None:
        """Replace ``card`` by one that shows exactly what was shown before the edit of ``edited_id``."""
        found = await self._cards.ledger.approval(edited_id)
        if found is None or found[0].state is not ApprovalState.EDITED:
            raise ApprovalError("the card was not edited")
        card.must_be_pending()
        if card.approval.expires_at <= self._clock.now():
            raise ApprovalError("this has expired")
        before = found[0].resolved
        await self._must_be_new(card, before)
        await self._in_its_place(card, before, ApprovalState.EDITED)

    async def _replace(
        self, approval_id: str, fields: dict[str, str], to: ApprovalState, by_hand: Collection[str] = ()
    ) -> str:
        card = await self._cards.load(approval_id)
        card.must_be_pending()
        if card.approval.expires_at <= self._clock.now():
            raise ApprovalError("this has expired")
        by_user, tool = to is ApprovalState.EDITED, card.tool
        if tool is None or tool.revise is None:
            raise ApprovalError("this can't be edited")
        effect = card.approval.resolved
        editable = {line.label.lower() for line in effect.lines if line.editable}
        given = {label.lower(): value for label, value in fields.items()}
        if not given.keys() <= editable:
            raise ApprovalError(f"only these can be edited: {', '.join(sorted(editable)) or 'nothing'}")
        reads = ToolStore(self._store, approved=False)
        context = ToolContext(reads, self._clock, card.call, self._registry.time, tool)
        try:
            revised = await tool.revise(context, effect, given)
        except ToolError as error:
            raise ApprovalError(str(error)) from error
        before = {atom for line in effect.lines for atom in atoms(line.value)}
        typed = [given[label] for each in by_hand if (label := each.lower()) in given]
        new = [atom for value in typed for atom in atoms(value) if atom not in before]
        lines = [line for line in revised.lines if line.outside or not _says_what_was(line.label)]
        if not by_user:
            lines += _what_was(effect, given)
        revised = replace(
            revised,
            tool=tool.name,
            definition=tool.definition,
            lines=await self._provenance.mark(lines, [*new, *card.call.typed], once=tool.asks),
        )
        await self._must_be_new(card, revised)
        return await self._in_its_place(card, revised, to)

    async def _must_be_new(self, card: Card, effect: ResolvedEffect) -> None:
        earlier = await repeated(self._cards.ledger, card.call.id, self._cards.same_key(effect))
        if earlier is not None:
            raise ApprovalError(_REPEATED[earlier.why])

    async def _in_its_place(self, card: Card, effect: ResolvedEffect, to: ApprovalState) -> str:
        """End a card as ``to`` and open a new one with ``effect`` for the same call; return the new one's id."""
        by_user, approval = to is ApprovalState.EDITED, card.approval
        new = replace(
            self._cards.new(card.call, effect),
            reason=approval.reason,
            matter=approval.matter,
            retry_of=approval.retry_of,
            revises="" if by_user else approval.id,
        )
        note = "" if by_user else "better words took its place"
        ended = moved(
            approval, to, decided_at=new.created_at, edited_into=new.id, snoozed_until=None, decision_note=note
        )
        async with self._cards.deciding():
            await self._cards.ledger.put_call(
                card.call, card.call_version, approval=new.id, progress=WAITING, summary=effect.summary
            )
            await self._cards.put(ended, card.version)
            await self._cards.put(new, 0)
        return new.id


def _what_was(effect: ResolvedEffect, given: dict[str, str]) -> list[CardLine]:
    """Return the lines of ``effect`` that ``given`` changes, with their old values."""
    old = {line.label.lower(): line for line in effect.lines}
    changed = [old[label] for label in given if label in old and old[label].value != given[label]]
    several = len(changed) > 1
    return [
        CardLine(f"{WAS} {line.label}" if several else WAS, line.value, multiline=line.multiline, settled=True)
        for line in changed
    ]


def _says_what_was(label: str) -> bool:
    return label == "Not from you" or label.partition(" ")[0] == WAS
