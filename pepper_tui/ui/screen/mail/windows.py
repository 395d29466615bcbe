"""What the mail shows: a window of the list, its heading, and the thread under the cursor beside it."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import TYPE_CHECKING, Any, Final, cast

from textual.content import Content

from pepper_tui.domains.mail.listing.records import MailPage
from pepper_tui.model import EngineError
from pepper_tui.text import one_line
from pepper_tui.ui.screen.later import Later
from pepper_tui.ui.screen.mail.mail_list import MailList
from pepper_tui.ui.screen.mail.mail_pane import MailPane
from pepper_tui.ui.screen.reading.health import progress_words

if TYPE_CHECKING:
    from pepper_tui.ui.screen.desk import Desk

WINDOW: Final = 200
"""Rows that are held."""
PREVIEW: Final = 0.08
"""Seconds for which the cursor rests before its thread is shown beside the list."""
PAUSE: Final = 0.15
"""Seconds in which changes, and the letters of a filter, are gathered."""
REST: Final = 6.0
"""The pause after a redraw, as a multiple of its duration."""
LONGEST: Final = 1.0
"""Seconds of that pause at most."""
SOON: Final = 0.01
"""Seconds after an act of the user's."""


class Windows:
    """Keeps the pane in step with the engine. ``pane`` is that which is open, if any."""

    def __init__(self, app: Desk, pane: Callable[[], MailPane | None]) -> None:
        self._app, self._pane = app, pane
        self.newest = False
        """By date alone, instead of the unread threads first."""
        self.acted = False
        """The user has just moved threads: the next window is wanted at once."""
        self._spent = 0.0
        self._reloads, self._previews = Later(app), Later(app)

    def stop(self) -> None:
        self._reloads.stop()
        self._previews.stop()

    def _start(self, work: Coroutine[Any, Any, None]) -> None:
        self._app.link.start(work)

    def changed(self) -> None:
        """Show what has changed, soon."""
        if self._pane() is not None and not self._reloads.waits:
            pause = SOON if self.acted else max(PAUSE, min(REST * self._spent, LONGEST))
            self._reloads.after(pause, lambda: self._start(self.load()))

    def lacks(self, first: int) -> None:
        self._start(self.load(first))

    def turn(self) -> None:
        """Show the list in another order, from its top."""
        self._start(self.load(0, turned=True))

    def narrow(self) -> None:
        """Show what the filter leaves, once no letter came for a moment."""
        self._reloads.after(PAUSE, self.turn)

    async def load(self, first: int | None = None, *, turned: bool = False) -> None:
        """Bring a window. ``turned``: the user has asked for other threads, or for another order."""
        pane = self._pane()
        if pane is None:
            return
        began, acted = self._app.clock.monotonic(), self.acted
        engine, view = self._app.link.ready(), pane.list
        query = view.needle
        around = "" if first is not None or acted else view.topmost if view.top else ""
        start = max(0, view.top - WINDOW // 4) if first is None else first
        try:
            page = await engine.mails(query, first=start, limit=WINDOW, newest=self.newest, around=around)
            place = await self._cursor(view, page)
        except EngineError as error:
            if not query:
                raise
            self.title(pane, MailPage(told=error.words))
            return
        if self._pane() is not pane or query != view.needle:
            return
        if acted:
            self.acted = False
        if view.selected and place < 0:
            view.gone(turned=turned)
        self.title(pane, page, acted=acted)
        if turned and place >= 0:
            view.go(place)
        if not page.total and not pane.reading:
            pane.reader.show("", [])
        self._spent = self._app.clock.monotonic() - began
        if pane.reader.mails and pane.reader.thread and first is None:
            await self.read(pane, pane.reader.thread)

    async def _cursor(self, view: MailList, page: MailPage) -> int:
        """Return where the thread under the cursor is now, also outside of ``page``; -1 if it is not in the list."""
        held = next((page.first + at for at, row in enumerate(page.rows) if row.id == view.selected), -1)
        if held >= 0 or not view.selected or len(page.rows) == page.total:
            return held
        around = view.selected
        found = await self._app.link.ready().mails(view.needle, limit=1, newest=self.newest, around=around)
        return found.place

    def title(self, pane: MailPane, page: MailPage, *, acted: bool = False, read: bool = True) -> None:
        """Show the window with its heading."""
        view, names = pane.list, self._app.key_names
        count = len(view.selection)
        parts = [f"{count} selected"] if count else []
        parts += [f"{page.unread:,} unread"] if page.unread else []
        parts += ["newest first" if self.newest else ""]
        parts += [page.told, progress_words(self._app.board)]
        parts += [f"{names.of('mail.keys')} keys"]
        number = f" {page.total:,}" if page.total else ""
        view.show(
            page, f"MAIL{number} · " + " · ".join(filter(None, parts)), self._empty(view, page, read), acted=acted
        )
        said = page.told if view.filtering and page.rows else ""  # the filter is in the heading's place
        view.border_subtitle = cast(str, Content(one_line(said, 300)))

    def _empty(self, view: MailList, page: MailPage, read: bool) -> str:
        """Return what an empty list says."""
        if view.needle:
            ways = "There are words, from:, in:, is:unread, after: and more (docs/search.md)."
            return f"{page.told}. Esc shows all." if page.told else f"No mail fits this filter. Esc shows all. {ways}"
        if words := progress_words(self._app.board):
            return f"No mail yet: {words}"
        if not page.mails and read:
            return (
                "All mail of your accounts is listed here, as threads. There is none yet: docs/accounts.md says how an"
                " account is added."
            )
        return "Nothing here: all mail is archived, or in the trash." if page.mails else "Reading your mail…"

    def chosen(self) -> None:
        """Show the thread under the cursor beside the list, once the cursor rests."""
        pane = self._pane()
        if pane is not None and pane.both and pane.list.selected and not pane.reading:
            self._previews.after(PREVIEW, lambda: self._start(self._preview()))

    async def _preview(self) -> None:
        pane = self._pane()
        if pane is not None and pane.both and not pane.reading and (row := pane.list.chosen) is not None:
            await self.read(pane, row.id)

    async def read(self, pane: MailPane, thread: str) -> None:
        try:
            mails = await self._app.link.ready().mail_thread(thread)
        except EngineError:
            mails = []  # it is gone meanwhile
        if self._pane() is pane:
            pane.reader.show(thread, mails)
