"""The inbox: the list above, the chosen card below. The list gets the lines that the card leaves free."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from textual import events
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.message import Message

from pepper_tui.model import Approval, NotificationState
from pepper_tui.ui.screen.inbox.card_view import CardView
from pepper_tui.ui.screen.inbox.inbox_list import Inbox
from pepper_tui.ui.screen.ink import Pen
from pepper_tui.ui.shared.matters import InboxItem


class InboxPane(Vertical):
    """The list and the card, kept together."""

    class Seen(Message):
        """The user has a card with these unread notifications open under the cursor, or this approval was drawn."""

        def __init__(self, refs: Sequence[str]) -> None:
            super().__init__()
            self.refs = refs

    class Attended(Message):
        """The list got the focus, or lost it."""

        def __init__(self, has_keys: bool) -> None:
            super().__init__()
            self.has_keys = has_keys

    class Moved(Message):
        """The user stepped to another item."""

    def __init__(self, pen: Callable[[int], Pen], monotonic: Callable[[], float], *, id: str) -> None:  # noqa: A002
        super().__init__(id=id)
        self.list = Inbox(pen, id="inbox")
        self.card = CardView(pen, monotonic, id="card")
        self._attended = False
        self._drawn = ""  # the approval already reported as drawn

    def compose(self) -> ComposeResult:
        yield self.list
        yield self.card

    def show_items(self, items: Sequence[InboxItem], more: str = "") -> None:
        """Replace the items and the chosen one's card. ``more`` says what else waits."""
        self.list.show_items(items, more)
        self._show_card(walked=False)

    @property
    def chosen(self) -> InboxItem | None:
        """The item that the keys act on: the one whose card is shown."""
        return self.card.item

    def on_inbox_chosen(self, event: Inbox.Chosen) -> None:
        event.stop()
        self._show_card(walked=event.walked)
        if event.walked:
            self.post_message(self.Moved())

    def on_inbox_paged(self, event: Inbox.Paged) -> None:
        event.stop()
        self.card.action_page(event.by)

    def on_resize(self, _event: events.Resize) -> None:
        self._share_room()

    def _show_card(self, *, walked: bool) -> None:
        item, has_keys = self.list.head, self.list.has_focus
        self.card.show_item(item, has_keys=has_keys, walked=walked)
        self._share_room()
        self.call_after_refresh(self._share_room)  # the card is measured once it has been laid out
        self.call_after_refresh(self._note_drawn)
        if has_keys != self._attended:
            self._attended = has_keys
            self.post_message(self.Attended(has_keys))
        new = [n.id for n in item.notices if n.state is NotificationState.NEW] if has_keys and item else []
        if new:
            self.post_message(self.Seen([f"notification:{each}" for each in new]))

    def _note_drawn(self) -> None:
        """Report each approval that the user could see, once."""
        item = self.card.item
        if item is not None and isinstance(item.record, Approval) and self.card.in_view and item.ref != self._drawn:
            self._drawn = item.ref
            self.post_message(self.Seen([item.ref]))

    def _share_room(self) -> None:
        room = self.size.height
        if not self.card.display:
            self.list.styles.height = "1fr"
            return
        frame = self.list.gutter.height + self.card.gutter.height
        spare = room - frame - self.card.lines_wanted
        lines = max(1, min(len(self.list.row_ids), max((room - frame) // 3, spare)))
        self.list.styles.height = lines + self.list.gutter.height
