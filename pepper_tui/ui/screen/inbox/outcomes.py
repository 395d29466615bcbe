"""What becomes of what the user has approved, told on the status line where the inbox is not on the screen.

The inbox shows the window and the receipt in the card's place. Whoever has the mail open, or another tab, sees neither.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pepper_tui.model import Approval, CallState, Effect, ToolCall
from pepper_tui.text import one_line
from pepper_tui.ui.screen.inbox.cards import way_words
from pepper_tui.ui.screen.inbox.inbox_pane import InboxPane
from pepper_tui.ui.shared.matters import sending
from pepper_tui.ui.shared.names import approval_subject, recipient

if TYPE_CHECKING:
    from pepper_tui.ui.screen.desk import Desk

OF_A_KEY = "user:"
"""How the origin of a call begins that a key of the user's was: its words were said at the key."""
_BESIDE: Final = 24  # cells of the status line that the model and what runs take


class Outcomes:
    """Follows the approved effects."""

    def __init__(self, app: Desk) -> None:
        self._app = app
        self._on_way: dict[str, Approval] = {}  # by call

    @property
    def _at_inbox(self) -> bool:
        pane = self._app.query_one(InboxPane)
        return pane.is_on_screen and bool(pane.region.area)

    def look(self) -> None:
        """Say what has ended since the last look."""
        board, before = self._app.board, self._on_way
        self._on_way = {each.call: each for each in board.approvals.values() if sending(each, board.calls)}
        for ident, approval in before.items():
            call = board.calls.get(ident)
            words, bad = outcome_words(approval, call) if call is not None else ("", False)
            if words and not self._at_inbox:
                self._app.say_words(words, bad=bad)

    def under_way(self) -> str:
        """Return what is about to be done, and how it is taken back; empty if nothing, or where the inbox shows it."""
        app = self._app
        if not self._on_way or self._at_inbox:
            return ""
        items = [item for item in app.board.inbox(app.clock.now()) if item.kind == "sending"]
        if not items:
            return ""
        undo = app.key_names.of("head.undo")
        more = f" · and {len(items) - 1} more" if len(items) > 1 else ""
        room = app.size.width - _BESIDE - len(more)
        return way_words(items[0], app.pen(80).hour, f"{undo} takes it back", room) + more


def outcome_words(approval: Approval, call: ToolCall) -> tuple[str, bool]:
    """Return what became of an approved effect, and whether that is bad; no words where they were said already."""
    sends = call.effect is Effect.SEND
    what = f"{recipient(approval)}: {approval_subject(approval)}" if sends else call.summary or call.name
    what = one_line(what, 120)
    match call.state:
        case CallState.SUCCEEDED if sends:
            return f"Sent to {what}", False
        case CallState.SUCCEEDED if not call.origin.startswith(OF_A_KEY):
            return f"Done: {what}", False
        case CallState.FAILED:
            why = one_line(call.error, 160) or "it failed"
            return f"{'Not sent to' if sends else 'Not done:'} {what}: {why}. The inbox has its card", True
        case CallState.UNKNOWN:
            return f"It is not known whether this was {'sent to' if sends else 'done:'} {what}. The inbox asks", True
    return "", False
