"""Views to read in the conversation's place: details, why, help, health, and a card in full.

A card that is open here can be acted on here, and approved only once it was read to its end and is unchanged.
"""

from __future__ import annotations

from collections.abc import Awaitable
from typing import TYPE_CHECKING

from rich.text import Text

from pepper_tui.model import ContextFilter, Namespace
from pepper_tui.text import clean, one_line
from pepper_tui.ui.screen.inbox.card_view import FRESH, FRESH_WORDS
from pepper_tui.ui.screen.inbox.cards import face, opened
from pepper_tui.ui.screen.inbox.inbox_list import Inbox
from pepper_tui.ui.screen.inbox.inbox_pane import InboxPane
from pepper_tui.ui.screen.lists import rows
from pepper_tui.ui.screen.lists.row_cursor import RowCursor
from pepper_tui.ui.screen.reading.detail import DetailView
from pepper_tui.ui.screen.reading.health import health_lines
from pepper_tui.ui.screen.reading.help import help_lines
from pepper_tui.ui.screen.reading.reader import Draw
from pepper_tui.ui.shared.matters import InboxItem

if TYPE_CHECKING:
    from pepper_tui.ui.screen.desk import Desk


class Reading:
    """Opens and closes the details."""

    def __init__(self, app: Desk) -> None:
        self._app = app
        self._card_at = 0.0
        self.card: InboxItem | None = None

    def open(self, heading: str, draw: Draw, card: InboxItem | None = None) -> None:
        """Show lines to read in the conversation's place. ``card`` can be acted on there."""
        app = self._app
        app.panes.note_origin()
        self.card, self._card_at = card, app.clock.monotonic() + FRESH
        app.panes.show("chat")
        view = app.query_one(DetailView)
        view.open(heading, draw)
        app.panes.settle()
        app.call_after_refresh(view.focus)

    def close(self) -> bool:
        """Close what is open; return False if nothing was."""
        view = self._app.query_one(DetailView)
        if not view.display:
            return False
        view.display = False
        self.card = None
        self._app.query_one(Inbox).keep(False)
        self._app.panes.settle()
        return True

    # --------------------------------------------------------------------------------------------------- a card

    def open_card(self, item: InboxItem) -> None:
        asks = item.approval is not None
        heading = f"APPROVE THIS? {self._yes} at its end · Esc closes" if asks else "DETAILS"
        self.open(heading, lambda pen: opened(item, pen), item)

    @property
    def _yes(self) -> str:
        names = self._app.key_names
        return f"{names.of('detail.approve')} or {names.of('head.approve')}"

    def act(self, act: str) -> None:
        """Act on the card in the details."""
        app, card = self._app, self.card
        if card is None:
            app.say_words("What is open here is no card: there is nothing to act on")
            return
        if app.clock.monotonic() < self._card_at:
            app.say_words(FRESH_WORDS)
            return
        inbox = app.query_one(InboxPane)
        current = inbox.list.item(card.key)
        if current is None:
            app.say_words("This card is no longer open: nothing was done")
        elif face(current) != face(card):
            self.open_card(current)
            app.say_words("The card has changed: this is its current text")
        elif act == "approve" and not app.query_one(DetailView).read:
            app.say_words(f"There is more below: read to its end, then {self._yes} approves")
        else:
            if act == "approve":
                inbox.card.mark_read(current)
            self.close()
            app.panes.back()
            app.acts.act(act, current)

    # ------------------------------------------------------------------------------------------------ other details

    def open_row(self, pane: str, row: str) -> None:
        """Open the details of a row of the list called ``pane``."""
        board = self._app.board
        if pane == "inbox":
            item = self._app.query_one(InboxPane).list.item(row)
            if item is not None:
                self.open_card(item)
        elif pane == "chat":
            self._open_message(row)
        elif pane == "signals" and row in board.signals:
            signal = board.signals[row]
            self.open("SIGNAL", lambda pen: rows.signal_details(signal, pen))
        elif pane == "calls" and row == rows.AWAITED:
            self.open("FOLLOW-UPS", lambda pen: rows.awaited_details(board.awaited(), pen))
        elif pane == "calls" and row.startswith(rows.DEFERRED):
            reason = row.removeprefix(rows.DEFERRED)
            self.open("CALLS", lambda pen: rows.deferred_details(reason, board.deferred_calls().get(reason, []), pen))
        elif pane == "calls":
            self._app.link.start(self._open_call(row))
        elif pane == "workers":
            self._app.link.start(self._open_run(row))
        elif pane == "effects":
            self._app.audit.open_row(row)
        elif pane == "rules":
            self._app.rules.open_row(row)
        elif pane == "agenda":
            self._app.agenda.open_row(row)
        elif pane == "connections":
            self._app.connections.open_row(row)

    async def _open_call(self, call_id: str) -> None:
        call = self._app.board.calls.get(call_id)
        if call is None:
            return
        wanted = ContextFilter(namespaces=(Namespace.TOOL_RESULT,), context_ids=(call_id,), limit=1)
        found = await self._app.link.ready().recall(wanted)
        result = str(found[0].data.get("content", "")) if found else ""
        self.open("CALL", lambda pen: rows.call_details(call, result, pen))

    async def _open_run(self, run_id: str) -> None:
        run = self._app.board.runs.get(run_id)
        if run is None:
            return
        memory = ""
        if run.agent:
            wanted = ContextFilter(namespaces=(f"{Namespace.MEMORY}.{run.agent}",), limit=1)
            for found in await self._app.link.ready().recall(wanted):
                memory = str(found.data.get("summary") or f"{len(found.data.get('events', []))} events")
        self.open("WORKER", lambda pen: rows.run_details(run, memory, pen))

    def _open_message(self, message_id: str) -> None:
        message = self._app.board.messages.get(message_id)
        if message is not None:
            self.open("MESSAGE", lambda _pen: [Text(clean(message.text))])

    def open_why(self, ref: str) -> None:
        """Open the chain behind ``ref`` (see ``Engine.why``)."""
        self._app.link.start(self._open_why(ref))

    async def _open_why(self, ref: str) -> None:
        lines = await self._app.link.ready().why(ref)
        self.open("WHY", lambda pen: [part for line in lines for part in pen.hang(Text(""), Text(clean(line, 4000)))])

    def open_help(self) -> None:
        self.open("HELP", lambda pen: help_lines(pen, self._app.key_names))

    def open_health(self) -> None:
        self._app.link.start(self._open_health())

    async def _open_health(self) -> None:
        engine = self._app.link.engine
        held = await _listed(engine.why("silence")) if engine else []
        dead = await _listed(engine.dead_letters()) if engine else []
        model = f"{engine.model_name}{' (offline)' if engine.offline else ''}" if engine else "starting"
        self.open("STATUS", lambda pen: health_lines(self._app.board, model, held, dead, self._app.key_names, pen))


async def _listed(asked: Awaitable[list[str]]) -> list[str]:
    """Return the listed lines, or why they can't be read: the health page must open even then."""
    try:
        return await asked
    except Exception as error:
        return [f"can't be read now: {one_line(str(error), 300)}"]


REFERENCES = {
    "chat": "message:",
    "signals": "signal:",
    "calls": "call:",
    "workers": "run:",
    "effects": "approval:",
    "rules": "rule:",
}


def reference(event: RowCursor.Details) -> str:
    """Return the reference of a list's row, for asking why."""
    if isinstance(event.list, Inbox):
        item = event.list.item(event.row)
        return item.ref if item else event.row
    return REFERENCES.get(event.list.id or "", "") + event.row
