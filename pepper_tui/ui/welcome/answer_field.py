"""The field of the first start: it is there while something is to be named."""

from __future__ import annotations

from pepper_tui.ui.screen.chat.clean_fields import CleanInput


class AnswerField(CleanInput):
    """``asking``: what is named now; empty where nothing is."""

    asking = ""

    def open(self, asking: str, value: str, placeholder: str) -> None:
        """Ask for it."""
        self.asking = asking
        self.value, self.placeholder, self.display = value, placeholder, True
        self.cursor_position = len(value)
        self.focus()

    def close(self) -> None:
        """Ask no more."""
        self.asking = ""
        self.display = False
        self.screen.set_focus(None)
