"""Every outside effect on screen: what it was, who decided what and when, and the outcome. Nothing is decided here."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from rich.style import Style
from rich.text import Text

from pepper_tui.model import ApprovalState
from pepper_tui.text import one_line
from pepper_tui.tools.effects import Proposal, proposals
from pepper_tui.ui.screen.inbox.cards import approval_lines
from pepper_tui.ui.screen.ink import Ink, Pen
from pepper_tui.ui.screen.lists.drawn_rows import Row
from pepper_tui.ui.screen.reading.opened import Opened, OpenedList
from pepper_tui.ui.shared.keys import names_of
from pepper_tui.ui.shared.words import decided, proposal_lines

SHOWN_AT_MOST: Final = 500
"""How many effects are listed; `pepper log --effects -n` lists more."""
_GLYPH: Final = {
    "succeeded": "✓",
    "failed": "✗",
    "unknown": "?",
    "cancelled": "–",
    "rejected": "✗",
    "expired": "–",
    "withdrawn": "–",
}


class EffectList(OpenedList):
    """The effects, the newest first, in the conversation's place."""

    def __init__(self, pen: Callable[[int], Pen]) -> None:
        empty = "What Pepper would do outside, and what you answered, will be listed here."
        super().__init__("EFFECTS", empty, pen, id="effects")
        self.proposals: dict[str, Proposal] = {}

    def show_proposals(self, found: Sequence[Proposal]) -> None:
        """Replace the effects."""
        self.proposals = {each.approval.id: each for each in found}
        why = names_of(self.app).of("list.why")
        self.show_rows([_row(each) for each in found], aside=f"Enter details · {why} why · Esc closes" if found else "")

    def words_of(self, row: Row) -> str:
        proposal = self.proposals[row.id]
        lines = [one_line(f"{line.label}: {line.value}", 4000) for line in proposal.approval.resolved.lines]
        return "\n".join([*proposal_lines(proposal, self._pen(80).zone), *lines])


class Audit(Opened[EffectList]):
    """Opens and closes the effects, and keeps them in step with the store."""

    pane = "effects"
    kind = EffectList

    def make(self) -> EffectList:
        return EffectList(self._app.pen)

    async def load(self, view: EffectList | None) -> None:
        found = await proposals(self._app.link.ready().recall, SHOWN_AT_MOST)
        if view is not None:
            view.show_proposals(found)

    def open_row(self, row: str) -> None:
        """Open one effect in full."""
        view = self.list
        if view is not None and (proposal := view.proposals.get(row)) is not None:
            self._app.reading.open("EFFECT", lambda pen: _details(proposal, pen))


def _tone(proposal: Proposal, ink: Ink) -> Style:
    state = proposal.outcome or proposal.approval.state.value
    tones = {"succeeded": ink.ok, "failed": ink.urgent, "unknown": ink.urgent, "pending": ink.warn}
    return tones.get(state, ink.dim)


def _row(proposal: Proposal) -> Row:
    approval = proposal.approval
    state = proposal.outcome or approval.state.value

    def draw(pen: Pen) -> list[Text]:
        ink = pen.ink
        glyph = "◆" if approval.state is ApprovalState.PENDING else _GLYPH.get(state, "▸")
        what = one_line(approval.resolved.summary, 300)
        head = Text.assemble((f"{glyph} ", _tone(proposal, ink)), (what, ink.strong))
        account = f"  by {one_line(approval.resolved.account)}" if approval.resolved.account else ""
        facts = " · ".join(decided(proposal, pen.hour))
        below = Text("  ").append(facts, _tone(proposal, ink)).append(account, ink.dim)
        return [pen.between(head, Text(pen.hour(approval.created_at), ink.dim)), pen.cut(below)]

    return Row(approval.id, (state, approval.decided_at, proposal.ended_at, proposal.error), draw, height=2)


def _details(proposal: Proposal, pen: Pen) -> list[Text]:
    head, *facts = proposal_lines(proposal, pen.zone)
    lines = [Text(head, pen.ink.strong), *(Text(fact, pen.ink.dim) for fact in facts), Text("")]
    lines += [*approval_lines(proposal.approval, pen), Text("")]
    return [*lines, *pen.hang(Text("digest  ", pen.ink.dim), Text(proposal.approval.digest, pen.ink.dim))]
