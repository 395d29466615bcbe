"""Where the user types. Enter sends; a paste is text, whatever it holds, and never acts."""

from __future__ import annotations

from typing import Any, ClassVar

from textual import events
from textual.binding import BindingType
from textual.message import Message
from textual.strip import Strip
from textual.timer import Timer
from textual.widgets import Input, TextArea

from pepper_tui.text import clean
from pepper_tui.ui.bursts import GAP, WAIT
from pepper_tui.ui.keys import bindings


class Composer(TextArea):
    """A few lines of text with a history. The draft survives a walk through the history."""

    BINDINGS: ClassVar[list[BindingType]] = [*bindings("composer")]

    class Sent(Message):
        """The user sent ``text``; ``after_calls`` asks to wait for the running calls."""

        def __init__(self, text: str, after_calls: bool) -> None:
            super().__init__()
            self.text, self.after_calls = text, after_calls

    class TakeBack(Message):
        """The user wants the last unread message back."""

    class Stop(Message):
        """Esc."""

    class Editor(Message):
        """The user wants to write in their own editor."""

    class Paged(Message):
        """A page up (-1) or down (1), where there is no other line to go to: the conversation's."""

        def __init__(self, by: int) -> None:
            super().__init__()
            self.by = by

    class Search(Message):
        """The user wants to search what they sent."""

    def __init__(self, *, id: str) -> None:  # noqa: A002
        super().__init__(id=id, tab_behavior="focus", show_line_numbers=False, soft_wrap=True, compact=True)
        self.cursor_blink = False  # a blinking one repaints twice a second, all day
        self.highlight_cursor_line = False
        self.placeholder = "Ask Pepper, or tell it what to do"
        self.said: list[str] = []
        self._place = 0
        self._kept = ""
        self._key_at = 0.0
        self._sending: Timer | None = None

    def render_line(self, y: int) -> Strip:
        """Nothing where there is no room for a character: for a moment between two sizes there may be none."""
        if self.content_size.width < 1:
            return Strip.blank(self.size.width)
        return super().render_line(y)

    async def _on_key(self, event: events.Key) -> None:
        fast, self._key_at = event.time - self._key_at < GAP, event.time
        if self._sending is not None:  # the Enter before came too fast for a person
            self._sending.stop()
            self._sending = None
            if fast:
                self.action_newline()
            else:
                self.action_send()
        if event.key == "enter":  # a binding's business, not a line break
            event.prevent_default()
            if fast:  # more may follow, as in a paste that comes as plain keys
                event.stop()
                self._sending = self.set_timer(WAIT, self._send_late)

    def _send_late(self) -> None:
        self._sending = None
        self.action_send()

    async def _on_paste(self, event: events.Paste) -> None:
        event.prevent_default()
        event.stop()
        self.paste(event.text)

    def paste(self, text: str) -> None:
        """Insert ``text`` as text."""
        if result := self._replace_via_keyboard(clean(text), *self.selection):
            self.move_cursor(result.end_location)

    def put(self, text: str) -> None:
        """Make ``text`` the draft, the cursor at its end."""
        self.load_text(clean(text))
        self.move_cursor(self.document.end)

    def remember(self, texts: list[str]) -> None:
        """Make ``texts`` (oldest first) the history."""
        self.said = [text for i, text in enumerate(texts) if i == 0 or text != texts[i - 1]][-500:]
        self._place = len(self.said)

    def _send(self, after_calls: bool) -> None:
        text = self.text.strip()
        if not text:
            return
        self.load_text("")
        if not self.said or self.said[-1] != text:
            self.said.append(text)
        self._place, self._kept = len(self.said), ""
        self.post_message(self.Sent(text, after_calls))

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
        if self.cursor_location[0] > 0 or not self._place:
            self.action_cursor_up()
            return
        if self._place == len(self.said):
            self._kept = self.text
        self._place -= 1
        self.put(self.said[self._place])
        self.move_cursor((0, 0))

    def action_newer(self) -> None:
        if self.cursor_location[0] < self.document.line_count - 1 or self._place >= len(self.said):
            self.action_cursor_down()
            return
        self._place += 1
        self.put(self._kept if self._place == len(self.said) else self.said[self._place])


class CleanInput(Input):
    """A one-line input whose pastes are cleaned."""

    def __init__(self, value: str = "", *, placeholder: str = "", **more: Any) -> None:
        super().__init__(clean(value).replace("\n", " "), placeholder=placeholder, select_on_focus=False, **more)
        self.cursor_blink = False

    def _on_paste(self, event: events.Paste) -> None:
        event.prevent_default()
        event.stop()
        self.replace(" ".join(clean(event.text).split()), *sorted(self.selection))


class CleanArea(TextArea):
    """A many-line input whose pastes are cleaned."""

    async def _on_paste(self, event: events.Paste) -> None:
        event.prevent_default()
        event.stop()
        if result := self._replace_via_keyboard(clean(event.text), *self.selection):
            self.move_cursor(result.end_location)
