"""Input fields, of one line and of many, that clean what is pasted, and know whether all of them was typed.

One paste, or a text from an editor, makes all of the field untyped: what was around it can't be told apart later.
"""

from __future__ import annotations

from typing import Any

from textual import events
from textual.widgets import Input, TextArea

from pepper_tui.model import Origin
from pepper_tui.text import visible
from pepper_tui.ui.screen.chat.bursts import GAP
from pepper_tui.ui.screen.chat.origin_area import PASTE


class _Keys:
    """Tells a paste that a terminal sends as keys."""

    def __init__(self) -> None:
        self._at, self._run = 0.0, 0

    def pasted(self, event: events.Key) -> bool:
        self._run = self._run + 1 if event.time - self._at < GAP else 1
        self._at = event.time
        return self._run >= PASTE


class CleanInput(Input):
    """A one-line input that cleans what is pasted. ``origin``: where its text comes from."""

    def __init__(self, value: str = "", *, placeholder: str = "", **more: Any) -> None:
        self._keys, self.origin = _Keys(), Origin.TYPED
        super().__init__(visible(value).replace("\n", " "), placeholder=placeholder, select_on_focus=False, **more)
        self.cursor_blink = False

    async def _on_key(self, event: events.Key) -> None:
        if self._keys.pasted(event):
            self.origin = Origin.PASTED

    def _on_paste(self, event: events.Paste) -> None:
        event.prevent_default()
        event.stop()
        self.origin = Origin.PASTED
        self.replace(" ".join(visible(event.text).split()), *sorted(self.selection))

    def action_paste(self) -> None:
        self.origin = Origin.PASTED
        super().action_paste()


class CleanArea(TextArea):
    """A multi-line input that cleans what is pasted. ``origin``: where its text comes from."""

    def __init__(self, *args: Any, **more: Any) -> None:
        self._keys, self.origin = _Keys(), Origin.TYPED
        super().__init__(*args, **more)

    async def _on_key(self, event: events.Key) -> None:
        if self._keys.pasted(event):
            self.origin = Origin.PASTED

    async def _on_paste(self, event: events.Paste) -> None:
        event.prevent_default()
        event.stop()
        self.origin = Origin.PASTED
        if result := self._replace_via_keyboard(visible(event.text), *self.selection):
            self.move_cursor(result.end_location)

    def action_paste(self) -> None:
        self.origin = Origin.PASTED
        super().action_paste()
