"""The composer, where the user types. Enter sends; a paste is text, whatever it holds, and never acts.

The draft tracks which of its characters were typed, also through the history: see ``origin_area``.
"""

from __future__ import annotations

from typing import ClassVar

from textual import events
from textual.binding import BindingType
from textual.message import Message
from textual.strip import Strip

from pepper_tui.model import Written
from pepper_tui.ui.screen.chat.bursts import GAP, WAIT
from pepper_tui.ui.screen.chat.origin_area import OriginArea
from pepper_tui.ui.screen.chat.sent_history import SentHistory
from pepper_tui.ui.screen.later import Later
from pepper_tui.ui.shared.keys import bindings


class Composer(OriginArea):
    """A few lines of text with a history. Walking through the history keeps the draft."""

    BINDINGS: ClassVar[list[BindingType]] = [*bindings("composer")]

    class Sent(Message):
        """Message: the user sent what is ``written``; ``after_calls`` asks to wait for the running calls."""

        def __init__(self, written: Written, after_calls: bool) -> None:
            super().__init__()
            self.written, self.after_calls = written, after_calls

    class TakeBack(Message):
        """Message: the user wants the last unread message back."""

    class Stop(Message):
        """Message: Esc."""

    class Editor(Message):
        """Message: the user wants to write in their own editor."""

    class Paged(Message):
        """Message: a page up (-1) or down (1) with no line left to go to: scroll the conversation."""

        def __init__(self, by: int) -> None:
            super().__init__()
            self.by = by

    class Search(Message):
        """Message: the user wants to search what they sent."""

    def __init__(self, *, id: str) -> None:  # noqa: A002
        super().__init__(id=id, tab_behavior="focus", show_line_numbers=False, soft_wrap=True, compact=True)
        self.cursor_blink = False  # a blinking cursor repaints twice a second, all day
        self.highlight_cursor_line = False
        self.placeholder = "Ask Pepper, or tell it what to do"
        self.sent = SentHistory()
        self._key_at = 0.0
        self._sending = Later(self)

    def render_line(self, y: int) -> Strip:
        """Return a blank line if there is no room for a character, as may happen between two sizes."""
        if self.content_size.width < 1:
            return Strip.blank(self.size.width)
        return super().render_line(y)

    async def _on_key(self, event: events.Key) -> None:
        fast, self._key_at = event.time - self._key_at < GAP, event.time
        self._keys_came(fast)
        if self._sending.waits:  # the Enter before came too fast for a person
            self._sending.stop()
            if fast:
                self.action_newline()
            else:
                self.action_send()
        if event.key == "enter":  # for a binding, not a line break
            event.prevent_default()
            if fast:  # more may follow, as in a paste sent as plain keys
                event.stop()
                self._sending.after(WAIT, self.action_send)

    def _send(self, after_calls: bool) -> None:
        written = self.written.stripped()
        if not written.text:
            return
        self.load_text("")
        self.sent.add(written)
        self.post_message(self.Sent(written, after_calls))

    def action_send(self) -> None:
        self._send(False)

    def action_queue(self) -> None:
        self._send(True)

    def action_newline(self) -> None:
        self._replace_via_keyboard("\n", *self.selection)

    def action_take_back(self) -> None:
        self.post_message(self.TakeBack())

    def action_search(self) -> None:
        self.post_message(self.Search())

    def action_editor(self) -> None:
        self.post_message(self.Editor())

    def action_stop(self) -> None:
        self.post_message(self.Stop())

    def action_cursor_page_up(self) -> None:
        if self.wrapped_document.height > 1:
            super().action_cursor_page_up()
        else:
            self.post_message(self.Paged(-1))

    def action_cursor_page_down(self) -> None:
        if self.wrapped_document.height > 1:
            super().action_cursor_page_down()
        else:
            self.post_message(self.Paged(1))

    def action_older(self) -> None:
        said = self.sent.older(self.written) if self.cursor_location[0] == 0 else None
        if said is None:
            self.action_cursor_up()
            return
        self.put(said)
        self.move_cursor((0, 0))

    def action_newer(self) -> None:
        last = self.cursor_location[0] >= self.document.line_count - 1
        said = self.sent.newer() if last else None
        if said is None:
            self.action_cursor_down()
        else:
            self.put(said)
