"""What keys do with the chosen threads: each act is on all that are selected, as one, through the engine."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Final

from pepper_tui.domains.mail.listing.records import ThreadRow
from pepper_tui.model import ChoiceError, EngineError
from pepper_tui.ui.screen.mail.mail_pane import MailPane

if TYPE_CHECKING:
    from pepper_tui.ui.screen.desk import Desk

RANGE: Final = 2_000
"""Threads that one range may select."""
AT_ONCE: Final = 200
"""Rows that are asked for in one go."""
_LEAVE: Final = ("archive", "trash", "junk", "move")
"""Acts after which a thread is gone from the list."""


class Filing:
    """Files threads. ``moved`` is called once they are."""

    def __init__(self, app: Desk, moved: Callable[[], None]) -> None:
        self._app, self._moved = app, moved

    async def select_range(self, pane: MailPane, newest: bool) -> None:
        first, last = pane.list.range_here()
        rows: list[ThreadRow] = []
        engine, query = self._app.link.ready(), pane.list.needle
        while len(rows) < min(last - first + 1, RANGE):
            wanted = min(last - first + 1 - len(rows), AT_ONCE)
            page = await engine.mails(query, first=first + len(rows), limit=wanted, newest=newest)
            if not page.rows or page.first != first + len(rows):
                break
            rows += page.rows
        pane.list.add(rows)

    def _acted_on(self, pane: MailPane) -> list[ThreadRow]:
        rows = pane.acted_on()
        if not rows:
            self._app.say_words(pane.list.none_chosen)
        return rows

    def file(self, pane: MailPane, act: str, *, newest: bool) -> None:
        """Do ``act`` with the chosen threads; those that mark turn over what the first one is."""
        rows = self._acted_on(pane)
        if not rows:
            return
        if act == "flag":
            act = "unflag" if all(row.flagged for row in rows) else "flag"
        if act == "unread":
            act = "read" if any(row.unread for row in rows) else "unread"
        leaves = act in _LEAVE or (act == "read" and not newest and not pane.reading)
        self._app.link.start(self._filed(pane, rows, act, leaves=leaves))

    async def _filed(
        self, pane: MailPane, rows: Sequence[ThreadRow], act: str, folder: str = "", *, leaves: bool
    ) -> None:
        """Do it. Where the threads leave, the cursor goes on at once, so that the next key is about the next thread."""
        view, before, ids = pane.list, pane.list.selected, {row.id for row in rows}
        if leaves:
            view.leave(ids)
        after = view.selected
        refs = [f"mail:{ident}" for row in rows for ident in row.mails]
        try:
            words = await self._app.link.ready().file(refs, act, folder)
        except EngineError:
            if view.selected == after:
                view.select(before)
            raise
        self._app.say_words(words)
        view.selection = {}
        if leaves:
            if pane.reading:
                pane.read(None)
            if pane.reader.thread in ids:
                pane.reader.show("", [])
            self._moved()

    def move(self, pane: MailPane) -> None:
        """Ask where to, among the folders that the accounts name."""
        if rows := self._acted_on(pane):
            self._app.link.start(self._asked(pane, rows, ""))

    async def _asked(self, pane: MailPane, rows: Sequence[ThreadRow], folder: str) -> None:
        """Move them, or ask for the folder if it is not clear which is meant."""
        try:
            await self._filed(pane, rows, "move", folder, leaves=True)
        except ChoiceError as asked:
            said = dict(asked.choices)
            if folder or not said:
                self._app.say_words(asked.words, bad=True)

            def answer(one: str) -> None:
                self._app.link.start(self._asked(pane, rows, said.get(one, one)))

            self._app.call_after_refresh(self._app.asking.ask, "Move to which folder", answer, choices=[*said][:9])
