"""Input fields, of one line and of many, that clean what is pasted."""

from __future__ import annotations

from typing import Any

from textual import events
from textual.widgets import Input, TextArea

from pepper_tui.text import visible


class CleanInput(Input):
    """A one-line input that cleans what is pasted."""

    def __init__(self, value: str = "", *, placeholder: str = "", **more: Any) -> None:
        super().__init__(visible(value).replace("\n", " "), placeholder=placeholder, select_on_focus=False, **more)
        self.cursor_blink = False

    def _on_paste(self, event: events.Paste) -> None:
        event.prevent_default()
        event.stop()
        self.replace(" ".join(visible(event.text).split()), *sorted(self.selection))


class CleanArea(TextArea):
    """A multi-line input that cleans what is pasted."""

    async def _on_paste(self, event: events.Paste) -> None:
        event.prevent_default()
        event.stop()
        if result := self._replace_via_keyboard(visible(event.text), *self.selection):
            self.move_cursor(result.end_location)
