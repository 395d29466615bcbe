"""Every outside effect on screen: what it was, who decided what and when, what came of it. Nothing is decided here."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Final

from rich.style import Style
from rich.text import Text
from textual.message import Message

from pepper_tui.effects import Proposal, proposals
from pepper_tui.model import ApprovalState
from pepper_tui.text import one_line
from pepper_tui.ui.cards import approval_lines
from pepper_tui.ui.ink import Ink, Pen
from pepper_tui.ui.keys import names_of
from pepper_tui.ui.live_list import LiveList, Row
from pepper_tui.ui.words import decided, proposal_lines

if TYPE_CHECKING:
    from pepper_tui.ui.app import PepperApp

SHOWN_AT_MOST: Final = 500
"""Effects that are listed; `pepper log --effects -n` lists more."""
_GLYPH: Final = {
    "succeeded": "✓",
    "failed": "✗",
    "unknown": "?",
    "cancelled": "–",
    "rejected": "✗",
    "expired": "–",
    "withdrawn": "–",
}


class EffectList(LiveList):
    """The effects, the newest first, in the conversation's place."""

    class Closed(Message):
        """Esc: the reader is done."""

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

    def action_back(self) -> None:
        if self.filtering:
            self.show_all()
        else:
            self.post_message(self.Closed())


class Audit:
    """Opens and closes the effects, and keeps them as the store has them."""

    def __init__(self, app: PepperApp) -> None:
        self._app = app

    @property
    def list(self) -> EffectList | None:
        return next((view for view in self._app.query(EffectList) if not view.has_class("gone")), None)

    def toggle(self) -> None:
        """Open the effects; where they are open, close them."""
        if self.list is not None:
            self.close()
        else:
            self._app.link.start(self._open())

    async def _open(self) -> None:
        app = self._app
        found = await proposals(app.link.ready().recall, SHOWN_AT_MOST)
        if app.asking.open:
            app.say_words("Save or leave what is open first")
            return
        app.reading.close()
        view = self.list
        if view is None:
            view = EffectList(app.pen)
            await app.query_one("#main").mount(view)
            app.panes.settle()
        view.call_after_refresh(view.show_proposals, found)  # asked for its width before its first layout, it gets none
        app.panes.go("effects")

    def close(self) -> None:
        """Give the conversation its place back."""
        self.leave()
        self._app.panes.to_composer()

    def leave(self) -> None:
        """The same, without the keys."""
        if (view := self.list) is not None:
            view.add_class("gone")
            view.remove()
            self._app.panes.settle()

    def reload(self) -> None:
        """Show what has changed, where the effects are open."""
        if self.list is not None:
            self._app.link.start(self._reload())

    async def _reload(self) -> None:
        found = await proposals(self._app.link.ready().recall, SHOWN_AT_MOST)
        if (view := self.list) is not None:
            view.show_proposals(found)

    def open_row(self, row: str) -> None:
        """One effect in full."""
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
