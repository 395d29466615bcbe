"""Where the user types. Enter sends; a paste is text, whatever it holds, and never acts.

The draft knows which of its characters were typed: only these have authority. What came otherwise (a paste, keys faster
than a person's, the user's editor) is drawn in another style, and stays what it is through edits, undo and the history.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import Any, ClassVar, Final

from rich.text import Text
from textual import events
from textual.binding import BindingType
from textual.document._document import EditResult, Location
from textual.document._edit import Edit
from textual.message import Message
from textual.strip import Strip
from textual.widgets import Input, TextArea

from pepper_tui.model import Origin, Written
from pepper_tui.text import visible
from pepper_tui.ui.screen.chat.bursts import GAP, WAIT
from pepper_tui.ui.screen.later import Later
from pepper_tui.ui.shared.keys import bindings

PASTE: Final = 8
"""Keys at once from which on they are a paste. A slow line may hand over some that were typed one after the other."""
_PASTED: Final = "composer--pasted"


class OriginEdit(Edit):
    """An edit that knows the draft before it, and with it."""

    before: Written
    made: Written


class Composer(TextArea):
    """A few lines of text with a history. The draft survives a walk through the history."""

    BINDINGS: ClassVar[list[BindingType]] = [*bindings("composer")]
    COMPONENT_CLASSES: ClassVar[set[str]] = {_PASTED}

    class Sent(Message):
        """The user sent what is ``written``; ``after_calls`` asks to wait for the running calls."""

        def __init__(self, written: Written, after_calls: bool) -> None:
            super().__init__()
            self.written, self.after_calls = written, after_calls

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
        self.written = Written("")
        """The draft with its origins."""
        self._origin = Origin.TYPED  # of the edit under way
        self._run: list[tuple[int, int]] = []  # where each key of a burst has written
        super().__init__(id=id, tab_behavior="focus", show_line_numbers=False, soft_wrap=True, compact=True)
        self.cursor_blink = False  # a blinking one repaints twice a second, all day
        self.highlight_cursor_line = False
        self.placeholder = "Ask Pepper, or tell it what to do"
        self.said: list[Written] = []
        self._place = 0
        self._kept = Written("")
        self._key_at = 0.0
        self._sending = Later(self)

    def render_line(self, y: int) -> Strip:
        """Nothing where there is no room for a character: for a moment between two sizes there may be none."""
        if self.content_size.width < 1:
            return Strip.blank(self.size.width)
        return super().render_line(y)

    def get_line(self, line_index: int) -> Text:
        """The line, with what was not typed in its own style."""
        line = super().get_line(line_index)
        if self.written.spans:
            style = self.get_component_rich_style(_PASTED, partial=True)
            start = self._index((line_index, 0))
            for begin, end, _ in self.written.spans:
                if begin < start + len(line) and end > start:
                    line.stylize(style, max(0, begin - start), end - start)
        return line

    # ------------------------------------------------------------------------------------------- whose characters

    def edit(self, edit: Edit) -> EditResult:
        """Each edit of the text, by key or otherwise, goes through here; undo and redo do not."""
        known = OriginEdit(edit.text, edit.from_location, edit.to_location, edit.maintain_selection_offset)
        start, end = (self._index(place) for place in (edit.top, edit.bottom))
        known.before = self.written
        self.written = known.made = self.written.replaced(start, end, edit.text, self._origin)
        if edit.text and self._origin is Origin.TYPED:
            self._run.append((start, start + len(edit.text)))
        result = super().edit(known)
        self._agree()
        return result

    def _undo_batch(self, edits: Sequence[Edit]) -> None:
        if edits and isinstance(edits[0], OriginEdit):
            self.written = edits[0].before
        super()._undo_batch(edits)
        self._agree()

    def _redo_batch(self, edits: Sequence[Edit]) -> None:
        if edits and isinstance(edits[-1], OriginEdit):
            self.written = edits[-1].made
        super()._redo_batch(edits)
        self._agree()

    def load_text(self, text: str) -> None:
        """Text that no key has written: nobody says here whose it is."""
        self.written = Written.by(text, Origin.OUTSIDE)
        super().load_text(text)

    def _agree(self) -> None:
        """Nothing counts as typed in a text that was made otherwise than is known here."""
        if self.text != self.written.text:
            self.written = Written.by(self.text, Origin.OUTSIDE)

    def _index(self, place: Location) -> int:
        row, column = place
        return sum(len(self.document.get_line(above)) + 1 for above in range(row)) + column

    def _not_typed(self, insert: str, origin: Origin) -> None:
        """Put ``insert`` in the place of the selection, as of ``origin``."""
        before, self._origin = self._origin, origin
        try:
            if result := self._replace_via_keyboard(insert, *self.selection):
                self.move_cursor(result.end_location)
        finally:
            self._origin = before

    def _keys_came(self, fast: bool) -> None:
        """A terminal without bracketed paste sends a paste as keys: of so many at once none was typed."""
        if not fast:
            self._run, self._origin = [], Origin.TYPED
        elif len(self._run) >= PASTE - 1 and self._origin is Origin.TYPED:
            self._origin = Origin.PASTED
            for start, end in self._run:
                self.written = self.written.marked(start, end, Origin.PASTED)
            self._line_cache.clear()
            self.refresh()

    async def _on_key(self, event: events.Key) -> None:
        fast, self._key_at = event.time - self._key_at < GAP, event.time
        self._keys_came(fast)
        if self._sending.waits:  # the Enter before came too fast for a person
            self._sending.stop()
            if fast:
                self.action_newline()
            else:
                self.action_send()
        if event.key == "enter":  # a binding's business, not a line break
            event.prevent_default()
            if fast:  # more may follow, as in a paste that comes as plain keys
                event.stop()
                self._sending.after(WAIT, self.action_send)

    async def _on_paste(self, event: events.Paste) -> None:
        event.prevent_default()
        event.stop()
        self.paste(event.text)

    def paste(self, text: str) -> None:
        """Insert ``text`` as text."""
        self._not_typed(visible(text), Origin.PASTED)

    def action_paste(self) -> None:
        """What was cut or copied here may have been pasted before."""
        self._not_typed(visible(self.app.clipboard), Origin.PASTED)

    def put(self, written: Written) -> None:
        """Make what is ``written`` the draft, the cursor at its end."""
        clean_parts = [Written.by(visible(piece), origin) for piece, origin in written.parts()]
        draft = functools.reduce(Written.then, clean_parts, Written(""))
        self.load_text(draft.text)
        self.written = draft
        self.move_cursor(self.document.end)

    def remember(self, said: list[Written]) -> None:
        """Make what was ``said`` (oldest first) the history."""
        self.said = [each for i, each in enumerate(said) if i == 0 or each != said[i - 1]][-500:]
        self._place = len(self.said)

    def _send(self, after_calls: bool) -> None:
        written = self.written.stripped()
        if not written.text:
            return
        self.load_text("")
        if not self.said or self.said[-1] != written:
            self.said.append(written)
        self._place, self._kept = len(self.said), Written("")
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
        if self.cursor_location[0] > 0 or not self._place:
            self.action_cursor_up()
            return
        if self._place == len(self.said):
            self._kept = self.written
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
        super().__init__(visible(value).replace("\n", " "), placeholder=placeholder, select_on_focus=False, **more)
        self.cursor_blink = False

    def _on_paste(self, event: events.Paste) -> None:
        event.prevent_default()
        event.stop()
        self.replace(" ".join(visible(event.text).split()), *sorted(self.selection))


class CleanArea(TextArea):
    """A many-line input whose pastes are cleaned."""

    async def _on_paste(self, event: events.Paste) -> None:
        event.prevent_default()
        event.stop()
        if result := self._replace_via_keyboard(visible(event.text), *self.selection):
            self.move_cursor(result.end_location)
