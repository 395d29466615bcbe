"""The inbox: cards that wait for the user, cleared with single keys.

A card can be acted on only when it has stood open for half a second: one that has just appeared, that has just
become first, or that moved under the cursor because another went away takes no keys. A card that the user walked
to is open to keys at once.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import ClassVar, Final

from rich.text import Text
from textual.binding import BindingType
from textual.message import Message

from pepper_tui.model import Approval
from pepper_tui.ui.board import InboxItem
from pepper_tui.ui.cards import LONGEST, closed, face, opened
from pepper_tui.ui.ink import Pen
from pepper_tui.ui.keys import bindings
from pepper_tui.ui.live_list import LiveList, Row

FRESH: Final = 0.5
"""Seconds for which a card takes no keys after it appeared under them."""


class Inbox(LiveList):
    """Cards. The selected one is open while the inbox has the focus, else the first."""

    BINDINGS: ClassVar[list[BindingType]] = [*bindings("inbox")]

    class Act(Message):
        """A key on a card that takes keys. ``act`` is the word in the key table."""

        def __init__(self, act: str, item: InboxItem | None) -> None:
            super().__init__()
            self.act, self.item = act, item

    class Opened(Message):
        """The user has this card open under the cursor."""

        def __init__(self, item: InboxItem) -> None:
            super().__init__()
            self.item = item

    def __init__(self, empty: str, pen: Callable[[int], Pen], monotonic: Callable[[], float], *, id: str) -> None:  # noqa: A002
        super().__init__("INBOX", empty, pen, id=id)
        self._monotonic = monotonic
        self._items: dict[str, InboxItem] = {}
        self._open = ""
        self._face = ""
        self._read = ""
        self._seen_to = 0
        self._seen_of = ("", 0)
        self._armed_at = 0.0
        self._walking = False

    # --------------------------------------------------------------------------------------------- content

    def show_items(self, items: Sequence[InboxItem]) -> None:
        """Replace the cards."""
        self._items = {item.ref: item for item in items}
        self._refresh_rows()

    def _refresh_rows(self) -> None:
        for _ in range(2):  # the second time only where the selected card had gone
            target = self.selected if self.has_focus and self.selected in self._items else next(iter(self._items), "")
            if self.has_focus and self.selected and self.selected not in self._items:
                target = ""
            rows = [self._row(item, item.ref == target) for item in self._items.values()]
            self.show_rows(rows, count=len(rows))
            if target or not self._items:
                break
        self._note_open(target)

    def _note_open(self, ref: str) -> None:
        now_face = face(self._items[ref]) if ref in self._items else ""
        if ref != self._open or now_face != self._face:
            if ref == self._open:  # other words under the same key: they have to be read
                self._walking = False
            self._open, self._face = ref, now_face
            self._armed_at = self._monotonic() if self._walking else self._monotonic() + FRESH
        if self.has_focus and ref in self._items and self._items[ref].unread:
            self.post_message(self.Opened(self._items[ref]))

    # --------------------------------------------------------------------------------------------- sight

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        super().watch_scroll_y(old_value, new_value)
        self._note_seen()

    def lay_out(self) -> None:
        super().lay_out()
        self._note_seen()

    def _note_seen(self) -> None:
        """Note how far the open card has been on the screen, from its first line on without a gap."""
        place = self._index.get(self._open)
        if place is None or not self._face or not self.is_on_screen or place + 1 >= len(self._tops):
            return
        of = (self._open + self._face, self._width)
        if of != self._seen_of:
            self._seen_of, self._seen_to = of, 0
        top = round(self.scroll_y) - self._tops[place]
        end = top + self.scrollable_content_region.height
        if top <= self._seen_to < end:
            self._seen_to = end

    def was_read(self, item: InboxItem) -> bool:
        """Whether each line of the card, as it stands now, has been on the screen."""
        self._note_seen()
        place = self._index.get(item.ref)
        if self._read == item.ref + face(item):
            return True
        if place is None or self._seen_of != (item.ref + face(item), self._width):
            return False
        height = self._tops[place + 1] - self._tops[place]
        return height <= LONGEST and self._seen_to >= height - 1  # the last line is empty

    def mark_read(self, item: InboxItem) -> None:
        """The card was read elsewhere, to its end."""
        self._read = item.ref + face(item)

    def _row(self, item: InboxItem, is_open: bool) -> Row:
        hints = self._hints(item) if is_open else ""

        def draw(pen: Pen) -> list[Text]:
            return opened(item, pen, hints) if is_open else closed(item, pen)

        return Row(item.ref, (item.version, face(item), is_open, hints, item.unread), draw)

    def _hints(self, item: InboxItem) -> str:
        focus = self.has_focus
        if item.kind == "unknown":
            return "1 check  2 it happened  3 it did not  4 leave it" if focus else "Ctrl+T: answer it in the inbox"
        if isinstance(item.record, Approval):
            editable = any(
                line.get("editable") for line in item.record.effect.get("lines", []) if isinstance(line, dict)
            )
            if focus:
                return "y approve  n reject  " + ("e edit  " if editable else "") + "z snooze  w why"
            return "F2 approve  F3 reject  " + ("F4 edit  " if editable else "") + "F6 snooze"
        return "x done  d dismiss  z snooze  w why" if focus else "F5 dismiss  F6 snooze  F8 why"

    def watch_selected(self) -> None:
        if self.is_mounted and self._items and self.selected in self._items and self.selected != self._open:
            self._refresh_rows()

    def watch_has_focus(self, _has_focus: bool) -> None:
        if _has_focus and self.selected not in self._items:
            self.selected = next(iter(self._items), "")
        super().watch_has_focus(_has_focus)
        self._refresh_rows()

    def select(self, row: str) -> None:
        self._walking = True
        try:
            super().select(row)
        finally:
            self._walking = False

    # ------------------------------------------------------------------------------------------------ acts

    def item(self, ref: str) -> InboxItem | None:
        return self._items.get(ref)

    @property
    def head(self) -> InboxItem | None:
        """The card that the F-keys act on: the selected one where the inbox has the focus, else the first."""
        return self._items.get(self.selected if self.has_focus else next(iter(self._items), ""))

    @property
    def takes_keys(self) -> bool:
        """Whether the open card has stood long enough."""
        return self._monotonic() >= self._armed_at

    def guard(self) -> None:
        """The open card has only now come into view: it takes no keys for a moment."""
        self._armed_at = self._monotonic() + FRESH

    def action_act(self, act: str) -> None:
        if act == "undo":
            self.post_message(self.Act(act, None))
            return
        item = self._items.get(self.selected)
        if item is not None and self.takes_keys and item.ref == self._open:
            self.post_message(self.Act(act, item))
