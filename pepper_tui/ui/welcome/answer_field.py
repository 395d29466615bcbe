"""The input field of the first start, visible while something is to be named."""

from __future__ import annotations

from pepper_tui.ui.screen.chat.clean_fields import CleanInput


class AnswerField(CleanInput):
    """The field. ``asking``: what is being named now, or empty."""

    asking = ""

    def open(self, asking: str, value: str, placeholder: str) -> None:
        """Show the field and ask for ``asking``."""
        self.asking = asking
        self.value, self.placeholder, self.display = value, placeholder, True
        self.cursor_position = len(value)
        self.focus()

    def close(self) -> None:
        """Hide the field."""
        self.asking = ""
        self.display = False
        self.screen.set_focus(None)
