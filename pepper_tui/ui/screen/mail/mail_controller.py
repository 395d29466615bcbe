"""Opens and closes the mail, keeps it in step with the engine, and carries out what its keys say."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import TYPE_CHECKING, Any

from pepper_tui.domains.mail.listing.records import MailPage, ThreadMail
from pepper_tui.model import EngineError
from pepper_tui.ui.screen.desk import BUSY
from pepper_tui.ui.screen.mail.files import Files
from pepper_tui.ui.screen.mail.filing import Filing
from pepper_tui.ui.screen.mail.mail_pane import MailPane
from pepper_tui.ui.screen.mail.mail_reader import newest_of_others
from pepper_tui.ui.screen.mail.windows import Windows
from pepper_tui.ui.screen.mail.writing import Writing

if TYPE_CHECKING:
    from pepper_tui.ui.screen.desk import Desk


class Mails:
    """The controller."""

    def __init__(self, app: Desk) -> None:
        self._app = app
        self._listening: asyncio.Task[None] | None = None
        self.windows = Windows(app, lambda: self.pane)
        self.writing, self.files = Writing(app), Files(app)
        self.filing = Filing(app, self._moved)

    # ------------------------------------------------------------------------------------------------ open and closed

    @property
    def pane(self) -> MailPane | None:
        return next((view for view in self._app.query(MailPane) if not view.has_class("gone")), None)

    def toggle(self) -> None:
        """Open the mail, go to it, or close it if it has the keys."""
        pane = self.pane
        if pane is None:
            self._app.link.start(self._open())
        elif self._app.focused in (pane.list, pane.reader):
            self.close()
        else:
            self._app.panes.go("mail")

    async def _open(self) -> None:
        app = self._app
        app.link.ready()
        if app.asking.open:
            app.say_words(BUSY)
            return
        app.reading.close()
        app.panes.leave_opened(but="mail")
        if self.pane is None:
            pane = MailPane(app.pen, self, self.windows)
            await app.query_one("#main").mount(pane)
            app.panes.settle()
            self.windows.title(pane, MailPage(), read=False)
        app.panes.go("mail")
        if self._listening is None or self._listening.done():
            self._listening = asyncio.create_task(self._listen(), name="mail changes")

    def close(self) -> None:
        """Close the mail and return to the conversation."""
        self.leave()
        self._app.panes.to_composer()

    def leave(self) -> None:
        """Close it without moving the focus."""
        if self._listening is not None:
            self._listening.cancel()
            self._listening = None
        self.windows.stop()
        if (pane := self.pane) is not None:
            pane.add_class("gone")
            pane.remove()
            self._app.panes.settle()

    def open_row(self, row: str) -> None:
        """Read the thread under the cursor."""
        del row
        self.do("read")

    async def _listen(self) -> None:
        try:
            async for _ in self._app.link.ready().mail_changes():
                self.windows.changed()
        except EngineError as error:
            self._app.say_words(error.words, bad=True)

    def reload(self) -> None:
        """Look whether what the user wrote has become a card."""
        self.writing.look()

    def _start(self, work: Coroutine[Any, Any, None]) -> None:
        self._app.link.start(work)

    # ------------------------------------------------------------------------------------------------ what keys say

    def do(self, act: str) -> None:
        """Do what a key says."""
        pane = self.pane
        if pane is None:
            return
        match act:
            case "close":
                self._step_back(pane)
            case "read":
                self._start(self._open_thread(pane))
            case "why":
                self._why(pane)
            case "keys":
                self._app.reading.open("MAIL", self.writing.key_lines)
            case "order":
                self.windows.newest = not self.windows.newest
                self._app.say_words("Newest first" if self.windows.newest else "Unread first, then the newest")
                self.windows.turn()
            case "selected":
                self._start(self.windows.load())
            case "range":
                self._start(self._select_range(pane))
            case "undo":
                self._app.link.tell(lambda engine: engine.undo())
            case "new" | "reply" | "reply_all" | "reply_list" | "forward":
                self._start(self._write(pane, act))
            case "open_file" | "save_file" | "read_file":
                self.files.do(act, pane.reader.current)
            case "move":
                self.filing.move(pane)
            case _:
                self.filing.file(pane, act, newest=self.windows.newest)

    def _step_back(self, pane: MailPane) -> None:
        if pane.list.selection:
            pane.list.unselect()
            self._start(self.windows.load())
        else:
            self.close()

    async def _open_thread(self, pane: MailPane) -> None:
        row = pane.list.chosen
        if row is None:
            self._app.say_words(pane.list.none_chosen)
            return
        if pane.reader.thread != row.id or not pane.reader.mails:
            await self.windows.read(pane, row.id)
        pane.read(row)

    def _why(self, pane: MailPane) -> None:
        mail = pane.reader.current if pane.reading else None
        if mail is not None:
            self._app.reading.open_why(f"signal:signal_{mail.id}")
        elif (row := pane.here) is not None:
            self._app.reading.open_why(f"signal:signal_{row.newest}")
        else:
            self._app.say_words(pane.list.none_chosen)

    async def _select_range(self, pane: MailPane) -> None:
        if words := pane.list.none_chosen:
            self._app.say_words(words)
            return
        await self.filing.select_range(pane, self.windows.newest)
        await self.windows.load()

    def _moved(self) -> None:
        self.windows.acted = True
        self.windows.changed()
        self.windows.chosen()

    async def _write(self, pane: MailPane, kind: str) -> None:
        if kind == "new":
            await self.writing.begin(kind, None)
            return
        mail = await self._answered(pane)
        if mail is not None:
            await self.writing.begin(kind, mail)

    async def _answered(self, pane: MailPane) -> ThreadMail | None:
        """Return the mail that is answered: the one that the reader went to, else the newest that others wrote."""
        if pane.reading and pane.reader.mails:
            return pane.reader.answered
        row = pane.here
        if row is None:
            self._app.say_words(pane.list.none_chosen)
            return None
        return newest_of_others(await self._app.link.ready().mail_thread(row.id))
