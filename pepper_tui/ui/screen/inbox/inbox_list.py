"""The inbox's list: one line for each waiting item, the most pressing first; single keys act on the chosen one.

That is the item under the cursor while the inbox, or something opened from it, has the focus; otherwise the first. Its
card is below. Once the chosen item is done, none is chosen until the user picks one: a second key must not act on the
item that took its place.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import ClassVar

from rich.text import Text
from textual.binding import BindingType
from textual.message import Message

from pepper_tui.ui.screen.inbox.cards import closed, face
from pepper_tui.ui.screen.ink import Pen, age
from pepper_tui.ui.screen.lists.drawn_rows import Row
from pepper_tui.ui.screen.lists.live_list import LiveList
from pepper_tui.ui.shared.keys import bindings, names_of
from pepper_tui.ui.shared.matters import InboxItem


class Inbox(LiveList):
    """The list, one line per item."""

    BINDINGS: ClassVar[list[BindingType]] = [*bindings("inbox")]

    class Act(Message):
        """A key on the chosen card. ``act`` is the word in the key table."""

        def __init__(self, act: str) -> None:
            super().__init__()
            self.act = act

    class Chosen(Message):
        """Another item is chosen, or the focus came or went; ``walked``: by the user's own step."""

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
        self._coming = False  # the keys are on their way here
        self._rest: int | None = None  # the place of the chosen item that is now done
        self._more = ""
        self._place_first = ""
        self._awaited = ""  # the matter whose draft the user has just asked for by key

    def show_items(self, items: Sequence[InboxItem], more: str = "") -> None:
        """Replace the items. ``more`` says what else waits."""
        before, self._items, self._more = self._items.get(self.selected), {item.key: item for item in items}, more
        place = self.drawn.index.get(self.selected, 0)
        follower = _follower(before, self._items)
        if before is not None and follower is None:
            self._rest = place if self._has_keys else None
            self.selected = ""
        self._place_first = follower or ""
        now = self._pen(1).now
        undo = names_of(self.app).of("inbox.undo" if self.has_focus else "head.undo")
        self._entitled([_row(item, undo, now) for item in items])
        if self._awaited and self._rest is not None:
            come = (item.key for item in items if item.approval and item.matter == self._awaited and not item.inert)
            if key := next(come, ""):
                self._rest, self._awaited = None, ""
                self.selected = key

    def _entitled(self, rows: Sequence[Row]) -> None:
        count = sum(not item.inert for item in self._items.values())
        self.show_rows(rows, count=count, aside=self._aside_words())

    def _aside_words(self) -> str:
        names = names_of(self.app)
        choose = f"{names.of('list.down')} {names.of('list.up')} choose" if self._rest is not None else ""
        return " · ".join(words for words in (choose if self._items and self.has_focus else "", self._more) if words)

    @property
    def none_chosen(self) -> str:
        return super().none_chosen if self._items else "The inbox is empty"

    def item(self, key: str) -> InboxItem | None:
        return self._items.get(key)

    @property
    def head(self) -> InboxItem | None:
        """The item that the keys act on."""
        if self._has_keys or self.filtering:
            return self._items.get(self.selected)
        return next((item for item in self._items.values() if not item.inert), None)

    def lost(self, place: int) -> None:
        if self._place_first in self.drawn.index:
            self.selected = self._place_first
        else:
            super().lost(place)

    def choose_first(self) -> None:
        if self._turned:  # a filter is a step of the user's own
            self._rest = None
        if self._rest is None:
            super().choose_first()

    @property
    def _has_keys(self) -> bool:
        """Whether the keys are here, at what was opened from here, or on their way back."""
        return self.has_focus or self._kept or self._coming

    def expect_keys(self) -> None:
        """Behave as if the keys were here: they come in a moment, and what is over till then leaves none chosen."""
        self._coming = not self.has_focus

    def await_draft(self, matter: str) -> None:
        """Choose the draft of ``matter`` once it is there, unless the user goes on with something else."""
        self._awaited = matter

    def keep(self, kept: bool) -> None:
        """Keep the chosen item while something opened from it has the focus."""
        self._kept = kept

    def watch_selected(self) -> None:
        super().watch_selected()
        if self.is_mounted:
            self.post_message(self.Chosen(self._walking))

    def watch_has_focus(self, _has_focus: bool) -> None:
        self._coming = False
        if not _has_focus and not self._kept:
            self._rest, self._awaited = None, ""
        if _has_focus and self.selected not in self._items:
            self.selected = ""
        super().watch_has_focus(_has_focus)
        if any(item.inert for item in self._items.values()):  # another key takes it back from here
            self.show_items([*self._items.values()], self._more)
        elif self._rest is not None:
            self._entitled(self._all)
        self.post_message(self.Chosen(False))

    def select(self, row: str) -> None:
        rested, self._rest, self._awaited = self._rest is not None, None, ""
        self._walking = True
        try:
            super().select(row)
        finally:
            self._walking = False
        if rested:
            self._entitled(self._all)

    def action_cursor(self, by: int) -> None:
        if self._rest is None or self.selected:
            super().action_cursor(by)
        elif (row := self.drawn.free(self._rest if by > 0 else self._rest - 1, by)) is not None:
            self.select(row.id)

    def words_of(self, row: Row) -> str:
        from pepper_tui.ui.shared.words import item_lines  # only when first needed

        return "\n".join(item_lines(self._items[row.id], self._pen(80).zone))

    def action_page(self, by: int) -> None:
        self.post_message(self.Paged(by))

    def action_act(self, act: str) -> None:
        self.post_message(self.Act(act))


def _follower(before: InboxItem | None, items: Mapping[str, InboxItem]) -> str | None:
    """Return the key of the item that continues the chosen one; None if that is done.

    It is the same item, or the same draft after an edit. A draft that takes another's place does not continue it.
    """
    if before is None:
        return ""
    same = items.get(before.key)
    if same is not None and not same.inert and (before.approval is None or same.ref == before.ref):
        return same.key
    if before.approval is None:
        return None
    edited = (item for item in items.values() if item.approval and item.approval.call == before.approval.call)
    return next((item.key for item in edited), None)


def _row(item: InboxItem, undo: str, now: float) -> Row:
    def draw(pen: Pen) -> list[Text]:
        return [closed(item, pen, undo)]

    old = age(item.at, now)
    return Row(
        item.key, (face(item), item.unread, item.priority, item.seconds, undo, old), draw, height=1, inert=item.inert
    )
