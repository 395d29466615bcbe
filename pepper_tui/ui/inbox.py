"""The inbox's list: each thing that waits, in one line, most pressing first; single keys act on the chosen one.

The chosen one is the one under the cursor while the inbox, or what was opened from it, has the keys; else the first.
Its card stands below.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import ClassVar

from rich.text import Text
from textual.binding import BindingType
from textual.message import Message

from pepper_tui.ui.board import InboxItem
from pepper_tui.ui.bursts import NoBursts
from pepper_tui.ui.cards import closed, face
from pepper_tui.ui.ink import Pen
from pepper_tui.ui.keys import bindings
from pepper_tui.ui.live_list import LiveList, Row


class Inbox(LiveList, NoBursts):
    """One line an item."""

    BINDINGS: ClassVar[list[BindingType]] = [*bindings("inbox")]
    ACTING = ("act",)

    class Act(Message):
        """A key on the chosen card. ``act`` is the word in the key table."""

        def __init__(self, act: str) -> None:
            super().__init__()
            self.act = act

    class Chosen(Message):
        """Another item is chosen, or the same one while the keys came or went; ``walked``: by the user's own step."""

        def __init__(self, walked: bool) -> None:
            super().__init__()
            self.walked = walked

    class Paged(Message):
        """A page up (-1) or down (1) of the card."""

        def __init__(self, by: int) -> None:
            super().__init__()
            self.by = by

    def __init__(self, pen: Callable[[int], Pen], *, id: str) -> None:  # noqa: A002
        super().__init__("INBOX", "What needs your yes and what Pepper wants to tell you waits here.", pen, id=id)
        self._items: dict[str, InboxItem] = {}
        self._walking = False
        self._kept = False

    def show_items(self, items: Sequence[InboxItem]) -> None:
        """Replace the items."""
        self._items = {item.ref: item for item in items}
        self.show_rows([_row(item) for item in items])

    def item(self, ref: str) -> InboxItem | None:
        return self._items.get(ref)

    @property
    def head(self) -> InboxItem | None:
        """The item that the keys act on."""
        chosen = self.has_focus or self._kept or self.filtering
        return self._items.get(self.selected if chosen else next(iter(self._items), ""))

    def keep(self, kept: bool) -> None:
        """Keep the chosen item chosen while something that was opened from it has the keys."""
        self._kept = kept

    def watch_selected(self) -> None:
        super().watch_selected()
        if self.is_mounted:
            self.post_message(self.Chosen(self._walking))

    def watch_has_focus(self, _has_focus: bool) -> None:
        if _has_focus and self.selected not in self._items:
            self.selected = next(iter(self._items), "")
        super().watch_has_focus(_has_focus)
        self.post_message(self.Chosen(False))

    def select(self, row: str) -> None:
        self._walking = True
        try:
            super().select(row)
        finally:
            self._walking = False

    def words_of(self, row: Row) -> str:
        from pepper_tui.ui.words import item_lines  # when it is first wanted

        return "\n".join(item_lines(self._items[row.id], self._pen(80).zone))

    def action_page(self, by: int) -> None:
        self.post_message(self.Paged(by))

    def action_act(self, act: str) -> None:
        self.post_message(self.Act(act))


def _row(item: InboxItem) -> Row:
    def draw(pen: Pen) -> list[Text]:
        return [closed(item, pen)]

    return Row(item.ref, (face(item), item.unread, item.priority), draw, height=1)
