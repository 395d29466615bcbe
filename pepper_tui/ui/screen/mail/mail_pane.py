"""The list and the reading pane: beside each other where both fit, else one at a time."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, Protocol

from textual import events
from textual.app import ComposeResult
from textual.containers import Horizontal

from pepper_tui.domains.mail.listing.records import ThreadRow
from pepper_tui.ui.screen.ink import Pen
from pepper_tui.ui.screen.lists.row_cursor import RowCursor
from pepper_tui.ui.screen.mail.mail_list import MailList
from pepper_tui.ui.screen.mail.mail_reader import MailReader
from pepper_tui.ui.screen.mail.thread_rows import ThreadRows

BOTH: Final = 104
"""Cells from which list and mail are beside each other."""


class Keys(Protocol):
    """What the keys of the two parts are for."""

    def do(self, act: str, /) -> None: ...


class Shows(Protocol):
    """What brings the rows."""

    def lacks(self, first: int, /) -> None: ...

    def narrow(self) -> None: ...

    def chosen(self) -> None: ...


class MailPane(Horizontal):
    """Both, in the conversation's place."""

    def __init__(self, pen: Callable[[int], Pen], keys: Keys, shows: Shows) -> None:
        super().__init__(id="mail-pane")
        self._keys, self._shows = keys, shows
        self.list = MailList(pen, id="mail")
        self.reader = MailReader(pen, id="mail-reader")
        self.reading = False
        self._read: ThreadRow | None = None
        self.list.instead = lambda: self.reader if self.reading else None

    def compose(self) -> ComposeResult:
        yield self.list
        yield self.reader

    def on_mount(self) -> None:
        self._arrange()

    def on_resize(self, _event: events.Resize) -> None:
        self._arrange()

    @property
    def here(self) -> ThreadRow | None:
        """The thread that keys are about: the one that is read, also if it has left the list, or that at the cursor."""
        if not self.reading or self._read is None:
            return self.list.chosen
        return self.list.held(self._read.id) or self._read

    def acted_on(self) -> list[ThreadRow]:
        """Return the threads that an act is on: the selected ones, else the one that keys are about."""
        if self.list.selection:
            return [*self.list.selection.values()]
        return [self.here] if self.here is not None else []

    @property
    def both(self) -> bool:
        return self.size.width >= BOTH

    def _arrange(self) -> None:
        self.set_class(self.both, "both")
        self.list.display = self.both or not self.reading
        self.reader.display = self.both or self.reading

    def read(self, thread: ThreadRow | None) -> None:
        """Give the keys to the mail of ``thread``, which is shown, or back to the list."""
        self.reading, self._read = thread is not None, thread
        part = self.reader if self.reading else self.list
        part.display = True
        part.focus()
        self._arrange()

    # --------------------------------------------------------------------------------------- from its two parts

    def on_thread_rows_lacks(self, event: ThreadRows.Lacks) -> None:
        event.stop()
        self._shows.lacks(event.first)

    def on_mail_list_narrowing(self, event: MailList.Narrowing) -> None:
        event.stop()
        self._shows.narrow()

    def on_mail_list_chosen(self, event: MailList.Chosen) -> None:
        event.stop()
        self._shows.chosen()

    def on_mail_list_act(self, event: MailList.Act) -> None:
        event.stop()
        self._keys.do(event.act)

    def on_mail_reader_act(self, event: MailReader.Act) -> None:
        event.stop()
        self._keys.do(event.act)

    def on_mail_reader_closed(self, event: MailReader.Closed) -> None:
        event.stop()
        self.read(None)

    def on_row_cursor_details(self, event: RowCursor.Details) -> None:
        event.stop()
        self._keys.do("read")

    def on_row_cursor_why(self, event: RowCursor.Why) -> None:
        event.stop()
        self._keys.do("why")

    def on_row_cursor_back(self, event: RowCursor.Back) -> None:
        event.stop()
        self._keys.do("close")
