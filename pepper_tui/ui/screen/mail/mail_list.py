"""The list of threads: the cursor, the selection, the keys.

Places count from 0. The cursor follows a thread's id, the view the thread at its top: what comes above moves neither.
After an act it is on the next thread, as in other mail programs: nothing is sent by these keys, and ``u`` takes each
back. In the inbox, where a key may be a yes, nothing is chosen then.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from itertools import chain
from typing import ClassVar

from textual import events
from textual.binding import BindingType
from textual.message import Message

from pepper_tui.domains.mail.listing.records import MailPage, ThreadRow
from pepper_tui.ui.screen.ink import Pen
from pepper_tui.ui.screen.mail.thread_rows import NEAR, ThreadRows
from pepper_tui.ui.shared.keys import bindings


class MailList(ThreadRows):
    """The widget. It asks for what it lacks by ``Lacks``; ``show`` gives it a window."""

    BINDINGS: ClassVar[list[BindingType]] = [*bindings("list", "mail", "mail_list")]
    name_shown = "MAIL"

    class Chosen(Message):
        """The cursor moved to another thread."""

    class Narrowing(Message):
        """The filter changed."""

    class Act(Message):
        """A key on the chosen threads. ``act`` is the word in the key table."""

        def __init__(self, act: str) -> None:
            super().__init__()
            self.act = act

    def __init__(self, pen: Callable[[int], Pen], *, id: str) -> None:  # noqa: A002
        super().__init__(pen, id=id)
        self._place = 0  # of the cursor
        self._going = -1  # a place that the cursor goes to once it is held
        self._from = 0  # where a range begins
        self._unfiltered = 0  # threads without the filter

    # ------------------------------------------------------------------------------------------------ rows

    def show(self, page: MailPage, heading: str, empty: str, *, acted: bool = False) -> None:
        """Show a window. ``acted``: after an act of the user's, which may have taken the thread at the top."""
        drawn, height = self.drawn, self.drawn.height
        top = round(self.scroll_y)
        anchor = drawn.at(top // height) if top > 0 else None
        drawn.first, drawn.rows, drawn.total = page.first, page.rows, page.total
        self.answered()
        self.empty = empty
        if not self.filtering:
            self._unfiltered = page.total
        if self.selected and (place := drawn.place(self.selected)) >= 0:
            self._place = place
        self._place = max(0, min(self._place, page.total - 1))
        if self._going >= 0 and (row := drawn.at(min(self._going, page.total - 1))) is not None:
            self._put(row, min(self._going, page.total - 1))
        elif self._may_choose and (row := drawn.at(self._place)) is not None:
            self._put(row, self._place)
        self.entitle(heading)
        self.lay_out()
        moved = drawn.place(anchor.id) if anchor is not None else -1
        if moved >= 0 and not acted and self._going < 0 and moved != top // height:
            self.scroll_to(y=moved * height + top % height, animate=False, immediate=True, force=True)
        elif top > (last := max(0, drawn.total * height - self.scrollable_content_region.height)):
            self.scroll_to(y=last, animate=False, immediate=True, force=True)
        if self._going >= 0:
            self._going = -1
            self._into_view()

    def gone(self, *, turned: bool) -> None:
        """Give up the thread under the cursor, which is not in the list any more: the next window chooses another.

        That is what comes in its place, or the first if the filter was ``turned``.
        """
        self.selected = ""
        if turned:
            self._place = 0
            self.scroll_to(y=0, animate=False, immediate=True, force=True)

    def leave(self, dealt_with: Collection[str]) -> None:
        """Go to the next thread that is not dealt with, or else to the one before; stay where the cursor's is none."""
        at = self.drawn.place(self.selected)
        if at < 0 or self.selected not in dealt_with:
            return
        first, last = self.drawn.first, self.drawn.first + len(self.drawn.rows)
        self.selected = ""
        for place in chain(range(at + 1, last), range(at - 1, first - 1, -1)):
            if (row := self.drawn.at(place)) is not None and row.id not in dealt_with:
                self._put(row, place)
                return

    @property
    def _may_choose(self) -> bool:
        return not self.selected and self.has_focus

    @property
    def chosen(self) -> ThreadRow | None:
        """The thread under the cursor."""
        place = self.drawn.place(self.selected) if self.selected else -1
        return self.drawn.at(place) if place >= 0 else None

    def range_here(self) -> tuple[int, int]:
        """Return the places from where the last selection was made to the cursor, both included."""
        return min(self._from, self._place), max(self._from, self._place)

    def narrowed(self) -> None:
        self.entitle(self._heading)
        self.post_message(self.Narrowing())

    def tally(self) -> tuple[int, int]:
        return self.drawn.total, max(self.drawn.total, self._unfiltered)

    # -------------------------------------------------------------------------------------------- selection

    def _put(self, row: ThreadRow, place: int) -> None:
        self._place = place
        if row.id != self.selected:
            self.selected = row.id
            self.post_message(self.Chosen())

    def select(self, row: str) -> None:
        if (place := self.drawn.place(row)) >= 0:
            self.go(place)

    def go(self, place: int) -> None:
        """Put the cursor on a place, at once if it is held."""
        place = max(0, min(place, self.drawn.total - 1))
        row = self.drawn.at(place)
        if row is None:
            self._going = place
            self.post_message(self.Lacks(max(0, place - self.rows_seen - NEAR)))
            return
        self._put(row, place)
        self._into_view()
        self.look_ahead()

    def _into_view(self) -> None:
        height, top = self.drawn.height, round(self.scroll_y)
        room, line = self.scrollable_content_region.height, self._place * self.drawn.height
        if line < top:
            self.scroll_to(y=line, animate=False, immediate=True, force=True)
        elif line + height > top + room:
            self.scroll_to(y=line + height - room, animate=False, immediate=True, force=True)

    def watch_has_focus(self, _has_focus: bool) -> None:
        super().watch_has_focus(_has_focus)
        if _has_focus and self._may_choose and (row := self.drawn.at(self._place)) is not None:
            self._put(row, self._place)
        self.refresh()

    def on_click(self, event: events.Click) -> None:
        place = (round(self.scroll_y) + event.y - self.gutter.top) // self.drawn.height
        if (row := self.drawn.at(place)) is not None:
            again = row.id == self.selected
            self.go(place)
            if again:
                self.action_details()

    # ------------------------------------------------------------------------------------------------ keys

    def action_cursor(self, by: int) -> None:
        if self.drawn.total:
            self.go(self._place + by)

    def action_page(self, by: int) -> None:
        if self.drawn.total:
            self.go(self._place + by * max(1, self.rows_seen - 1))

    def action_edge(self, by: int) -> None:
        if self.drawn.total:
            self.go(self.drawn.total - 1 if by > 0 else 0)

    def action_mark(self) -> None:
        """Select the thread under the cursor, or take it out again, and go on to the next."""
        if (row := self.chosen) is None:
            self.has_chosen()
            return
        if self.selection.pop(row.id, None) is None:
            self.selection[row.id] = row
        self._from = self._place
        if self._place + 1 < self.drawn.total:
            self.go(self._place + 1)
        self.post_message(self.Act("selected"))

    def action_mail(self, act: str) -> None:
        self.post_message(self.Act(act))
