"""Turns updates into panes: gathered, then drawn a few times per second.

While nothing changes or runs, the only timer is that of the ages, once per minute or hour.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from pepper_tui.model import Context, ContextUpdate, Health, ReplyDelta
from pepper_tui.ui.screen.chat.message_lines import OLDER
from pepper_tui.ui.screen.chat.transcript import Transcript
from pepper_tui.ui.screen.inbox.inbox_pane import InboxPane
from pepper_tui.ui.screen.inbox.outcomes import Outcomes
from pepper_tui.ui.screen.later import Later
from pepper_tui.ui.screen.lists import rows
from pepper_tui.ui.screen.lists.lists import CancelList, SignalList
from pepper_tui.ui.screen.reading.health import progress_words, trouble_words
from pepper_tui.ui.screen.status import PANES, StatusLine, TabStrip
from pepper_tui.ui.shared.board import Board
from pepper_tui.ui.shared.countdown import ahead as ahead_of
from pepper_tui.ui.shared.records import Message, Pane

if TYPE_CHECKING:
    from pepper_tui.ui.screen.desk import Desk

DRAIN: Final = 0.1
"""Seconds between two redraws, unless the config says otherwise."""
NOTICES: Final = "notices"
"""The part whose health the screen itself reports: no engine knows whether the desktop took a notice."""
REST: Final = 8.0
"""The pause after a redraw, as a multiple of its duration: under any load, keys find the loop free."""


class Projection:
    """Keeps the board and draws the panes from it."""

    def __init__(self, app: Desk) -> None:
        self._app = app
        self._pending: list[ContextUpdate] = []
        self._drains = Later(app)
        self._draws = {name: Later(app) for name in ("wake", "ages", "calls", "ahead")}
        self._outcomes = Outcomes(app)
        self.board = Board()
        self.pause = DRAIN
        self._spent = 0.0  # seconds that the last redraw took

    # ------------------------------------------------------------------------------------------------ what comes in

    def recalled(self, contexts: list[Context]) -> None:
        self.board.recalled(contexts)
        self.draw(set(Pane))

    def updated(self, updates: list[ContextUpdate]) -> None:
        self._pending.extend(updates)
        if not self._drains.waits:
            self._drains.after(max(self.pause, REST * self._spent), self._drain)

    def written(self, piece: ReplyDelta) -> None:
        """Show a piece of the streaming reply."""
        if self._app.stands:
            transcript = self._app.query_one(Transcript)
            transcript.stream(piece.message_id, piece.text, restart=piece.restart, done=piece.done)

    async def notify_desktop(self, title: str, words: str) -> None:
        """Send a notice to the desktop; a failure is reported once, as the health of the notices."""
        from pepper_tui.ui.screen.terminal.notices import notify_desktop

        trouble = await asyncio.to_thread(notify_desktop, title, words)
        known = self.board.health.get(NOTICES)
        if trouble and known is None:
            remedy = "install libnotify and a notice daemon, or set [ui] notice to osc9, osc777 or osc99"
            self.board.health[NOTICES] = Health(NOTICES, "trouble", trouble, remedy, self._app.clock.now())
        elif not trouble and known is not None:
            del self.board.health[NOTICES]
        if trouble or known is not None:
            self.draw({Pane.STATUS})

    def _drain(self) -> None:
        taken, self._pending = self._pending, []
        began = self._app.clock.monotonic()
        self._app.notices.hear(taken)
        changed = self.board.apply(taken)
        self._outcomes.look()
        self.draw(changed)
        if changed & {Pane.INBOX, Pane.CALLS} and self._app.query("#effects"):
            self._app.audit.reload()
        if changed & {Pane.INBOX, Pane.CALLS, Pane.STATUS} and self._app.query("#mail-pane"):
            self._app.mail.reload()
        if Pane.RULES in changed and self._app.query("#rules"):
            self._app.rules.reload()
        if Pane.STATUS in changed and self._app.query("#connections"):
            self._app.connections.reload()
        if changed & {Pane.SIGNALS, Pane.INBOX, Pane.CALLS, Pane.STATUS} and self._app.query("#agenda"):
            self._app.agenda.changed()
        self._spent = self._app.clock.monotonic() - began

    @property
    def resting(self) -> bool:
        """True if no timer runs."""
        return not any(each.waits for each in (self._drains, *self._draws.values()))

    def _again(self, name: str, seconds: float | None, draw: Callable[[], None]) -> None:
        """Schedule the next redraw in so many seconds, replacing the planned one; None: not at all."""
        if seconds is None:
            self._draws[name].stop()
        else:
            self._draws[name].after(seconds, draw)

    # ------------------------------------------------------------------------------------------------ what is drawn

    def draw(self, panes: set[Pane]) -> None:
        """Draw ``panes`` from the board."""
        if not self._app.stands:
            return
        for pane, show in (
            (Pane.CHAT, self._show_chat),
            (Pane.INBOX, self._show_inbox),
            (Pane.SIGNALS, self._show_signals),
            (Pane.CALLS, self._show_calls),
            (Pane.WORKERS, self._show_workers),
        ):
            if pane in panes:
                show()
        if panes:
            self._show_status()

    def _show_chat(self) -> None:
        messages = self.board.conversation()
        if self.board.older and messages:
            save = self._app.key_names.of("chat.export")
            words = (
                f"Older messages are in the store: “find” and some words finds them, {save} here saves all to a file."
            )
            messages.insert(0, Message(OLDER, OLDER, words, messages[0].at))
        self._app.query_one(Transcript).show_messages(messages)

    def _show_inbox(self) -> None:
        now = self._app.clock.now()
        self._app.query_one(InboxPane).show_items(self.board.inbox(now), self.board.deferred())
        self._grow_old()
        due = self.board.next_wake(now)
        wait = min(due - now, 3600) + 0.05 if due else None
        self._again("wake", wait, lambda: self.draw({Pane.INBOX}))

    def _show_signals(self) -> None:
        self._app.query_one(SignalList).show_signals(self.board.newest_signals(), self._app.clock.now())
        self._grow_old()

    def _grow_old(self) -> None:
        """Redraw the ages when the next one changes; not at all if there is none."""
        now = self._app.clock.now()
        born = [item.at for item in self.board.inbox(now)] + [s.created_at for s in self.board.signals.values()]
        young = any(now - at < 3600 for at in born)
        period = 60.0 if young else 3600.0
        wait = period - now % period + 0.05 if born else None
        self._again("ages", wait, lambda: self.draw({Pane.INBOX, Pane.SIGNALS}))

    def _show_calls(self) -> None:
        if not self._app.stands:
            return
        now, board = self._app.clock.now(), self.board
        running = board.running_calls()
        sent = board.in_window()
        shown = [
            rows.call_row(c, board.progress.get(c.id, ""), now, approved=c.id in sent) for c in board.listed_calls(now)
        ]
        for reason, calls in board.deferred_calls().items():
            one = len(calls) == 1
            shown.append(rows.call_row(calls[0], "", now) if one else rows.deferred_row(reason, calls))
        awaited = board.awaited()
        if awaited:
            shown.append(rows.awaited_row(awaited))
        self._app.query_one("#calls", CancelList).show_rows(
            shown, count=len(running), aside=rows.awaited_words(awaited)
        )
        fade = board.next_fade(now)
        wait = 1.0 if running else fade - now + 0.05 if fade else None
        self._again("calls", wait, self._show_calls)

    def receipts_read(self) -> None:
        """Mark receipts as read: a key was pressed."""
        now = self._app.clock.now()
        if any(item.kind == "sent" for item in self.board.inbox(now)):
            self.board.receipts_read = now
            self.draw({Pane.INBOX})

    def _show_workers(self) -> None:
        self._app.query_one("#workers", CancelList).show_rows([rows.run_row(r) for r in self.board.listed_runs()])

    def _count_down(self) -> None:
        """Redraw the status line, and nothing else."""
        if self._app.stands:
            self._show_status()

    def _show_status(self) -> None:
        board, engine, now = self.board, self._app.link.engine, self._app.clock.now()
        zone = self._app.link.zone
        waiting = [item for item in board.inbox(now) if not item.inert]
        counts = {"inbox": len(waiting), "calls": len(board.running_calls())}
        ahead, wait = ahead_of(board.next_event, now)
        self._again("ahead", min(wait, 3600) + 0.05 if wait is not None else None, self._count_down)
        line = self._app.query_one(StatusLine)
        line.facts = replace(
            line.facts,
            model=engine.model_name if engine else "",
            offline=engine.offline if engine else False,
            trouble=trouble_words(board),
            progress=progress_words(board),
            under_way=self._outcomes.under_way(),
            silent=board.held_today(now, zone),
            spent=board.spent_today(now, zone),
            inbox=counts["inbox"],
            running=counts["calls"],
            ahead=ahead,
        )
        put_off = board.deferred_count()
        waits = {"inbox": f" · {put_off} wait{'s' if put_off == 1 else ''}" if put_off else ""}
        self._app.query_one(TabStrip).labels = tuple(
            (pane, pane.capitalize() + (f" {counts[pane]}" if counts.get(pane) else "") + waits.get(pane, ""))
            for pane in PANES
        )
